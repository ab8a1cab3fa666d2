"""The two sides of SQL: on SQLite two files, on PostgreSQL one database.

Invariant: a table belongs to exactly one of them.
"""

from sqlalchemy import MetaData

CONFIG = MetaData()
RECORD = MetaData()
