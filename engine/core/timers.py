"""The deadlines of a conversation, as a function of what is true of it.

Invariant: a timer is set exactly while its deadline is, so what an event sets and cancels is the difference between
the deadlines before and after it. A timer that comes has an effect only if its deadline has: it may be late, or early.
Deadlines that follow the last word are rounded up, to move seldom: 24 times in a whole silence at the most.
"""

from typing import Final

from engine.core import phases
from engine.core.conversation import Conversation
from protocol.bus.commands import TimerFired
from protocol.bus.effects import CancelTimer, Effect, SetTimer

GATE, EMAIL, FIRST_REPLY, SILENT, INACTIVITY, WAKE, SURVEY = KINDS = (
    "gate",
    "email",
    "first_reply",
    "silent",
    "inactivity",
    "wake",
    "survey",
)
GENERATION: Final = 1  # the deadline itself says whether a timer still counts
_STEPS: Final = 24

Deadlines = dict[tuple[str, str], int]  # (kind, key) → due_ms


def due(state: Conversation) -> Deadlines:
    """Return when each timer of the conversation is due."""
    kind, beside = type(state.phase), state.beside
    found: Deadlines = {}
    if kind is phases.Parked:
        return found
    for survey in beside.surveys:
        if survey.score is None:
            found[SURVEY, str(survey.ask)] = survey.until_ms
    if kind in phases.UNSAID:
        found[GATE, ""] = state.phase.until_ms  # type: ignore[union-attr]
    if kind in phases.ROUTED:
        if beside.snoozed_ms:
            found[WAKE, ""] = beside.snoozed_ms
        if beside.email.due_ms and not state.heard.agent_ms:
            found[EMAIL, ""] = beside.email.due_ms
    if kind is phases.Talking:
        _while_talking(state, state.phase, found)  # type: ignore[arg-type]
    return found


def _while_talking(state: Conversation, phase: phases.Talking, found: Deadlines) -> None:
    terms = state.terms
    if terms.first_reply_s and not phase.answered and phase.owed_since_ms is not None:
        found[FIRST_REPLY, ""] = max(phase.since_ms, phase.owed_since_ms) + terms.first_reply_s * 1000
    if state.heard.agent_ms and not state.beside.snoozed_ms:
        for kind, period_s in ((SILENT, terms.silent_s), (INACTIVITY, terms.inactivity_s)):
            if period_s:
                found[kind, ""] = after_silence(state.heard.stirred_ms, period_s)


def after_silence(stirred_ms: int, period_s: int) -> int:
    """Return when a silence since `stirred_ms` has lasted `period_s`, and up to a 24th of it more."""
    period_ms = period_s * 1000
    step_ms = period_ms // _STEPS
    return -(-stirred_ms // step_ms) * step_ms + period_ms


def fell_silent(state: Conversation, at_ms: int) -> bool:
    """Whether at `at_ms` the last word of a talk is so long ago that it counted no more."""
    silent_s, stirred_ms = state.terms.silent_s, state.heard.stirred_ms
    if at_ms - stirred_ms < silent_s * 1000:
        return False
    if not silent_s or not state.heard.agent_ms or state.beside.snoozed_ms:
        return False
    return at_ms >= after_silence(stirred_ms, silent_s)


def moved(before: Conversation, after: Conversation) -> list[Effect]:
    """Return which timers are to be set and cancelled, `after` having followed `before`."""
    if _alike(before, after):
        return []
    were, are = due(before), due(after)
    effects: list[Effect] = [CancelTimer(timer(after, *which)) for which in were if which not in are]
    return effects + [SetTimer(at_ms, timer(after, *which)) for which, at_ms in are.items() if were.get(which) != at_ms]


def _alike(before: Conversation, after: Conversation) -> bool:
    """Whether no deadline can have moved: so it is with nearly every word, and this is what each of them costs."""
    was, now = before.phase, after.phase
    if before.beside is not after.beside or type(was) is not type(now):
        return False
    if type(now) is not phases.Talking:
        return was is now and before.heard.agent_ms == after.heard.agent_ms
    if not (was.answered and now.answered):  # type: ignore[union-attr]
        return False
    now_ms, then_ms, terms = after.heard.stirred_ms, before.heard.stirred_ms, after.terms
    for period_s in (terms.silent_s, terms.inactivity_s):
        # Whether the deadline of a silence moves when a word at `now_ms` follows one at `then_ms`.
        if period_s and -now_ms // (step_ms := period_s * 1000 // _STEPS) != -then_ms // step_ms:
            return False
    return True


def timer(state: Conversation, kind: str, key: str) -> TimerFired:
    """Return the command that a timer puts in."""
    return TimerFired(state.account, state.id, kind, key, GENERATION)


def deadlines(state: Conversation) -> list[SetTimer]:
    """Return every timer that is now set: what a rebuilt cell must set again."""
    return [SetTimer(at_ms, timer(state, *which)) for which, at_ms in due(state).items()]
