"""What the company says by itself, in a conversation that it begins or goes on with (product §9).

Invariant: nobody is sought for it before the visitor speaks, and what they then say meets every gate there is.
"""

from engine.core import phases
from engine.core.asked import Stamped
from engine.core.conversation import Conversation, reopenable
from engine.core.starting import continued, start_by_company
from protocol.bus.decisions import Refusal
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody, Author, Message, Reopened, Role, Unrouted


def company_sends(state: Conversation, asked: Stamped) -> list[AnyBody] | Refusal:
    """Return what happens because the company says something, or why it may not."""
    command, visitor = asked.command, asked.facts.visitor
    if not command.text or command.text.isspace():
        return Refusal(Code.EMPTY_TEXT)
    if visitor is None or visitor.blocked:
        return Refusal(Code.BLOCKED if visitor is not None else Code.VISITOR_UNKNOWN)
    by = Author(Role.SYSTEM, "", command.name)
    opened = _opened(state, asked, by)
    if isinstance(opened, Refusal):
        return opened
    idle = type(state.phase) not in phases.ROUTED
    return [*opened, Message(by, command.text), *([Unrouted()] if idle else ())]


def _opened(state: Conversation, asked: Stamped, by: Author) -> list[AnyBody] | Refusal:
    """Return what brings the conversation to where something may be said."""
    if state.seq == 0:
        started = start_by_company(asked)
        return started if isinstance(started, Refusal) else [started]
    if not isinstance(state.phase, phases.Closed):
        return []
    if not reopenable(state.phase.at_ms, state.terms.reopen_window_s, asked.at_ms):
        return continued(asked)
    return [Reopened(by)]
