"""Where things are kept: Redis for what is hot, SQL for the record. Imports only `protocol`."""
