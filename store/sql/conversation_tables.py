"""By what conversations are found: when and where each began, and its tags.

Invariant: gleaned from the log by the scribe, in the transaction that copies it; what never came past its gate has no
tag, and of a conversation that was erased the tags are gone.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text

from store.sql.sides import RECORD

conversation_start = Table(
    "conversation_start",
    RECORD,
    Column("conversation", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("chatflow", Text, nullable=False),
    Column("opened_at_ms", BigInteger, nullable=False),
    Column("entered", Boolean, nullable=False),  # an agent was sought, or anybody of the inbox could claim it
    Index("conversation_start_by_time", "account", "opened_at_ms", "conversation"),
)
conversation_tag = Table(
    "conversation_tag",
    RECORD,
    Column("conversation", Text, primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("inbox", Text, nullable=False),  # of the conversation: it stays there
    Index("conversation_tag_by_tag", "account", "tag", "inbox"),
)
