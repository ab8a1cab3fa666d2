"""What can happen to a roster. An account's roster log holds nothing else.

Invariant: an event carries all that evolving and reacting need beside the roster itself, so that a replayed log gives
the same roster byte for byte. Arrays, so fields are only ever appended, with a default.
"""

from typing import Literal

import msgspec

from protocol.ids import AgentId, ConversationId, HoursId, InboxId, Incarnation, OfferId, RuleId, SessionId, TeamId
from routing.core.configured import DoorState, Staffing
from routing.core.presence import AgentState
from routing.core.queue import NORMAL, Wish


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
    """A configuration took effect. The first event of every roster. `doors`: how all its hours stand."""

    staffing: Staffing
    doors: list[DoorState] = []


class DoorTurned(RosterEvent, frozen=True, tag="door"):
    """Hours began or ended: of a shop, or somebody's work. `turns_ms`: when they turn again."""

    hours: HoursId
    open: bool
    turns_ms: int


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
    """`why`: agent, supervisor (`by`), or expiries (too many in a row: offers let expire, conversations unanswered)."""

    agent: AgentId
    state: AgentState
    why: str
    by: AgentId | None = None


class AgentGivenUp(RosterEvent, frozen=True, tag="given_up"):
    """The grace is over, or the agent left the account: the conversations must do without."""

    agent: AgentId
    conversations: list[ConversationId]


class Queued(RosterEvent, frozen=True, tag="queued"):
    """A conversation waits under `rule`, in its line `line`. `left`: the line it stood in so far. `place` 0: not told.

    `reasons` are given when nobody was ready; else the offer that follows has them.
    """

    conversation: ConversationId
    inbox: InboxId
    rule: RuleId
    since_ms: int
    cause: str
    avoid: AgentId | None
    left: str | None
    place: int
    reasons: Reasons | None
    line: str = ""  # "" in old logs: the rule's
    priority: int = NORMAL
    wish: Wish = Wish()


class Unrouted(RosterEvent, frozen=True, tag="unrouted"):
    """A conversation that nobody is sought for: anybody of the inbox may claim it. `left`: the line it stood in.

    `remind_ms`: when they are told again, 0 for never.
    """

    conversation: ConversationId
    inbox: InboxId
    since_ms: int
    left: str | None
    remind_ms: int = 0


class Reminded(RosterEvent, frozen=True, tag="reminded"):
    """Everybody of the inbox was told again of an unassigned conversation; and its supervisors, if not only now."""

    conversation: ConversationId
    supervisors: bool
    next_ms: int


class PriorityChanged(RosterEvent, frozen=True, tag="priority"):
    """Somebody set the conversation's priority (0 low … 3 urgent)."""

    conversation: ConversationId
    priority: int


class Aged(RosterEvent, frozen=True, tag="aged"):
    """The conversation has waited long enough to rise."""

    conversation: ConversationId


class ConversationOverflowed(RosterEvent, frozen=True, tag="overflowed"):
    """The conversation has waited too long: the rule's overflow team is asked too."""

    conversation: ConversationId


class ConversationWeighed(RosterEvent, frozen=True, tag="weighed"):
    """Whether the conversation counts for its agent's capacity."""

    conversation: ConversationId
    counts: bool


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
    line: str = ""  # whose ring chose; "" in old logs: the rule's


class OfferEnded(RosterEvent, frozen=True, tag="offer_ended"):
    """The conversation waits again. `how`: declined, expired, withdrawn."""

    offer: OfferId
    conversation: ConversationId
    agent: AgentId
    how: Literal["declined", "expired", "withdrawn"]


class ConversationAssigned(RosterEvent, frozen=True, tag="assigned"):
    """`how`: offer, auto, claim, last_agent, owner, forced. `offer` is the one accepted.

    `forced`: a supervisor took what another had, or went above capacity.
    """

    conversation: ConversationId
    agent: AgentId
    how: str
    offer: OfferId | None
    turn: bool
    forced: bool
    reasons: Reasons | None
    line: str = ""  # whose ring chose


class ConversationTransferred(RosterEvent, frozen=True, tag="transferred"):
    """`source` "": nobody had it. `note` is for the conversation's log alone and is not kept here (see `encode`)."""

    conversation: ConversationId
    by: AgentId
    source: AgentId
    to: AgentId
    note: str
    forced: bool


class HandedToTeam(RosterEvent, frozen=True, tag="to_team"):
    """Somebody asked for a team to be sought: the conversation is told, and will seek. `note` as in a transfer."""

    conversation: ConversationId
    by: AgentId
    team: TeamId
    note: str
    forced: bool


class AgentFreed(RosterEvent, frozen=True, tag="freed"):
    """The agent has the conversation no longer; somebody else is sought. `unanswered`: they never replied."""

    conversation: ConversationId
    agent: AgentId
    unanswered: bool = False


class ConversationReleased(RosterEvent, frozen=True, tag="released"):
    """The conversation needs nobody any more; `agent` had it, or was asked by `offer`."""

    conversation: ConversationId
    inbox: InboxId
    left: str | None
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
    """Visitors of a line were told their new places; `again`: some were told too recently and are due later."""

    line: str
    places: list[tuple[ConversationId, int]]
    again: bool


class ReplyNoted(RosterEvent, frozen=True, tag="reply"):
    """A visitor had to wait so long for the first human word."""

    inbox: InboxId
    waited_ms: int


class RepliesForgotten(RosterEvent, frozen=True, tag="replies_forgotten"):
    """Replies of an inbox became too old to tell anything."""

    inbox: InboxId


class TicketNumbered(RosterEvent, frozen=True, tag="ticket"):
    """The conversation has the account's next ticket number."""

    conversation: ConversationId
    number: int
