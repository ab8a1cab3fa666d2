"""Channels for hints. A hint may be lost: readers check positions (SPEC 6) and never rely on it alone.

Invariant: every name carries its cell's hash tag, so that sharded pub/sub keeps it on the cell's node.

| channel | payload |
|---|---|
| `events` of a conversation | `Hints` |
| `replies` of a gateway incarnation | list of `Outcome` |
| `feed` | list of encoded `FeedChange` frames |
| `ephemeral` of a conversation | `Ephemeral` |
"""

import msgspec

from protocol.ids import AccountId, AgentId, CellName, ConversationId, DeviceId, InboxId, Incarnation


class Hint(msgspec.Struct, frozen=True, array_like=True):
    """One event as hinted: `frame` is what its audience sees, msgpack; b"" if hidden from it."""

    seq: int
    id: str
    frame: bytes


class Hints(msgspec.Struct, frozen=True, array_like=True):
    """A conversation's events of one commit, ascending, as each audience sees them. `visitors` None: as staff do."""

    staff: list[Hint]
    visitors: list[Hint] | None = None


class Ephemeral(msgspec.Struct, frozen=True, array_like=True):
    """Typing, receipts, presence or place: `frame` is msgpack for `audience`; `device` sent it.

    `audience`: "visitor", "staff", or one that shows nobody anything: "present" asks the visitor's phones, and
    colleagues who look at it, to say that they are there; "context" says that the visitor's record changed.
    """

    audience: str
    device: DeviceId
    frame: bytes


def events(cell: CellName, conversation: ConversationId) -> str:
    return f"{{{cell}}}:h:{conversation}"


def ephemeral(cell: CellName, conversation: ConversationId) -> str:
    return f"{{{cell}}}:e:{conversation}"


def replies(cell: CellName, gateway: Incarnation) -> str:
    return f"{{{cell}}}:r:{gateway}"


def feed(cell: CellName, name: str) -> str:
    return f"{{{cell}}}:f:{name}"


def config(cell: CellName) -> str:
    """Account ids whose configuration or revocations changed."""
    return f"{{{cell}}}:config"


def agent_feed(account: AccountId, agent: AgentId) -> str:
    """The feed of one agent: offered, withdrawn, assigned, taken."""
    return f"agent:{account}:{agent}"


def inbox_feed(account: AccountId, inbox: InboxId) -> str:
    """The feed of one inbox: new, waiting, claimed, closed."""
    return f"inbox:{account}:{inbox}"


def rules_feed(account: AccountId) -> str:
    """What gateways tell visitors of each rule: whether somebody is ready, and how soon replies come."""
    return f"rules:{account}"
