"""The audit log: who changed what and when, each entry chained to the one before it by a hash.

Invariant: entries are added only, under a seq without holes per account; whoever changes one breaks the chain after it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from protocol.ids import AccountId
from store.sql.admin_tables import audit_entry
from store.sql.bulk import write
from store.sql.dialects import take_turns

BEGINNING = b""  # what the first entry is chained to
TERMINAL = "terminal"  # the actor of what is done on the machine itself


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did. `changes`: lines for people; of secrets they say only that they changed."""

    at_ms: int
    actor: str
    action: str
    target: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: "" asks nothing; `before` is a seq, None: from the newest on."""

    before: int | None = None
    action: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed in the log."""

    seq: int
    deed: Deed
    hash: bytes


def add(connection: Connection, account: AccountId, deed: Deed) -> Entry:
    """Write `deed` as the newest entry."""
    take_turns(connection, account)
    rows = audit_entry.c
    newest = select(rows.seq, rows.hash).where(rows.account == account).order_by(rows.seq.desc()).limit(1)
    seq, before = connection.execute(newest).one_or_none() or (0, BEGINNING)
    entry = Entry(seq + 1, deed, chained(before, account, seq + 1, deed))
    row = {"account": account, "seq": entry.seq, "at_ms": deed.at_ms, "actor": deed.actor, "action": deed.action}
    lines = "\n".join(deed.changes)
    write(connection, audit_entry, [{**row, "target": deed.target, "changes": lines, "hash": entry.hash}])
    return entry


def chained(before: bytes, account: AccountId, seq: int, deed: Deed) -> bytes:
    """Return the hash of an entry: SHA-256 over the hash before it and all that it says."""
    said = msgspec.json.encode(
        [account, seq, deed.at_ms, deed.actor, deed.action, deed.target, "\n".join(deed.changes)]
    )
    return hashlib.sha256(before + said).digest()


def page(connection: Connection, account: AccountId, wanted: Wanted, limit: int) -> list[Entry]:
    """Return up to `limit` entries, newest first."""
    rows = audit_entry.c
    query = select(audit_entry).where(rows.account == account)
    query = query.where(rows.seq < wanted.before) if wanted.before is not None else query
    query = query.where(rows.action == wanted.action) if wanted.action else query
    query = query.where(rows.actor == wanted.actor) if wanted.actor else query
    return [_entry(row) for row in connection.execute(query.order_by(rows.seq.desc()).limit(limit))]


def after(connection: Connection, account: AccountId, seq: int, limit: int) -> list[Entry]:
    """Return up to `limit` entries after `seq`, oldest first."""
    rows = audit_entry.c
    query = select(audit_entry).where(rows.account == account, rows.seq > seq).order_by(rows.seq).limit(limit)
    return [_entry(row) for row in connection.execute(query)]


def broken(account: AccountId, entries: Sequence[Entry], before: bytes = BEGINNING) -> Iterator[int]:
    """Yield the seq of each entry that is not chained to the one before it; `before`: the hash before the first."""
    for entry in entries:
        if entry.hash != chained(before, account, entry.seq, entry.deed):
            yield entry.seq
        before = entry.hash


def _entry(row: Any) -> Entry:
    changes = tuple(row.changes.split("\n")) if row.changes else ()
    return Entry(row.seq, Deed(row.at_ms, row.actor, row.action, row.target, changes), row.hash)
