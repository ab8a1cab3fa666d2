"""Erasures: what was asked, whom it concerns, and how far it has come. They outlive what they erased.

Invariant: an erasure says nothing of a person but ids, counts and times; it is asked for in one transaction with the
job that does it, and is done once nothing of ours holds anything any more.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Row, and_, or_, select, update

from protocol.bus.records import JobRow
from protocol.ids import AccountId, CellName, ContactId, ConversationId, ErasureId, VisitorId
from store.sql import tables
from store.sql.bulk import write
from store.sql.queries import jobs

ERASE = "erase"  # the kind of job; its payload is the erasure's id
RETAIN = "retain"  # looks what an account keeps for too long; no payload
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was erased. `comments`: to surveys."""

    visitors: int = 0
    conversations: int = 0
    entries: int = 0
    consents: int = 0
    comments: int = 0
    attachments: int = 0


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure: of `visitor`, or of all that are known as `contact`, or (`why` retention) of what was kept for too
    long. `done_at_ms` None: under way."""

    id: ErasureId
    account: AccountId
    cell: CellName
    why: str
    contact: ContactId | None
    visitor: VisitorId | None
    asked_at_ms: int
    done_at_ms: int | None
    counts: Counts


def ask(connection: Connection, erasure: Erasure) -> None:
    """Write a new erasure of a person, and the job that does it."""
    add(connection, erasure)
    job = JobRow(f"{ERASE}:{erasure.id}", erasure.account, ERASE, erasure.id.encode())
    jobs.add(connection, "config", job, erasure.asked_at_ms)


def add(connection: Connection, erasure: Erasure) -> None:
    """Write a new erasure."""
    names = {"contact": erasure.contact or "", "visitor": erasure.visitor or "", "done_at_ms": erasure.done_at_ms}
    known = {name: getattr(erasure, name) for name in ("id", "account", "cell", "why", "asked_at_ms")}
    write(connection, tables.erasure, [{**known, **names, **asdict(erasure.counts)}])


def of_id(connection: Connection, erasure: ErasureId) -> Erasure | None:
    """Return an erasure, or None."""
    row = connection.execute(select(tables.erasure).where(tables.erasure.c.id == erasure)).first()
    return None if row is None else _read(row)


def newest(
    connection: Connection, account: AccountId, limit: int, before: tuple[int, str] | None = None
) -> list[Erasure]:
    """Return the account's erasures that were asked last, newest first; `before`: those after (asked_at_ms, id)."""
    rows = tables.erasure.c
    found = select(tables.erasure).where(rows.account == account).order_by(rows.asked_at_ms.desc(), rows.id)
    if before is not None:
        at_ms, id_ = before
        found = found.where(or_(rows.asked_at_ms < at_ms, and_(rows.asked_at_ms == at_ms, rows.id > id_)))
    return [_read(row) for row in connection.execute(found.limit(limit))]


def count(connection: Connection, erasure: ErasureId, counts: Counts) -> None:
    """Note how much there is to erase: the most that was ever found, for a job may be begun again."""
    known = of_id(connection, erasure)
    if known is not None:
        most = {name: max(value, getattr(known.counts, name)) for name, value in asdict(counts).items()}
        connection.execute(update(tables.erasure).where(tables.erasure.c.id == erasure).values(**most))


def done(connection: Connection, erasure: ErasureId, now_ms: int) -> None:
    """Note that nothing is left."""
    rows = tables.erasure
    connection.execute(update(rows).where(rows.c.id == erasure, rows.c.done_at_ms.is_(None)).values(done_at_ms=now_ms))


def keep_days(connection: Connection, account: AccountId, days: int | None) -> None:
    """Let closed conversations of the account be erased after so many days; None: never."""
    rows = tables.retention
    if days is None:
        connection.execute(rows.delete().where(rows.c.account == account))
    else:
        write(connection, rows, [{"account": account, "days": days}], "replace")


def days_kept(connection: Connection, account: AccountId) -> int | None:
    """Return after how many days closed conversations of the account are erased; None: never."""
    return connection.scalar(select(tables.retention.c.days).where(tables.retention.c.account == account))


def retains(connection: Connection) -> bool:
    """Whether any account has conversations erased after a time."""
    return connection.scalar(select(tables.retention.c.account).limit(1)) is not None


def look_again(connection: Connection, now_ms: int, every_ms: int) -> None:
    """Write the jobs that look at each account with a retention, once in `every_ms`, whoever asks how often."""
    turn = now_ms // every_ms
    fresh = {"kind": RETAIN, "payload": b"", "due_ms": now_ms, "attempts": 0, "done_ms": None, "error": ""}
    accounts = connection.scalars(select(tables.retention.c.account))
    rows = [{"id": f"{RETAIN}:{account}:{turn}", "account": account, **fresh} for account in accounts]
    write(connection, tables.config_job, rows, "keep")


def over(connection: Connection, account: AccountId, before_ms: int, limit: int) -> list[ConversationId]:
    """Return conversations that have been closed since before then, the oldest first. Of the record."""
    rows = tables.conversation.c
    found = select(rows.id).where(rows.account == account, rows.status == "closed", rows.closed_at_ms < before_ms)
    return [
        ConversationId(each) for each in connection.scalars(found.order_by(rows.closed_at_ms, rows.id).limit(limit))
    ]


def still_kept(connection: Connection, conversations: Sequence[ConversationId]) -> list[ConversationId]:
    """Return those of the conversations that are not erased. Of the record."""
    rows = tables.conversation.c
    found = select(rows.id).where(rows.id.in_(conversations), rows.status != "erased")
    return [ConversationId(each) for each in connection.scalars(found)]


def retained_before(now_ms: int, days: int) -> int:
    """Return before when a conversation must have closed to be over after `days`."""
    return now_ms - days * _DAY_MS


def _read(row: Row[*tuple[object, ...]]) -> Erasure:
    known = row._mapping
    counts = Counts(**{name: known[name] for name in Counts.__slots__})
    names = (ContactId(known["contact"]) or None, VisitorId(known["visitor"]) or None)
    return Erasure(
        known["id"], known["account"], known["cell"], known["why"], *names, known["asked_at_ms"], known["done_at_ms"],
        counts,
    )  # fmt: skip
