"""Commands: what somebody wants of a cell, in the order of its inbox.

Invariant: a command names its account, and carries all that deciding it needs but the state; its time is that of its
inbox entry. Arrays on the wire of the bus, so fields are only ever appended, with a default (rolling deploys).
"""

from typing import Literal

import msgspec

from protocol.bus.records import VisitorRecord
from protocol.ids import (
    AccountId,
    AgentId,
    AppKey,
    ChatflowId,
    ConversationId,
    DeviceId,
    Incarnation,
    OfferId,
    SessionId,
    VisitorId,
)


class Origin(msgspec.Struct, frozen=True, array_like=True):
    """Whose frame it was, and where its outcome goes. n 0 for what gateways ask by themselves: no ledger."""

    gateway: Incarnation
    session: SessionId
    device: DeviceId
    n: int
    id: str


class Command(msgspec.Struct, frozen=True, array_like=True):
    """Something asked of the cell."""

    account: AccountId


class Asked(Command, frozen=True):
    """A command with somebody waiting for its outcome."""

    origin: Origin


class Admit(Asked, frozen=True, tag="admit"):
    """A visitor's hello: make or find the visitor, check and rotate the device's secret, note the device.

    `presented` are hashes of the secrets shown (newest first); empty and not `identified` makes a new visitor.
    `fresh` is the hash of the secret that `ready` will hand out. `record` is SQL's, used if Redis has none.
    `known`: the gateway saw a record in Redis; if none is left, it is in SQL, and nobody is to be made in its place.
    """

    visitor: VisitorId
    app: AppKey
    device: DeviceId
    presented: list[bytes]
    fresh: bytes
    identified: bool
    platform: str
    app_version: str
    locale: str
    record: VisitorRecord | None = None
    known: bool = False


class LogOut(Asked, frozen=True, tag="logout"):
    visitor: VisitorId
    device: DeviceId


class VisitorSends(Asked, frozen=True, tag="vsend"):
    """`chatflow` is the one served at hello: it matters only when this starts the conversation."""

    conversation: ConversationId
    visitor: VisitorId
    chatflow: ChatflowId | None
    text: str
    locale: str


class VisitorAnswers(Asked, frozen=True, tag="vanswer"):
    conversation: ConversationId
    visitor: VisitorId
    chatflow: ChatflowId | None
    value: Literal["granted", "declined"]
    locale: str


class VisitorCloses(Asked, frozen=True, tag="vclose"):
    conversation: ConversationId
    visitor: VisitorId


class AgentSends(Asked, frozen=True, tag="asend"):
    conversation: ConversationId
    agent: AgentId
    text: str


class AgentCloses(Asked, frozen=True, tag="aclose"):
    conversation: ConversationId
    agent: AgentId


class AgentArrives(Asked, frozen=True, tag="arrive"):
    """An agent's session was opened on a gateway (origin n 0)."""

    agent: AgentId


class AgentLeaves(Asked, frozen=True, tag="leave"):
    """That session ended by itself (origin n 0)."""

    agent: AgentId


class SetAgentState(Asked, frozen=True, tag="state"):
    agent: AgentId
    state: Literal["available", "away"]


class AcceptOffer(Asked, frozen=True, tag="accept"):
    agent: AgentId
    offer: OfferId


class DeclineOffer(Asked, frozen=True, tag="decline"):
    agent: AgentId
    offer: OfferId


class ClaimConversation(Asked, frozen=True, tag="claim"):
    agent: AgentId
    conversation: ConversationId


class TransferConversation(Asked, frozen=True, tag="transfer"):
    agent: AgentId
    conversation: ConversationId
    to: AgentId
    note: str


class PublishConfig(Command, frozen=True, tag="config"):
    """A newer configuration of the account lies at its key in Redis; a version not above the present is dropped."""

    version: int


class GatewayLost(msgspec.Struct, frozen=True, array_like=True, tag="gwlost"):
    """The lease of a gateway incarnation lapsed: all its agent sessions, in every account of the cell, are over."""

    gateway: Incarnation


class TimerFired(Command, frozen=True, tag="timer"):
    """A deadline came. It has an effect only if `generation` is still the timer's own.

    `kind`: `gate` (owner: a conversation); `offer`, `grace`, `retry`, `places` (owner: the roster; `key`: which one).
    """

    owner: str
    kind: str
    key: str
    generation: int


AnyCommand = (
    Admit
    | LogOut
    | VisitorSends
    | VisitorAnswers
    | VisitorCloses
    | AgentSends
    | AgentCloses
    | AgentArrives
    | AgentLeaves
    | SetAgentState
    | AcceptOffer
    | DeclineOffer
    | ClaimConversation
    | TransferConversation
    | PublishConfig
    | GatewayLost
    | TimerFired
)

COMMAND_ENCODER = msgspec.msgpack.Encoder()
COMMAND_DECODER: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)
PACK_DECODER: msgspec.msgpack.Decoder[list[AnyCommand]] = msgspec.msgpack.Decoder(list[AnyCommand])
