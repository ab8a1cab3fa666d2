"""Who has the conversation, or how long it waits for somebody (SPEC 8.4–8.6).

Invariant: at most one agent has it, until it is `Unassigned` or `Closed`.
"""

from protocol.ids import AgentId
from protocol.wire.content.body import Author, Body


class Queued(Body, frozen=True, tag="queued"):
    """It waits for an agent. `reason`: started, returned, reopened, offer_failed, agent_lost, no_reply, transfer.

    `away`: nobody was there to answer just then. `team`: whom it was handed to (visitors are not told).
    """

    reason: str
    away: bool = False
    team: str = ""


class Unrouted(Body, frozen=True, tag="unrouted"):
    """Nobody is sought by the engine: any agent of the inbox may claim. `away`: nobody was there just then."""

    away: bool = False


class Assigned(Body, frozen=True, tag="assigned"):
    """`agent` has the conversation. `reason`: offer, auto, claim, transfer, last_agent, owner, forced."""

    agent: Author
    reason: str


class Unassigned(Body, frozen=True, tag="unassigned"):
    """`agent` has it no longer. `reason`: lost, transferred, no_reply, closed_seat, parked."""

    agent: Author
    reason: str


class Transferred(Body, frozen=True, tag="transferred"):
    """An agent handed it on, with a note for colleagues: staff only. To an agent, or to a team (`to` is then "")."""

    by: Author
    to: AgentId
    note: str
    team: str = ""
