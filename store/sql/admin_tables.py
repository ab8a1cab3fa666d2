"""What SQL keeps for those who administer: drafts, previews, keys, browser sessions, audit log, answers given before.

Invariant: no secret is in here, only SHA-256 hashes of random ones; the audit log is added to and never changed.
Times are milliseconds since 1970. All of it is on the configuration's side, but for what was made of people's things.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from store.sql.tables import CONFIG, RECORD

draft = Table(
    "draft",  # of a chatflow: only while it differs from the published version, or none is published yet
    CONFIG,
    Column("account", Text, primary_key=True),
    Column("chatflow", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False),  # JSON, as a chatflow in a workspace file
    Column("changed_at_ms", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
)
preview = Table(
    "preview",  # a chatflow as it is tried out, under its own id in the account's hidden one (protocol.ids.preview_of)
    CONFIG,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False, index=True),  # the real one
    Column("chatflow", Text, nullable=False),
    Column("shows", Text, nullable=False),  # draft, published, or the number of a version
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),  # brought forward when it is revoked
)
api_key = Table(
    "api_key",
    CONFIG,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False, index=True),  # "": the installation's, for making accounts
    Column("name", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),  # separated by spaces
    Column("created_at_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at_ms", BigInteger),
    Column("revoked_at_ms", BigInteger),
)
browser_session = Table(
    "browser_session",
    CONFIG,
    Column("hash", LargeBinary, primary_key=True),
    Column("account", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("csrf", LargeBinary, nullable=False),  # the hash of the token that its writes must carry
    Column("began_at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),
    Index("browser_session_of_agent", "account", "agent"),
)
audit_entry = Table(
    "audit_entry",
    CONFIG,
    Column("account", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),  # agent:…, key:… or terminal
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("changes", Text, nullable=False),  # lines for people; secrets only by name
    Column("hash", LargeBinary, nullable=False),  # over the entry and the hash before it
    Index("audit_entry_by_time", "account", "at_ms"),
)


def _answers(name: str, metadata: MetaData) -> Table:
    return Table(
        name,  # to a request with an Idempotency-Key, for a day
        metadata,
        Column("account", Text, primary_key=True),
        Column("key", Text, primary_key=True),  # a hash of the Idempotency-Key, which the caller's credential keys
        Column("request", LargeBinary, nullable=False),  # the hash of what was asked
        Column("status", Integer, nullable=False),
        Column("answer", LargeBinary, nullable=False),  # sealed by the caller's credential, or the id of what was made
        Column("at_ms", BigInteger, nullable=False, index=True),
    )


kept_answer = _answers("kept_answer", CONFIG)
record_answer = _answers("record_answer", RECORD)
