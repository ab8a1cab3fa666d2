"""The ticket of a conversation: opened by the first word in a help desk, or by an agent (product §1).

Invariant: the roster gives its number, once. Its status follows who spoke last until somebody sets it; closing the
conversation leaves it as it is. Every change is kept as a fact.
"""

from typing import get_args

from engine.core.access import author_of, colleague
from engine.core.asked import Decision, Stamped
from engine.core.beside import TicketStatus
from engine.core.conversation import Conversation
from protocol.bus.commands import SetTicket
from protocol.bus.decisions import Already, First, Refusal
from protocol.bus.effects import Effect, Inner, Keep, NumberTicket, OpenTicket
from protocol.bus.facts import TicketKept
from protocol.wire import content
from protocol.wire.codes import Code


def number(state: Conversation, asked: Stamped) -> Decision:
    """Return that the ticket is open, by the number that the roster gave it."""
    command: NumberTicket = asked.command
    return [content.TicketOpened(command.number)] if state.seq and state.beside.ticket is None else Already()


def set_status(state: Conversation, asked: Stamped) -> Decision:
    """Return the ticket's status as an agent sets it; where there is no ticket yet, this makes one."""
    command: SetTicket = asked.command
    agent = colleague(state, asked)
    if isinstance(agent, Refusal):
        return agent
    if command.status not in get_args(TicketStatus):
        return Refusal(Code.BAD_CONTENT)
    if state.beside.ticket is None:
        return First(OpenTicket(state.account, state.id))
    if state.beside.ticket.status == command.status:
        return Already()
    return [content.TicketChanged(author_of(agent), command.status)]  # type: ignore[arg-type]


def opened_by(before: Conversation, after: Conversation) -> list[Inner | Effect]:
    """Return what the visitor's first word in a help desk asks for."""
    first = after.terms.help_desk and after.heard.visitor_ms and not before.heard.visitor_ms
    return [OpenTicket(after.account, after.id)] if first and after.beside.ticket is None else []


def kept(before: Conversation, after: Conversation) -> list[Inner | Effect]:
    """Return the fact that a ticket changed, or its priority, if it did."""
    ticket = after.beside.ticket
    if ticket is None or (ticket, after.beside.priority) == (before.beside.ticket, before.beside.priority):
        return []
    names = (after.account, after.id, after.terms.inbox, ticket.number, ticket.status, after.beside.priority)
    return [Keep(TicketKept(*names, ticket.opened_ms, ticket.changed_ms))]
