"""What can happen to a roster. An account's roster log holds nothing else.

Invariant: an event carries all that evolving and reacting need beside the roster itself, so that a replayed log gives
the same roster byte for byte. Arrays, so fields are only ever appended, with a default.
"""

from typing import Literal

import msgspec

from protocol.bus.config import AccountConfig, Inbox, Rule
from protocol.ids import AgentId, ConversationId, InboxId, Incarnation, OfferId, RuleId, SessionId

AgentState = Literal["available", "away"]


class Seat(msgspec.Struct, frozen=True, array_like=True):
    """What routing needs of an agent's configuration."""

    agent: AgentId
    name: str
    seat: bool
    supervisor: bool
    capacity: int


class Staffing(msgspec.Struct, frozen=True, array_like=True):
    """What routing needs of an account's configuration; no address and no password."""

    version: int
    seats: list[Seat]
    inboxes: list[Inbox]
    rules: list[Rule]


def staffing_of(config: AccountConfig) -> Staffing:
    """Return the part of `config` that a roster keeps."""
    seats = [Seat(who.id, who.name, who.seat, who.supervisor, who.capacity) for who in config.agents]
    return Staffing(config.version, seats, config.inboxes, config.rules)


class Reasons(msgspec.Struct, frozen=True, array_like=True):
    """Why a decision fell as it did (product §4, explain).

    `counts`: agents of the rule per standing. `candidates`: at most 20 (agent, reason), those in turn first.
    `seq`: the roster's, before the decision.
    """

    seq: int
    counts: dict[str, int]
    candidates: list[tuple[AgentId, str]]


class RosterEvent(msgspec.Struct, frozen=True, array_like=True):
    """One thing that happened, at `at_ms` of the cell's clock."""

    at_ms: int


class StaffingTaken(RosterEvent, frozen=True, tag="staffing"):
    """A configuration took effect. The first event of every roster."""

    staffing: Staffing


class AgentArrived(RosterEvent, frozen=True, tag="arrived"):
    agent: AgentId
    gateway: Incarnation
    session: SessionId


class AgentLeft(RosterEvent, frozen=True, tag="left"):
    """One session ended; `last`: the agent has no other."""

    agent: AgentId
    gateway: Incarnation
    session: SessionId
    last: bool


class GatewayEnded(RosterEvent, frozen=True, tag="gateway_ended"):
    """All sessions under an incarnation ended; `gone` are the agents who have no other."""

    gateway: Incarnation
    gone: list[AgentId]


class StateSet(RosterEvent, frozen=True, tag="state"):
    """`why`: agent, or expiries (too many offers in a row were let expire)."""

    agent: AgentId
    state: AgentState
    why: str


class AgentGivenUp(RosterEvent, frozen=True, tag="given_up"):
    """The grace is over, or the agent left the account: the conversations must do without."""

    agent: AgentId
    conversations: list[ConversationId]


class Queued(RosterEvent, frozen=True, tag="queued"):
    """A conversation waits under `rule`. `left`: the line it stood in so far. `place` 0: not told.

    `reasons` are given when nobody was ready; else the offer that follows has them.
    """

    conversation: ConversationId
    inbox: InboxId
    rule: RuleId
    since_ms: int
    cause: str
    avoid: AgentId | None
    left: RuleId | None
    place: int
    reasons: Reasons | None


class Unrouted(RosterEvent, frozen=True, tag="unrouted"):
    """A conversation that nobody is sought for: anybody of the inbox may claim it. `left`: the line it stood in."""

    conversation: ConversationId
    inbox: InboxId
    since_ms: int
    left: RuleId | None


class ConversationOffered(RosterEvent, frozen=True, tag="offered"):
    """`turn`: the ring chose, so a turn is used. `reason` is that of the assignment to come: offer or last_agent."""

    offer: OfferId
    conversation: ConversationId
    agent: AgentId
    rule: RuleId
    deadline_ms: int
    turn: bool
    reason: str
    reasons: Reasons | None


class OfferEnded(RosterEvent, frozen=True, tag="offer_ended"):
    """The conversation waits again. `how`: declined, expired, withdrawn."""

    offer: OfferId
    conversation: ConversationId
    agent: AgentId
    how: Literal["declined", "expired", "withdrawn"]


class ConversationAssigned(RosterEvent, frozen=True, tag="assigned"):
    """`how`: offer, auto, claim, last_agent. `offer` is the one accepted. `forced`: a supervisor, above capacity."""

    conversation: ConversationId
    agent: AgentId
    how: str
    offer: OfferId | None
    turn: bool
    forced: bool
    reasons: Reasons | None


class ConversationTransferred(RosterEvent, frozen=True, tag="transferred"):
    """`note` is for the conversation's log alone and is not kept in the roster's (see `encode`)."""

    conversation: ConversationId
    by: AgentId
    source: AgentId
    to: AgentId
    note: str
    forced: bool


class AgentFreed(RosterEvent, frozen=True, tag="freed"):
    """The agent has the conversation no longer; somebody else is sought."""

    conversation: ConversationId
    agent: AgentId


class ConversationReleased(RosterEvent, frozen=True, tag="released"):
    """The conversation needs nobody any more; `agent` had it, or was asked by `offer`."""

    conversation: ConversationId
    inbox: InboxId
    rule: RuleId | None
    agent: AgentId | None
    offer: OfferId | None


class ConversationRested(RosterEvent, frozen=True, tag="rested"):
    """Everybody ready was asked: nobody is asked again until `until_ms`, or somebody else becomes ready."""

    conversation: ConversationId
    until_ms: int
    reasons: Reasons | None


class RoundBegun(RosterEvent, frozen=True, tag="round"):
    """The rest is over: all may be asked again."""

    conversation: ConversationId


class PlacesTold(RosterEvent, frozen=True, tag="places"):
    """Visitors were told their new places; `again`: some were told too recently and are due later."""

    rule: RuleId
    places: list[tuple[ConversationId, int]]
    again: bool


AnyRosterEvent = (
    StaffingTaken
    | AgentArrived
    | AgentLeft
    | GatewayEnded
    | StateSet
    | AgentGivenUp
    | Queued
    | Unrouted
    | ConversationOffered
    | OfferEnded
    | ConversationAssigned
    | ConversationTransferred
    | AgentFreed
    | ConversationReleased
    | ConversationRested
    | RoundBegun
    | PlacesTold
)

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[AnyRosterEvent] = msgspec.msgpack.Decoder(AnyRosterEvent)


def encode(event: AnyRosterEvent) -> bytes:
    """Return the event as the roster's log keeps it."""
    if isinstance(event, ConversationTransferred) and event.note:
        event = msgspec.structs.replace(event, note="")  # what people wrote is kept, and erased, in one place
    return _ENCODER.encode(event)


def decode(raw: bytes) -> AnyRosterEvent:
    """Return the event that `encode` wrote."""
    return _DECODER.decode(raw)
