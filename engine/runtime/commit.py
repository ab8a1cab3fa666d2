"""One batch as the checks and writes of one script: pure, so that every byte of a commit can be judged without Redis.

Invariant: every value that is written was checked to be as it was decided on, and every command is one that cannot
fail once the checks have passed (store/redis/lua/commit.lua). The outbox holds the whole of what SQL must learn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.core.ledger import DESK
from engine.core.result import Logged
from engine.core.snapshot import freeze
from engine.runtime.batch import Batch
from engine.runtime.heads import ConversationHead, Heads, feed_seq
from engine.runtime.publish import Events, Told, feed_frame, publications
from protocol.bus.facts import Erased
from protocol.bus.records import Commit, JobRow, LedgerRow, LogRow, Outcome, RosterRow, StateRow
from protocol.bus.topics import Hint
from protocol.ids import ConversationId, VisitorId, event_id
from protocol.wire.content import Message, Role
from protocol.wire.limits import FEED_LENGTH
from store.redis.keys import Keys
from store.redis.scripts import Check, Fence, Piece, Write, text

LOG_TAIL = 200  # entries of a log that stay in Redis though SQL has them
QUARANTINE_LENGTH = 1_000  # commands that nobody could decide, the newest
UNSEEN_GATEWAY_MS = 10_000  # how long a gateway that is not known to hold a lease is given to renew it
FORGET_EVERY_MS = 300_000
_MEMBERS_AT_ONCE = 1_000
_PACK = msgspec.msgpack.Encoder()


class _Numbered(msgspec.Struct, frozen=True):
    """The little of an event's frame that its tombstone repeats."""

    id: str


