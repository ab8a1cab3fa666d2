"""What becomes of a step that a visitor answers: its entry, the conversation it may start, the routing it may open.

Invariant: an answer never brings back what is closed, and only the address that was awaited before the chat lets a
conversation be routed without a word (product §3).
"""

from collections.abc import Callable
from typing import Final

from engine.core import consent, email, phases
from engine.core.asked import Decision, Stamped
from engine.core.conversation import Conversation, Terms, reopenable
from engine.core.gate import missing, shown
from engine.core.starting import continued, start
from protocol.bus.decisions import Refusal
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody, Queued, Started, Unrouted

_ANSWERED: Final[dict[str, Callable[[Conversation, Stamped], Decision]]] = {
    "storage_consent": consent.storage,
    "consent_to_process": consent.process,
    "consent_to_communicate": consent.communicate,
    "email": email.answer,
}
_BEFORE_ROUTING = frozenset({phases.NotStarted, phases.Gated, phases.Ready})


def answered(state: Conversation, asked: Stamped) -> Decision:
    """Return what happens because a step was answered, or why it is not taken."""
    command, visitor = asked.command, asked.facts.visitor
    if visitor is not None and visitor.blocked:
        return Refusal(Code.BLOCKED)
    if command.step not in _ANSWERED or (command.step != "email" and command.value not in ("granted", "declined")):
        return Refusal(Code.BAD_ANSWER)
    started = _started(state, asked)
    if isinstance(started, Refusal):
        return started
    became = _ANSWERED[command.step](state, asked)
    if not isinstance(became, list):
        return became
    before = missing(state, asked)
    if command.step == "email":
        opens = "email" in before and type(state.phase) in _BEFORE_ROUTING
        elsewhere = consent.answered_elsewhere(state, asked) if opens else []
        routed = [_routed(state, asked, started)] if opens else []
        return [*started, *elsewhere, *email.before_chat(state, asked, before), *became, *routed]
    stays = command.step == "consent_to_process" and command.value == "declined"
    left = [step for step in before if stays or step != command.step]
    return [*started, *became, *email.before_chat(state, asked, left)]


def _started(state: Conversation, asked: Stamped) -> list[AnyBody] | Refusal:
    """Return what must be logged before the answer; nothing where there is a conversation already."""
    if state.seq == 0:
        started = start(asked)
        return started if isinstance(started, Refusal) else [started]
    over = isinstance(state.phase, phases.Closed)
    if over and not reopenable(state.phase.at_ms, state.terms.reopen_window_s, asked.at_ms):  # type: ignore[union-attr]
        return continued(asked)
    return []


def _routed(state: Conversation, asked: Stamped, started: list[AnyBody]) -> AnyBody:
    """Return the beginning of the search for an agent."""
    first = started[0] if started else state.terms
    assert isinstance(first, Started | Terms)
    flow = shown(state, asked)
    away = flow is not None and asked.facts.away(flow, asked.at_ms)
    return Unrouted(away) if first.rule is None else Queued("started", away)
