"""SQL: the record of everything that a cell committed, and the configuration of every account."""
