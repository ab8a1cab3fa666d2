"""What SQL keeps: the configuration (one writer: `samtale apply`) and the record (one writer per cell: its scribe).

Invariant: the record's rows of a cell are exactly what its commits 1 … `cell.commit_no` left behind.
Times are milliseconds since 1970. On SQLite the two sides are two files; on PostgreSQL they share one database.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from store.sql import build_tables, conversation_tables, figure_tables, people, sides

CONFIG, RECORD = sides.CONFIG, sides.RECORD

contact_property, retention, erasure = people.contact_property, people.retention, people.erasure
property_value, subscription_change = people.property_value, people.subscription_change
contact_merged = people.contact_merged
company, company_contact = people.company, people.company_contact
segment, segment_contact = people.segment, people.segment_contact
conversation_figure, routing_figure = figure_tables.conversation_figure, figure_tables.routing_figure
conversation_start, conversation_tag = conversation_tables.conversation_start, conversation_tables.conversation_tag
app_build = build_tables.app_build

installation = Table(
    "installation",
    CONFIG,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
account = Table(
    "account",
    CONFIG,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("cell", Text, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("config", LargeBinary, nullable=False),  # msgpack AccountConfig of this version
)
app_key = Table(
    "app_key",
    CONFIG,
    Column("key", Text, primary_key=True),
    Column("account", Text, nullable=False, index=True),
)
login = Table(
    "login",
    CONFIG,
    Column("email", Text, primary_key=True),  # lower case
    Column("account", Text, nullable=False, index=True),
    Column("agent", Text, nullable=False),
)

cell = Table(
    "cell",
    RECORD,
    Column("cell", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("commit_no", BigInteger, nullable=False),
    Column("clean_run_id", Text),  # left by a clean stop: the Redis that then held `clean_commit_no`
    Column("clean_commit_no", BigInteger),
)
epoch = Table(
    "epoch",
    RECORD,
    Column("cell", Text, primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("base_commit_no", BigInteger, nullable=False),  # the last commit that the epoch goes on from
)
event = Table(
    "event",
    RECORD,
    Column("conversation", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("commit_no", BigInteger, nullable=False),
    Column("idx", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("role", Text, nullable=False),  # "" where nobody in particular did it
    Column("at_ms", BigInteger, nullable=False),
    Column("device", Text, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("send_id", Text, nullable=False),
    Column("frame", LargeBinary, nullable=False),
    Column("visitor_frame", LargeBinary),  # NULL: same as frame; empty: hidden from visitors
)
conversation = Table(
    "conversation",
    RECORD,
    Column("id", Text, primary_key=True),
    Column("cell", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("visitor", Text, nullable=False),
    Column("inbox", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("closed_at_ms", BigInteger),  # when its last commit while closed was made; NULL unless closed
    Column("survey_until_ms", BigInteger, nullable=False),  # until then a survey of it may be answered; 0: none
    Column("seq", BigInteger, nullable=False),
    Column("commit_no", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),  # msgpack Snapshot
    Index("conversation_of_visitor", "account", "visitor"),
    Index("conversation_to_rebuild", "cell", "status", "closed_at_ms"),
)
visitor = Table(
    "visitor",
    RECORD,
    Column("id", Text, primary_key=True),
    Column("cell", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Column("commit_no", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),  # msgpack VisitorRecord
    Index("visitor_to_rebuild", "cell", "changed_at_ms"),
)
ledger = Table(
    "ledger",
    RECORD,
    Column("owner", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("cell", Text, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
)
roster = Table(
    "roster",
    RECORD,
    Column("account", Text, primary_key=True),
    Column("cell", Text, nullable=False, index=True),
    Column("seq", BigInteger, nullable=False),
    Column("commit_no", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
)
roster_event = Table(
    "roster_event",
    RECORD,
    Column("account", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("cell", Text, nullable=False),
    Column("event", LargeBinary, nullable=False),
)

consent_entry = Table(
    "consent_entry",  # the consent ledger: lines are added, and removed only with the person
    RECORD,
    Column("id", Text, primary_key=True),
    Column("cell", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("visitor", Text, nullable=False),
    Column("app", Text, nullable=False),
    Column("chatflow", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("subscription", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("text_hash", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("locale", Text, nullable=False),
    Column("app_version", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("consent_entry_by_time", "account", "at_ms"),
    Index("consent_entry_of_visitor", "account", "visitor"),
)
contact = Table(
    "contact",
    RECORD,
    Column("id", Text, primary_key=True),
    Column("cell", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("email", Text, nullable=False),  # "": none is known
    Column("email_verified", Boolean, nullable=False),
    Column("subject", Text, nullable=False),  # the company's own id; "": known by e-mail only
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("marketing", Boolean, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("contact_by_email", "account", "email"),
    Index("contact_by_time", "account", "created_at_ms"),
)
contact_visitor = Table(
    "contact_visitor",  # which visitors are known as a contact
    RECORD,
    Column("contact", Text, primary_key=True),
    Column("visitor", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
subscription = Table(
    "subscription",
    RECORD,
    Column("contact", Text, primary_key=True),
    Column("subscription", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("wants", Boolean, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
survey_ask = Table(
    "survey_ask",
    RECORD,
    Column("conversation", Text, primary_key=True),
    Column("ask", Integer, primary_key=True, autoincrement=False),
    Column("cell", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("survey", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("chatflow", Text, nullable=False),
    Column("scale", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("app_version", Text, nullable=False),
    Column("asked_at_ms", BigInteger, nullable=False),
    Column("seen_at_ms", BigInteger),
    Column("dismissed", Boolean, nullable=False),
    Column("score", Integer),
    Column("answered_at_ms", BigInteger),
    Column("comment", Text),
    Column("expired", Boolean, nullable=False),
    Column("inbox", Text, nullable=False),
    Column("agent", Text, nullable=False),  # who had the conversation when it was asked
    Index("survey_ask_by_time", "account", "survey", "asked_at_ms"),
)
ticket = Table(
    "ticket",
    RECORD,
    Column("conversation", Text, primary_key=True),
    Column("cell", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("inbox", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("opened_at_ms", BigInteger, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("ticket_by_number", "account", "number"),
)
attachment = Table(
    "attachment",  # written by gateways while it is uploaded; which message names it, by the scribe
    RECORD,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("visitor", Text, nullable=False),  # whose conversation it is in
    Column("conversation", Text, nullable=False),
    Column("seq", BigInteger),  # of the message that names it; NULL until one does
    Column("sender", Text, nullable=False),  # the visitor or an agent
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # image, voice, file
    Column("type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("begun_at_ms", BigInteger, nullable=False),
    Column("stored", Boolean, nullable=False),  # false while it is uploaded
    Index("attachment_of_visitor", "account", "visitor"),
    Index("attachment_of_message", "conversation", "seq"),
)


def _jobs(name: str, metadata: MetaData) -> Table:
    return Table(
        name,
        metadata,
        Column("id", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("account", Text, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("due_ms", BigInteger, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("done_ms", BigInteger),
        Column("error", Text, nullable=False),
        Index(f"{name}_due", "done_ms", "due_ms"),
    )


config_job = _jobs("config_job", CONFIG)
job = _jobs("job", RECORD)
