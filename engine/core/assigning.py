"""Who has a conversation: given by the roster, handed on, lost, or taken back for want of an answer.

Invariant: one agent at most; whoever is owed a reply and has nobody is queued in the same decision. A conversation
that is put off is awake before it changes hands.
"""

from engine.core import phases
from engine.core.asked import Decision, Stamped
from engine.core.conversation import Conversation
from engine.core.snoozing import awake
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import AgentLost, Assign, HandOver
from protocol.ids import AgentId
from protocol.wire import content
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody

_OVER = Refusal(Code.CONVERSATION_CLOSED)


def assign(state: Conversation, asked: Stamped) -> Decision:
    """Return that the agent of the roster's choice has it."""
    command: Assign = asked.command
    assigned = content.Assigned(command.agent, command.reason)
    match state.phase:
        case phases.Waiting() | phases.Unassigned():
            return [*awake(state, "agent"), assigned]
        case phases.Talking(agent=agent) if agent.id == command.agent.id:
            return Already()
        case phases.Talking(agent=agent):
            return [*awake(state, "agent"), content.Unassigned(agent, "transferred"), assigned]
        case _:
            return _OVER


def hand_over(state: Conversation, asked: Stamped) -> Decision:
    """Return that it goes to another agent, or into the queue of a team."""
    command: HandOver = asked.command
    told = content.Transferred(command.by, AgentId(command.to.id), command.note, command.team or "")
    match state.phase:
        case phases.Talking(agent=agent) if command.team is None and agent.id == command.to.id:
            return Already()
        case phases.Talking(agent=agent):
            freed: list[AnyBody] = [told, *awake(state, "agent"), content.Unassigned(agent, "transferred")]
            return [*freed, _handed(command)]
        case phases.Waiting() | phases.Unassigned():
            return [told, *awake(state, "agent"), _handed(command)]
        case _:
            return _OVER


def _handed(command: HandOver) -> AnyBody:
    if command.team is not None:
        return content.Queued("transfer", team=command.team)
    return content.Assigned(command.to, "transfer")


def agent_lost(state: Conversation, asked: Stamped) -> Decision:
    """Return that its agent is gone: owed a reply it is handed on, else at the visitor's next word."""
    command: AgentLost = asked.command
    if not isinstance(state.phase, phases.Talking) or state.phase.agent.id != command.agent:
        return Already()
    lost = content.Unassigned(state.phase.agent, "lost")
    if state.phase.owed_since_ms is None:
        return [lost]
    return [*awake(state, "agent"), lost, route(state, "agent_lost")]


def unanswered(state: Conversation) -> Decision:
    """Return that whoever had it did not answer in time, and it goes to the next."""
    assert isinstance(state.phase, phases.Talking), "only an assigned agent can be late"
    return [*awake(state, "agent"), content.Unassigned(state.phase.agent, "no_reply"), route(state, "no_reply")]


def route(state: Conversation, reason: str, *, away: bool = False) -> AnyBody:
    """Return how it finds somebody: sought by its rule, or left to be claimed."""
    return content.Unrouted(away) if state.terms.rule is None else content.Queued(reason, away)
