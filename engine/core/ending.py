"""How a conversation ends: by its visitor, an agent, its silence, or a reason that lies with the visitor.

Invariant: one `Closed` per ending, and right behind it the survey if this close earned one.
"""

from engine.core import phases
from engine.core.access import author_of, colleague
from engine.core.asked import Decision, Stamped
from engine.core.conversation import Conversation
from engine.core.surveys import asked_by_close
from protocol.bus.commands import AgentCloses, VisitorCloses
from protocol.bus.config import Agent
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import End, TakeOver
from protocol.wire import content
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody, Author, Role

SYSTEM = Author(Role.SYSTEM, "")


def visitor_closes(state: Conversation, asked: Stamped) -> Decision:
    """Return the end that the visitor puts to it."""
    command: VisitorCloses = asked.command
    if state.seq == 0:
        return Refusal(Code.NOT_FOUND)
    if isinstance(state.phase, phases.Closed):
        return Already(state.phase.seq, state.phase.event)
    return closed(state, asked, Author(Role.VISITOR, command.visitor), "visitor")


def agent_closes(state: Conversation, asked: Stamped) -> Decision:
    """Return the end that who has it puts to it, or a supervisor; of spam, anybody may rid the inbox."""
    command: AgentCloses = asked.command
    agent = colleague(state, asked)
    if isinstance(agent, Refusal):
        return agent
    match state.phase:
        case phases.Closed(seq=seq, event=event):
            own = agent.supervisor or state.last_agent == agent.id
            return Already(seq, event) if own else Refusal(Code.NOT_ASSIGNED)
        case phases.Talking(agent=by) if by.id == agent.id:
            return _by_agent(state, asked, agent)
        case phases.Waiting() | phases.Unassigned() if command.spam:
            return _by_agent(state, asked, agent)
        case _ if agent.supervisor:
            return _by_agent(state, asked, agent)
        case _:
            return Refusal(Code.NOT_ASSIGNED)


def _by_agent(state: Conversation, asked: Stamped, agent: Agent) -> list[AnyBody]:
    command: AgentCloses = asked.command
    by, ticket = author_of(agent), state.beside.ticket
    settled = command.close_ticket and ticket is not None and ticket.status != "closed"
    before: list[AnyBody] = [content.TicketChanged(by, "closed")] if settled else []
    return [*before, *closed(state, asked, by, "spam" if command.spam else "agent")]


def end(state: Conversation, asked: Stamped) -> Decision:
    """Return the end for a reason that lies with the visitor."""
    command: End = asked.command
    over = isinstance(state.phase, phases.NotStarted | phases.Closed)
    return Already() if over else [content.Closed(SYSTEM, command.reason)]


def take_over(state: Conversation, asked: Stamped) -> Decision:
    """Return that another visitor has it, and its end before that if another conversation goes on instead."""
    command: TakeOver = asked.command
    merged = content.Merged(command.visitor, command.over, command.other)
    ends = command.over and not isinstance(state.phase, phases.Closed | phases.Parked)
    return [content.Closed(SYSTEM, "merged"), merged] if ends else [merged]


def closed(state: Conversation, asked: Stamped, by: Author, reason: str) -> list[AnyBody]:
    """Return the close, and the ask that it has earned."""
    return [content.Closed(by, reason), *asked_by_close(state, asked, reason)]
