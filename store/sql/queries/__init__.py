"""What is asked of SQL and told to it: plain functions of a connection, run by a `Database`."""
