"""What whoever asked is told, and what of it is remembered (SPEC 5.2).

Invariant: one outcome per asked command; it is remembered exactly if it consumed the frame's n, and a refusal that did
not names the n `expected` next.
"""

from typing import Any

from msgspec.structs import replace

from engine.core.ledger import Misnumbered, Recorded
from engine.core.result import StepResult
from protocol.bus.commands import (
    AcceptOffer,
    AgentCloses,
    AgentSends,
    Asked,
    ClaimConversation,
    TransferConversation,
    VisitorAnswers,
    VisitorCloses,
    VisitorSends,
)
from protocol.bus.decisions import Already, Refusal
from protocol.bus.records import Outcome
from protocol.wire import content
from protocol.wire.codes import Code
from protocol.wire.content import Event

_ENTRIES: dict[type, type[content.Body]] = {
    VisitorSends: content.Message,
    VisitorAnswers: content.ConsentAnswered,
    VisitorCloses: content.Closed,
    AgentSends: content.Message,
    AgentCloses: content.Closed,
    AcceptOffer: content.Assigned,
    ClaimConversation: content.Assigned,
    TransferConversation: content.Transferred,
}


def entry_of(command: Any) -> type[content.Body] | None:
    """Return the kind of log entry that stands for `command`, if one does."""
    return _ENTRIES.get(type(command))


def answer_from(result: StepResult, command: Asked, decision: Any, owner: str | None = None) -> None:
    """Put the command's outcome into `result`, to be remembered under `owner`. None: there is no ledger yet."""
    origin = command.origin
    # A list first: it is what nearly always comes, and the dearest to rule out.
    outcome = outcome_of(command, _entry(result, command) if isinstance(decision, list) else decision)
    away = outcome.code == Code.UNAVAILABLE.wire  # not judged, so not used up
    if owner is not None and not away:
        if origin.n:
            result.ledger.append((owner, origin.device, outcome))
    elif outcome.code and origin.n:
        outcome = replace(outcome, expected=origin.n if owner is not None else 1)
    result.outcome = (origin.gateway, outcome)


def outcome_of(command: Asked, became: Refusal | Already | Recorded | Misnumbered | Event | None) -> Outcome:
    """Return the outcome of `command`; `became` is the log entry if it took effect, None if it has none."""
    origin = command.origin
    if isinstance(became, Recorded):
        return replace(became.outcome, session=origin.session)
    conversation = getattr(command, "conversation", "")
    asked = (origin.session, origin.device, origin.n, origin.id)
    match became:
        case Event():
            return Outcome(*asked, "", became.conversation, became.seq, became.id)
        case None:
            return Outcome(*asked, "", conversation)
        case Already():
            return Outcome(*asked, "", conversation, became.seq, became.event)
        case Misnumbered():
            return Outcome(*asked, became.code.wire, conversation, expected=became.expected)
        case Refusal():
            return Outcome(*asked, became.code.wire, conversation, instead=became.instead)


def _entry(result: StepResult, command: Asked) -> Event | None:
    kind = entry_of(command)
    # The first of its kind is the command's own; what it set going comes after.
    return next((logged.event for logged in result.events if type(logged.event.body) is kind), None)
