"""Replies of Redis as the values a cell's owner holds.

Invariant: pure; a value and its head come from one reply, hence from one moment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from engine.core.conversation import Conversation
from engine.core.ledger import Ledger
from engine.core.ports import Roster, RosterPort
from engine.core.snapshot import thaw
from engine.runtime.heads import ConversationHead, RosterHead
from protocol.bus.config import CONFIG_DECODER, AccountConfig
from protocol.bus.records import Outcome, VisitorRecord
from protocol.ids import DeviceId

_OUTCOME = msgspec.msgpack.Decoder(Outcome)
_VISITOR = msgspec.msgpack.Decoder(VisitorRecord)


@dataclass(slots=True)
class HeldConversation:
    """A conversation, its head, and its senders' ledgers, which are read only when a sender is heard."""

    state: Conversation | None = None
    head: ConversationHead = field(default_factory=ConversationHead)
    outcomes: dict[DeviceId, list[bytes]] = field(default_factory=dict)
    ledgers: dict[DeviceId, Ledger] = field(default_factory=dict)

    def ledger(self, device: DeviceId) -> Ledger:
        """Return what is remembered of `device`'s frames in this conversation."""
        found = self.ledgers.get(device)
        if found is None:
            found = self.ledgers[device] = Ledger(map(_OUTCOME.decode, self.outcomes.pop(device, ())))
        return found


@dataclass(slots=True)
class HeldVisitor:
    record: VisitorRecord | None = None
    commit_no: int = 0


@dataclass(slots=True)
class HeldRoster:
    """A roster, evolved in place. `snapshot_seq`: the seq of the snapshot in Redis."""

    roster: Roster = None
    head: RosterHead = field(default_factory=RosterHead)
    snapshot_seq: int = 0


class UnknownSchema(Exception):
    """What Redis holds was written by another version of this program: the cell must be rebuilt from SQL."""


def conversation(reply: Sequence[bytes]) -> HeldConversation:
    """Read HGETALL of a conversation. Raises UnknownSchema."""
    held, seq, commit_no = HeldConversation(), 0, 0
    for name, value in _pairs(reply):
        if name.startswith(b"o:"):
            device = DeviceId(name[2:].decode().rpartition(":")[0])
            held.outcomes.setdefault(device, []).append(value)
        elif name == b"s":
            held.state = thaw(value)
            if held.state is None:
                raise UnknownSchema("a conversation")
        elif name == b"q":
            seq = int(value)
        elif name == b"c":
            commit_no = int(value)
    held.head = ConversationHead(seq, commit_no)
    return held


def visitor(reply: Sequence[bytes | None]) -> HeldVisitor:
    """Read HMGET s c of a visitor."""
    record, commit_no = reply
    return HeldVisitor() if record is None else HeldVisitor(_VISITOR.decode(record), int(commit_no or 0))


def desk(reply: Sequence[bytes]) -> Ledger:
    """Read HGETALL of an agent device's desk."""
    return Ledger(_OUTCOME.decode(value) for name, value in _pairs(reply) if name.startswith(b"o:"))


def roster(
    port: RosterPort, reply: tuple[Sequence[bytes | None], Sequence[tuple[bytes, Sequence[bytes]]]]
) -> HeldRoster:
    """Read HMGET s q c of a roster and XRANGE of its log: the snapshot and what came after it."""
    (snapshot, seq, commit_no), log = reply
    if snapshot is None:
        return HeldRoster()
    found, snapshot_seq = thawed(port, snapshot), int(seq or 0)
    for entry_id, fields in log:
        if int(entry_id.partition(b"-")[0]) > snapshot_seq:
            port.evolve(found, port.decode_event(dict(_pairs(fields))[b"e"]))
    log_end = log[-1][0].decode() if log else ""
    return HeldRoster(found, RosterHead(port.seq(found), int(commit_no or 0), log_end), snapshot_seq)


def thawed(port: RosterPort, snapshot: bytes) -> Roster:
    """Return the roster in a snapshot. Raises UnknownSchema."""
    try:
        return port.thaw(snapshot)
    except Exception as error:
        raise UnknownSchema("a roster") from error


def config(reply: bytes | None) -> AccountConfig | None:
    """Read HGET bytes of an account's configuration."""
    return None if reply is None else CONFIG_DECODER.decode(reply)


def position(reply: bytes | None) -> str:
    """Read HGET # of a feed's rows."""
    return "" if reply is None else reply.decode()


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)
