"""The conversation's next move.

`decide` is all of the engine's judgement and none of its machinery: no clock, no network, no chance. The same
conversation and the same command always give the same answer, so an engine may die in mid-sentence and the next one,
reading the same inbox, repeats nothing that was heard and drops nothing that was promised.

Invariant: total over every phase and command; what it returns, `evolve` takes.
"""

from collections.abc import Callable
from typing import Any

from engine.core import assigning, desk, ending, phases, speaking, surveys, tickets
from engine.core.answering import answered
from engine.core.asked import Decision, Stamped
from engine.core.company import company_sends
from engine.core.conversation import Conversation
from engine.core.email import when_overflowing
from engine.core.erasing import erase
from engine.core.firing import timer_fired
from engine.core.redaction import redact
from engine.core.snoozing import snooze
from protocol.bus import commands, effects
from protocol.bus.decisions import Already, Refusal
from protocol.wire import content
from protocol.wire.codes import Code


class Park(effects.Inner, frozen=True):
    """To the conversation: deciding it raised; set it aside."""

    error: str


def decide(state: Conversation, asked: Stamped) -> Decision:
    """Return what happens because of the command, or why it may not."""
    return judge(state, asked) if may_address(state, asked.command) else Refusal(Code.NOT_FOUND)


def judge(state: Conversation, asked: Stamped) -> Decision:
    """Return what happens because of a command that may address the conversation, or why it may not."""
    phase, command = state.phase, type(asked.command)
    if type(phase) is phases.Parked and command not in _EVEN_PARKED:
        return Refusal(Code.PARKED)
    if type(phase) is phases.Closed and phase.erased and command in ASKED_BY_AGENTS:
        return Refusal(Code.NOT_FOUND)
    return _DECIDERS[type(asked.command)](state, asked)


_EVEN_PARKED: frozenset[type] = frozenset({effects.Erase, effects.TakeOver})  # whose it is, is no part of the fault
# What agents ask about a conversation. In one that was erased nothing of it is left to be done.
ASKED_BY_AGENTS: frozenset[type] = frozenset(
    {
        commands.AgentSends,
        commands.AgentCloses,
        commands.AddNote,
        commands.ChangeTags,
        commands.SetFields,
        commands.SetPriority,
        commands.SnoozeConversation,
        commands.RedactMessage,
        commands.BlockVisitor,
        commands.SetTicket,
    }
)


def may_address(state: Conversation, command: Any) -> bool:
    """Whether the command comes from the conversation's account and, if from a visitor, from its visitor."""
    visitor = getattr(command, "visitor", None)
    own = visitor is None or not state.seq or visitor == state.terms.visitor or type(command) is effects.TakeOver
    return own and bool(command.account == state.account)


def _park(state: Conversation, asked: Stamped) -> Decision:
    parked = content.Parked(asked.command.error)
    match state.phase:
        case phases.NotStarted():
            return Refusal(Code.NOT_FOUND)
        case phases.Talking(agent=agent):
            return [content.Unassigned(agent, "parked"), parked]
        case _:
            return [parked]


def _overflowed(state: Conversation, asked: Stamped) -> Decision:
    match state.phase:
        case phases.Waiting() | phases.Unassigned(since_ms=int()):
            return when_overflowing(state, asked)
        case _:
            return Already()  # nobody waits for a word


_DECIDERS: dict[type, Callable[[Conversation, Stamped], Decision]] = {
    commands.VisitorSends: speaking.visitor_sends,
    commands.VisitorAnswers: answered,
    commands.VisitorCloses: ending.visitor_closes,
    commands.VisitorRates: surveys.rate,
    commands.CompanySends: company_sends,
    commands.AgentSends: speaking.agent_sends,
    commands.AgentCloses: ending.agent_closes,
    commands.AddNote: desk.note,
    commands.ChangeTags: desk.tag,
    commands.SetFields: desk.set_fields,
    commands.SetPriority: desk.set_priority,
    commands.SnoozeConversation: snooze,
    commands.RedactMessage: redact,
    commands.BlockVisitor: desk.block,
    commands.SetTicket: tickets.set_status,
    commands.TimerFired: timer_fired,
    effects.Assign: assigning.assign,
    effects.HandOver: assigning.hand_over,
    effects.AgentLost: assigning.agent_lost,
    effects.NumberTicket: tickets.number,
    effects.Overflowed: _overflowed,
    effects.End: ending.end,
    effects.Erase: erase,
    effects.TakeOver: ending.take_over,
    Park: _park,
}
