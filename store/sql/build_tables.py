"""The table of builds: which of an app's were heard of, when, and how often.

Invariant: nothing in it tells whose phone it was.
"""

from sqlalchemy import BigInteger, Column, Table, Text

from store.sql.sides import RECORD

app_build = Table(
    "app_build",  # written by gateways, a batch at a time; platform "": all that are not told apart
    RECORD,
    Column("account", Text, primary_key=True),
    Column("app", Text, primary_key=True),
    Column("platform", Text, primary_key=True),
    Column("app_version", Text, primary_key=True),
    Column("sdk", Text, primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("sessions", BigInteger, nullable=False),
    Column("first_seen_at_ms", BigInteger, nullable=False),
    Column("last_seen_at_ms", BigInteger, nullable=False),
)
