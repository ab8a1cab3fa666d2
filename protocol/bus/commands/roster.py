"""What is asked of an account's roster: who is there, who takes what, who would be next.

Invariant: `agent` is who does it; to whom it is done, if to somebody else, is a field of its own.
"""

from typing import Literal

from protocol.bus.commands.command import Asked
from protocol.ids import AgentId, ConversationId, OfferId, RuleId, TeamId


class AgentArrives(Asked, frozen=True, tag="arrive"):
    """An agent's session was opened on a gateway (origin n 0)."""

    agent: AgentId


class AgentLeaves(Asked, frozen=True, tag="leave"):
    """That session ended by itself (origin n 0)."""

    agent: AgentId


class SetAgentState(Asked, frozen=True, tag="state"):
    """`of`: whose state, if not the agent's own: a supervisor says so."""

    agent: AgentId
    state: Literal["available", "away", "offline"]
    of: AgentId | None = None


class AcceptOffer(Asked, frozen=True, tag="accept"):
    agent: AgentId
    offer: OfferId


class DeclineOffer(Asked, frozen=True, tag="decline"):
    agent: AgentId
    offer: OfferId


class ClaimConversation(Asked, frozen=True, tag="claim"):
    agent: AgentId
    conversation: ConversationId
    force: bool = False


class TransferConversation(Asked, frozen=True, tag="transfer"):
    agent: AgentId
    conversation: ConversationId
    to: AgentId  # "" if it goes to a team
    note: str
    team: TeamId | None = None
    force: bool = False


class AskWhoNext(Asked, frozen=True, tag="whonext"):
    """To the roster: who would get a new conversation of `rule` now? (n 0, id: the frame's ref.)

    Answered `Told`, or refused NOT_FOUND: no such rule, or not in an inbox of the agent's. Nothing happens by it.
    """

    agent: AgentId
    rule: RuleId
