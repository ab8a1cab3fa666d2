"""What becomes of a deadline that has come (engine.core.timers says which there are).

Invariant: one that is not due by the conversation's own state, whatever was once set, does nothing.
"""

from collections.abc import Callable
from typing import Final

from engine.core import phases, timers
from engine.core.asked import Decision, Stamped, With
from engine.core.assigning import route, unanswered
from engine.core.conversation import Conversation
from engine.core.email import when_due
from engine.core.ending import SYSTEM, closed
from engine.core.snoozing import awake
from engine.core.surveys import expired
from protocol.bus.commands import TimerFired
from protocol.bus.decisions import Already
from protocol.bus.effects import Weigh
from protocol.wire import content


def timer_fired(state: Conversation, asked: Stamped) -> Decision:
    """Return what happens because time has passed."""
    command: TimerFired = asked.command
    due_ms = timers.due(state).get((command.kind, command.key))
    if due_ms is None or due_ms > asked.at_ms:
        return Already()
    return _BECAUSE[command.kind](state, asked)


def _gate(_: Conversation, __: Stamped) -> Decision:
    return [content.Closed(SYSTEM, "gate_expired")]


def _first_reply(state: Conversation, _: Stamped) -> Decision:
    return unanswered(state)


def _silent(state: Conversation, _: Stamped) -> Decision:
    """The agent spoke last and the visitor is silent: it counts for nobody's capacity until somebody speaks."""
    return Already() if _owed(state) else With([], [Weigh(state.account, state.id, False)])


def _inactivity(state: Conversation, asked: Stamped) -> Decision:
    return Already() if _owed(state) else closed(state, asked, SYSTEM, "inactivity")


def _wake(state: Conversation, _: Stamped) -> Decision:
    """Whoever put it off looks at it again; if they are gone, somebody else does."""
    alone = isinstance(state.phase, phases.Unassigned)
    return [*awake(state, "due"), *([route(state, "returned")] if alone else ())]


def _survey(state: Conversation, asked: Stamped) -> Decision:
    return expired(state, int(asked.command.key), asked.at_ms)


def _owed(state: Conversation) -> bool:
    assert isinstance(state.phase, phases.Talking), "only talk falls silent"
    return state.phase.owed_since_ms is not None


_BECAUSE: Final[dict[str, Callable[[Conversation, Stamped], Decision]]] = {
    timers.GATE: _gate,
    timers.EMAIL: when_due,
    timers.FIRST_REPLY: _first_reply,
    timers.SILENT: _silent,
    timers.INACTIVITY: _inactivity,
    timers.WAKE: _wake,
    timers.SURVEY: _survey,
}