_NUMBERED = msgspec.msgpack.Decoder(_Numbered)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `scripts.send_commit` is given; `feeds`: where it leaves each feed that it changes."""

    fence: Fence
    checks: list[Check]
    writes: list[Write]
    feeds: dict[str, str]


def plan(fence: Fence, batch: Batch, heads: Heads) -> Plan:
    """Return the commit that makes `batch` true, if everything still is as `heads` says."""
    keys, draft = Keys(fence.cell), _Draft(fence, batch, heads)
    draft.logs()
    draft.conversations()
    draft.visitors()
    draft.desks()
    draft.rosters()
    draft.feeds()
    draft.facts()
    draft.timers_and_jobs()
    draft.gateways()
    draft.evictions()
    outbox, writes = draft.outbox, draft.writes
    writes.append(("XADD", keys.outbox(fence.epoch), f"{fence.next_commit_no}-0", "c", text(_PACK.encode(outbox))))
    if fence.next_cursor != fence.cursor:
        writes.append(("XTRIM", keys.inbox, "MINID", fence.next_cursor.partition(":")[0]))
    writes.extend(publications(fence.cell, batch, draft.told))
    return Plan(fence, draft.checks, writes, draft.feed_positions)


class _Draft:
    """A plan being written, one kind of value after the other."""

    def __init__(self, fence: Fence, batch: Batch, heads: Heads) -> None:
        self.keys, self.batch, self.heads = Keys(fence.cell), batch, heads
        self.commit_no = fence.next_commit_no
        self.checks: list[Check] = []
        self.writes: list[Write] = []
        self.told = Told()
        self.feed_positions: dict[str, str] = {}
        self._words: dict[str, Logged] = {}  # by event id: those whose outcomes SQL reads from the log
        self.outbox = Commit(fence.epoch, fence.next_commit_no, batch.at_ms, fence.next_cursor)
        self._active: list[str] = []

    def logs(self) -> None:
        rows, writes, keys, told, words = self.outbox.log, self.writes, self.keys, self.told.events, self._words
        for logged in self.batch.events:
            event, hidden_as = logged.event, logged.visitor_frame
            where, frame, index = event.conversation, _PACK.encode(event), int(event.id.rpartition(".")[2])
            rows.append(LogRow(where, event.seq, index, frame, hidden_as, logged.device, logged.n, logged.id))
            if logged.n and type(event.body) is Message and event.body.by.role is Role.VISITOR:
                words[event.id] = logged
            hint = Hint(event.seq, event.id, frame)
            events = told.get(where)
            if events is None:
                events = told[where] = Events(keys.log(where))
            events.add(hint, hidden_as)
            writes.append(log_entry(events.key, hint, hidden_as))

    def conversations(self) -> None:
        outcomes = self._outcomes_by_conversation()
        for id_ in self.batch.touched_conversations():
            head, state = self.heads.conversations[id_], self.batch.conversations.get(id_)
            self._check_conversation(id_, head)
            fields: list[Piece] = ["c", self.commit_no]
            if state is not None:
                snapshot = freeze(state)
                fields += ["s", text(snapshot), "q", state.seq]
                self.outbox.states.append(StateRow("conversation", id_, state.account, state.seq, snapshot))
            self.writes.append(("HSET", self.keys.conversation(id_), *fields, *outcomes.get(id_, ())))
            if not head.is_told(self.batch.at_ms):
                self._active.append(f"conversation:{id_}")
            # The bulk of a long log is let go once SQL has it; readers find it there (design: cold state).
            if head.seq > LOG_TAIL and head.commit_no <= self.heads.stored:
                oldest = f"{head.seq - LOG_TAIL}-0"
                self.writes.append(("XTRIM", self.keys.log(id_), "MINID", oldest))

    def _check_conversation(self, id_: ConversationId, head: ConversationHead) -> None:
        self.checks.append(("H", self.keys.conversation(id_), "c", _number(head.commit_no)))
        self.checks.append(("S", self.keys.log(id_), f"{head.seq}-0" if head.seq else ""))

    def _outcomes_by_conversation(self) -> dict[ConversationId, list[Piece]]:
        found: dict[ConversationId, list[Piece]] = {}
        for (owner, device, slot), outcome in self.batch.ledger.items():
            encoded = _PACK.encode(outcome)
            self.told.outcomes[id(outcome)] = msgspec.Raw(encoded)
            logged = self._words.get(outcome.event)
            if logged is None or not _tells(logged, owner, outcome):
                self.outbox.ledger.append(LedgerRow(owner, device, outcome.n, encoded))
            if owner != DESK:
                found.setdefault(ConversationId(owner), []).extend((f"o:{device}:{slot}", text(encoded)))
        return found

    def visitors(self) -> None:
        for id_, record in self.batch.visitors.items():
            encoded = _PACK.encode(record)
            self.checks.append(("H", self.keys.visitor(id_), "c", _number(self.heads.visitors[id_])))
            self.writes.append(("HSET", self.keys.visitor(id_), "s", text(encoded), "c", self.commit_no))
            self.outbox.states.append(StateRow("visitor", id_, record.account, 0, encoded))
            self._active.append(f"visitor:{id_}")

    def desks(self) -> None:
        for (owner, device, slot), outcome in self.batch.ledger.items():
            if owner == DESK:
                self.writes.append(("HSET", self.keys.desk(device), f"o:{slot}", text(_PACK.encode(outcome))))

    def rosters(self) -> None:
        for account, events in self.batch.rosters.items():
            head, key, log = self.heads.rosters[account], self.keys.roster(account), self.keys.roster_log(account)
            self.checks += (("H", key, "c", _number(head.commit_no)), ("S", log, head.log_end))
            for seq, event in enumerate(events, head.seq + 1):
                self.writes.append(("XADD", log, f"{seq}-0", "e", text(event)))
                self.outbox.roster.append(RosterRow(account, seq, event))
            fields: list[Piece] = ["c", self.commit_no]
            snapshot = self.batch.snapshots.get(account)
            if snapshot is not None:
                fields += ["s", text(snapshot.state), "q", snapshot.seq]
                self.outbox.states.append(StateRow("roster", account, account, snapshot.seq, snapshot.state))
                self.writes.append(("XTRIM", log, "MINID", f"{snapshot.seq}-0"))
            self.writes.append(("HSET", key, *fields))
            if not head.commit_no:
                self.writes.append(("HSET", self.keys.rosters, account, self.commit_no))

    def feeds(self) -> None:
        index = 0
        for name, changes in self.batch.feeds.items():
            position, rows = self.heads.feeds[name], self.keys.feed_rows(name)
            self.checks.append(("H", rows, "#", position))
            self.checks.append(("S", self.keys.feed(name), f"{feed_seq(position)}-0" if position else ""))
            for seq, change in enumerate(changes, feed_seq(position) + 1):
                position = f"{seq} {event_id(self.batch.epoch, self.commit_no, index)}"
                index += 1
                self._feed_change(name, position, (change.what, change.key, change.row))
            self.feed_positions[name] = position
            self.writes.append(("HSET", rows, "#", position))
            self.writes.append(("XTRIM", self.keys.feed(name), "MAXLEN", "~", FEED_LENGTH))

    def _feed_change(self, name: str, position: str, change: tuple[str, str, dict[str, Any] | None]) -> None:
        seq, _, event = position.partition(" ")
        frame = feed_frame(name, int(seq), event, change)
        self.told.feeds.setdefault(name, []).append(frame)
        self.writes.append(("XADD", self.keys.feed(name), f"{seq}-0", "f", text(frame), "i", event))
        _, key, row = change
        rows = self.keys.feed_rows(name)
        self.writes.append(("HDEL", rows, key) if row is None else ("HSET", rows, key, text(_PACK.encode(row))))

    def facts(self) -> None:
        """Leave to SQL what only SQL keeps; what was erased leaves the log at once, its tombstone beside the state."""
        self.outbox.facts.extend(self.batch.facts)
        for fact in self.batch.facts:
            if isinstance(fact, Erased):
                event = _NUMBERED.decode(fact.frame).id
                tombstones: list[Piece] = [f"x:{fact.seq}", text(_PACK.encode(Hint(fact.seq, event, fact.frame)))]
                if fact.visitor_frame is not None:  # b"" is hidden from visitors, as in the log
                    shown = Hint(fact.seq, event, fact.visitor_frame)
                    tombstones += [f"y:{fact.seq}", text(_PACK.encode(shown))]
                self.writes.append(("XDEL", self.keys.log(fact.conversation), f"{fact.seq}-0"))
                self._forget_files(fact)
                self.writes.append(("HSET", self.keys.conversation(fact.conversation), *tombstones))

    def _forget_files(self, erased: Erased) -> None:
        """Have Redis's files forget it too: once for all that is erased within the same minutes, when they are over."""
        at_ms = self.batch.at_ms
        ends_ms = (at_ms // FORGET_EVERY_MS + 1) * FORGET_EVERY_MS
        cell = self.keys.name
        job = JobRow(f"forget:{cell}:{ends_ms}", erased.account, "forget", cell.encode(), ends_ms - at_ms)
        if job not in self.outbox.jobs:
            self.outbox.jobs.append(job)

    def timers_and_jobs(self) -> None:
        due: list[Piece] = []
        cancelled: list[Piece] = []
        for command, due_ms in self.batch.timers.items():
            cancelled.append(text(command)) if due_ms is None else due.extend((due_ms, text(command)))
        self.writes.extend(_in_parts("ZADD", self.keys.timers, due))
        self.writes.extend(_in_parts("ZREM", self.keys.timers, cancelled))
        scores: list[Piece] = [part for member in self._active for part in (self.batch.at_ms, member)]
        self.writes.extend(_in_parts("ZADD", self.keys.active, scores))
        self.writes.extend(("RPUSH", self.keys.quarantine, text(raw)) for raw in self.batch.quarantined)
        if self.batch.quarantined:
            self.writes.append(("LTRIM", self.keys.quarantine, -QUARANTINE_LENGTH, -1))
        for job in self.batch.jobs:
            self.outbox.jobs.append(JobRow(job.id, job.account, job.kind, _PACK.encode(job.payload)))

    def gateways(self) -> None:
        """Watch for the lapse of each gateway whose sessions count here, though its lease be lost; forget the ended."""
        for gateway, counts in self.batch.gateways.items():
            if counts:
                ends_ms = self.batch.at_ms + UNSEEN_GATEWAY_MS
                self.writes.append(("ZADD", self.keys.gateways, "NX", ends_ms, gateway))
            else:
                self.writes.append(("ZREM", self.keys.gateways, gateway))

    def evictions(self) -> None:
        gone: list[Piece] = []
        for kind, id_, account in self.batch.evicted:
            if kind == "conversation":
                self._check_conversation(ConversationId(id_), self.heads.conversations[ConversationId(id_)])
            else:
                key = self.keys.visitor(VisitorId(id_))
                self.checks.append(("H", key, "c", _number(self.heads.visitors[VisitorId(id_)])))
            self.writes.extend(("DEL", key) for key in keys_of(self.keys, kind, id_))
            self.outbox.states.append(StateRow(kind, id_, account, 0, b""))
            gone.append(f"{kind}:{id_}")
        self.writes.extend(_in_parts("ZREM", self.keys.active, gone))
        later: list[Piece] = [part for member, at_ms in self.batch.postponed.items() for part in (at_ms, member)]
        self.writes.extend(_in_parts("ZADD", self.keys.active, later))


def log_entry(key: str, entry: Hint, visitor_frame: bytes | None) -> Write:
    """Return the write of one entry of a conversation's log."""
    written: Write = ("XADD", key, f"{entry.seq}-0", "e", text(entry.frame), "i", entry.id)
    return written if visitor_frame is None else (*written, "v", text(visitor_frame))


def keys_of(keys: Keys, kind: str, id_: str) -> list[str]:
    """Return every key that holds a part of a conversation or a visitor."""
    if kind == "visitor":
        return [keys.visitor(VisitorId(id_))]
    conversation = ConversationId(id_)
    return [keys.conversation(conversation), keys.log(conversation), keys.receipts(conversation)]


def _tells(logged: Logged, owner: str, outcome: Outcome) -> bool:
    """Whether the row of `logged` says all that is remembered of the frame."""
    asked = (logged.event.conversation, logged.device, logged.n, logged.id, "")
    return asked == (owner, outcome.device, outcome.n, outcome.id, outcome.code)


def _number(commit_no: int) -> str:
    """Return what a head's field must be; nothing where there is no value."""
    return str(commit_no) if commit_no else ""


def _in_parts(command: str, key: str, members: list[Piece]) -> Iterator[Write]:
    for start in range(0, len(members), _MEMBERS_AT_ONCE):
        yield (command, key, *members[start : start + _MEMBERS_AT_ONCE])
