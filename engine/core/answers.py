"""What whoever asked is told, and what of it is remembered (SPEC 5.2).

Invariant: one outcome per asked command; it is remembered exactly if it consumed the frame's n, and a refusal that did
not names the n `expected` next.
"""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from engine.core.asked import Despite, With
from engine.core.ledger import Misnumbered, Recorded
from engine.core.result import Logged
from engine.core.settling import Settling
from protocol.bus import commands
from protocol.bus.commands import Asked
from protocol.bus.decisions import Already, Refusal, Told
from protocol.bus.records import Outcome
from protocol.wire import content
from protocol.wire.codes import Code
from protocol.wire.content import Event

_AWAY = Code.UNAVAILABLE.wire  # not judged, so not used up
_ENTRIES: dict[type, tuple[type[content.Body], ...]] = {
    commands.VisitorSends: (content.Message,),
    commands.VisitorCloses: (content.Closed,),
    commands.VisitorRates: (content.SurveySeen, content.SurveyAnswered, content.SurveyCommented),
    commands.CompanySends: (content.Message,),
    commands.AgentSends: (content.Message,),
    commands.AgentCloses: (content.Closed,),
    commands.AddNote: (content.Note,),
    commands.ChangeTags: (content.TagsChanged,),
    commands.SetFields: (content.FieldsSet,),
    commands.SetPriority: (content.PrioritySet,),
    commands.SnoozeConversation: (content.Snoozed, content.Woken),
    commands.RedactMessage: (content.Redacted,),
    commands.SetTicket: (content.TicketChanged,),
    commands.AcceptOffer: (content.Assigned,),
    commands.ClaimConversation: (content.Assigned,),
    commands.TransferConversation: (content.Transferred,),
}


def entry_of(command: Any) -> tuple[type[content.Body], ...]:
    """Return the kinds of log entry that may stand for `command`; none for one that leaves no entry."""
    kind = type(command)
    if kind is commands.VisitorAnswers:
        return (content.EmailGiven,) if command.step == "email" else (content.ConsentAnswered,)
    return _ENTRIES.get(kind, ())


def answer_from(
    settling: Settling, command: Asked, decision: Any, owner: str | None = None, entry: Event | None = None
) -> None:
    """Tell whoever asked what came of it, and remember it under `owner`. None: there is no ledger yet.

    `entry`: the log entry that stands for the command, if there is one.
    """
    origin = command.origin
    done = type(decision) is list or type(decision) is With
    if done:
        outcome = outcome_of(command, entry)
    else:
        outcome = outcome_of(command, decision.refusal if isinstance(decision, Despite) else decision)
    if owner is not None and (done or outcome.code != _AWAY):
        if origin.n:
            settling.remember(owner, origin.device, outcome)
    elif outcome.code and origin.n:
        outcome = replace(outcome, expected=origin.n if owner is not None else 1)
    settling.result.outcomes.append((origin.gateway, outcome))


def outcome_of(command: Asked, became: Refusal | Already | Told | Recorded | Misnumbered | Event | None) -> Outcome:
    """Return the outcome of `command`; `became` is the log entry if it took effect, None if it has none."""
    origin = command.origin
    if isinstance(became, Event):
        entry = (became.conversation, became.seq, became.id)
        return Outcome(origin.session, origin.device, origin.n, origin.id, "", *entry)
    if isinstance(became, Recorded):
        return replace(became.outcome, session=origin.session)
    conversation = getattr(command, "conversation", "")
    asked = (origin.session, origin.device, origin.n, origin.id)
    match became:
        case None:
            return Outcome(*asked, "", conversation)
        case Already():
            return Outcome(*asked, "", conversation, became.seq, became.event)
        case Misnumbered():
            return Outcome(*asked, became.code.wire, conversation, expected=became.expected)
        case Refusal():
            code = became.code.wire
            return Outcome(*asked, code, conversation, instead=became.instead, opens_at_ms=became.opens_at_ms)
        case Told():
            return Outcome(*asked, "", conversation, next_in_line=became.next_in_line)


def entry_in(events: Iterable[Logged], command: Asked) -> Event | None:
    """Return which of `events`, to which the command of a roster led, stands for it."""
    kinds = entry_of(command)
    for logged in events:
        if type(logged.event.body) in kinds:
            return logged.event  # the first of its kind is the command's own; what it set going comes after
    return None
