"""Putting a conversation off until a time, or until the visitor speaks.

Invariant: only who has it, or a supervisor, puts it off; it stays theirs, and is woken before anything else happens to
its assignment.
"""

from engine.core import phases
from engine.core.access import author_of, colleague
from engine.core.asked import Decision, Stamped
from engine.core.conversation import Conversation
from protocol.bus.commands import SnoozeConversation
from protocol.bus.decisions import Already, Refusal
from protocol.wire import content
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody


def snooze(state: Conversation, asked: Stamped) -> Decision:
    """Return that it is put off, or (until 0) awake again."""
    command: SnoozeConversation = asked.command
    agent = colleague(state, asked)
    if isinstance(agent, Refusal):
        return agent
    if isinstance(state.phase, phases.Closed):
        return Refusal(Code.CONVERSATION_CLOSED)
    if not isinstance(state.phase, phases.Talking) or (state.phase.agent.id != agent.id and not agent.supervisor):
        return Refusal(Code.NOT_ASSIGNED)
    if command.until_ms <= asked.at_ms:  # a time gone by: it wakes at once
        return [*awake(state, "agent")] or Already()
    if command.until_ms == state.beside.snoozed_ms:
        return Already()
    return [content.Snoozed(author_of(agent), command.until_ms)]


def awake(state: Conversation, why: str) -> list[AnyBody]:
    """Return that it is snoozed no longer, if it was."""
    return [content.Woken(why)] if state.beside.snoozed_ms else []
