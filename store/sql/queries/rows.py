"""Commits as rows: pure, so that what SQL keeps can be judged without a database.

Invariant: of several values of one key in a batch only the last is written; log entries are all written.
"""

from dataclasses import dataclass, field

import msgspec

from protocol.bus.records import Commit, Snapshot
from protocol.ids import CellName
from protocol.wire.limits import REMEMBERED_OUTCOMES
from store.sql.bulk import Row, Values


class _By(msgspec.Struct, frozen=True, gc=False):
    role: str


class _Body(msgspec.Struct, frozen=True, gc=False):
    kind: str
    by: _By | None = None


class _Glance(msgspec.Struct, frozen=True, gc=False):
    """The little of an event's frame that has columns of its own; the rest is not decoded."""

    at: int
    body: _Body


EVENT = (
    *("conversation", "seq", "epoch", "commit_no", "idx"),
    *("kind", "role", "at_ms"),
    *("device", "n", "send_id", "frame", "visitor_frame"),
)
_GLANCE = msgspec.msgpack.Decoder(_Glance)
_SNAPSHOT = msgspec.msgpack.Decoder(Snapshot)


@dataclass(frozen=True, slots=True)
class States:
    """The last state of everything that a batch of commits touched."""

    conversations: list[Row] = field(default_factory=list)
    visitors: list[Row] = field(default_factory=list)
    rosters: list[Row] = field(default_factory=list)


def events(commits: list[Commit]) -> list[Values]:
    """Return one row per log entry, in commit order: the values of `EVENT`."""
    found: list[Values] = []
    for commit in commits:
        epoch, commit_no = commit.epoch, commit.commit_no
        for row in commit.log:
            glance = _GLANCE.decode(row.frame)
            body = glance.body
            found.append((
                row.conversation, row.seq, epoch, commit_no, row.index,
                body.kind, "" if body.by is None else body.by.role, glance.at,
                row.device, row.n, row.id, row.frame, row.visitor_frame,
            ))  # fmt: skip
    return found


def states(cell: CellName, commits: list[Commit]) -> States:
    """Return the last states of conversations, visitors and rosters. An eviction (state b"") changes nothing here."""
    last = {(row.kind, row.id): (commit, row) for commit in commits for row in commit.states if row.state}
    found = States()
    for (kind, _), (commit, row) in last.items():
        known = {"cell": cell, "account": row.account, "commit_no": commit.commit_no, "state": row.state}
        match kind:
            case "conversation":
                found.conversations.append({**known, "id": row.id, "seq": row.seq, **_head(row.state, commit.at_ms)})
            case "visitor":
                found.visitors.append({**known, "id": row.id, "changed_at_ms": commit.at_ms})
            case "roster":
                found.rosters.append({**known, "seq": row.seq})
            case other:
                raise AssertionError(f"a commit holds a state of unknown kind {other}")
    return found


def _head(state: bytes, at_ms: int) -> Row:
    head = _SNAPSHOT.decode(state).head
    status = "erased" if head.erased else head.status
    closed_at_ms = at_ms if status == "closed" else None
    return {
        "visitor": head.visitor,
        "inbox": head.inbox,
        "status": status,
        "closed_at_ms": closed_at_ms,
        "survey_until_ms": head.survey_until_ms,
    }


def ledger(cell: CellName, commits: list[Commit]) -> list[Row]:
    """Return the last outcome of each slot of each sender."""
    last = {(row.owner, row.device, row.n % REMEMBERED_OUTCOMES): row for commit in commits for row in commit.ledger}
    return [
        {"owner": owner, "device": device, "slot": slot, "cell": cell, "n": row.n, "outcome": row.outcome}
        for (owner, device, slot), row in last.items()
    ]


def rosters_begun(cell: CellName, commits: list[Commit]) -> list[Row]:
    """Return an empty snapshot per roster that had events: the log comes long before the first snapshot."""
    accounts = {row.account for commit in commits for row in commit.roster}
    return [{"account": account, "cell": cell, "seq": 0, "commit_no": 0, "state": b""} for account in sorted(accounts)]


def roster_events(cell: CellName, commits: list[Commit]) -> list[Row]:
    """Return one row per roster event, in commit order."""
    return [
        {"account": row.account, "seq": row.seq, "cell": cell, "event": row.event}
        for commit in commits
        for row in commit.roster
    ]


def jobs(commits: list[Commit]) -> list[Row]:
    """Return one row per job, with the time at which it is due."""
    fresh = {"attempts": 0, "done_ms": None, "error": ""}
    return [
        {
            **fresh,
            "id": row.id,
            "kind": row.kind,
            "account": row.account,
            "payload": row.payload,
            "due_ms": commit.at_ms + row.after_ms,
        }
        for commit in commits
        for row in commit.jobs
    ]
