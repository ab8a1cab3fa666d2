"""What an event adds to an account's figures (docs/reports.md).

Invariant: a function of the event and the two states around it, so that the figures of a log are always the same. A
message that is nobody's first adds nothing, and is not looked at.
"""

from typing import Any, Final

from engine.core import phases
from engine.core.conversation import Conversation
from engine.core.phases import ROUTED, AnyPhase
from engine.core.phones import KeepWithPhone
from protocol.bus.effects import Effect, Inner, Keep
from protocol.bus.figures import AgentHeld, Begun, Measured
from protocol.wire import content
from protocol.wire.content import AGENT, VISITOR, Event

MOMENTS: Final = (
    content.Started,
    content.ConsentAnswered,
    content.EmailAsked,
    content.EmailGiven,
    content.EmailGivenUp,
    content.Snoozed,
    content.Woken,
    content.Queued,
    content.Unrouted,
    content.Assigned,
    content.Unassigned,
    content.Closed,
    content.Reopened,
    content.Parked,
)
_COUNTED: Final = ("production", "test")  # where nothing has begun, nothing counts: a preview leaves no figures
_STEPS: Final = {"storage_consent": "storage", "consent_to_process": "process", "email": "email"}


def at_moment(before: Conversation, event: Event, after: Conversation) -> list[Inner | Effect]:
    """Return the figures that an event of MOMENTS leaves."""
    if type(event.body) is content.Started:
        return _begun(event, after)
    told = _moved(before, event, after) | _said_of_itself(before, event.body)
    return [*([Keep(Measured(after.account, after.id, **told))] if told else []), *_held(before, event)]


def at_first_word(before: Conversation, event: Event) -> list[Inner | Effect]:
    """Return the figures that the first word of the visitor, or of an agent, leaves."""
    body: Any = event.body
    heard, role = before.heard, body.by.role
    if role is VISITOR and not heard.visitor_ms:
        return [Keep(Measured(before.account, before.id, spoke=True, spoke_first=not heard.agent_ms or None))]
    if role is AGENT and heard.visitor_ms and not heard.agent_ms:
        replied = {"first_reply_ms": max(event.at - heard.visitor_ms, 0), "replied_by": body.by.id}
        return [Keep(Measured(before.account, before.id, **replied))]
    return []


def at_word_to_nobody(before: Conversation, event: Event, after: Conversation) -> list[Inner | Effect]:
    """Return the figures that a word leaves by which the visitor begins to wait."""
    told = _moved(before, event, after)
    return [Keep(Measured(after.account, after.id, **told))] if told else []


def waits(phase: AnyPhase) -> bool:
    """Whether the visitor waits for a person, and nobody has the conversation."""
    return type(phase) is phases.Waiting or (type(phase) is phases.Unassigned and phase.since_ms is not None)


def stood(phase: AnyPhase) -> str:
    """Return where a conversation stands that ends in `phase`."""
    match phase:
        case phases.Waiting():
            return "waiting"
        case phases.Unassigned(since_ms=since_ms):
            return "idle" if since_ms is None else "waiting"
        case phases.Talking(owed_since_ms=owed_since_ms, answered=False):
            return "idle" if owed_since_ms is None else "unanswered"
        case phases.Talking():
            return "answered"
        case _:
            return "gate"


def _begun(event: Event, after: Conversation) -> list[Inner | Effect]:
    body: Any = event.body
    if body.environment not in _COUNTED:
        return []
    fact = Begun(
        account=after.account,
        conversation=after.id,
        at_ms=event.at,
        environment=body.environment,
        chatflow=body.chatflow,
        version=body.version,
        inbox=body.inbox,
        rule=body.rule or "",
        origin=body.by,
        steps=[_STEPS[step] for step in body.steps],
    )
    return [KeepWithPhone(after.account, after.id, body.visitor, fact)]


def _moved(before: Conversation, event: Event, after: Conversation) -> dict[str, Any]:
    """Return what the change of phase, and of being put off, adds."""
    told: dict[str, Any] = {}
    waited, at_ms = waits(before.phase), event.at
    if waits(after.phase) and not waited:
        told |= {"waits": 1, "waited_ms": -at_ms}
    elif waited and not waits(after.phase):
        assert isinstance(before.phase, phases.Waiting | phases.Unassigned)
        since_ms = at_ms if before.phase.since_ms is None else before.phase.since_ms
        how = "assigned" if type(event.body) is content.Assigned else "ended"
        told |= {"waits_over": 1, "waited_ms": at_ms, "first_wait": how, "first_wait_ms": max(at_ms - since_ms, 0)}
    if _counts(after) != _counts(before):
        told["open_ms"] = -at_ms if _counts(after) else at_ms
    if type(after.phase) in ROUTED and type(before.phase) not in ROUTED:
        told["entered"] = True
    return told


def _counts(state: Conversation) -> bool:
    """Whether time counts as open: past its gate, not over, and not put off."""
    return type(state.phase) in ROUTED and not state.beside.snoozed_ms


def _said_of_itself(before: Conversation, body: Any) -> dict[str, Any]:
    """Return what the event counts for by itself."""
    match body:
        case content.ConsentAnswered():
            return {body.purpose: body.answer}
        case content.EmailAsked(why=why) if why != "before_chat":
            return {"email_later": "asked"}
        case content.EmailGiven() if "email" in getattr(before.phase, "missing", ()):
            return {"email": "given"}
        case content.EmailGiven() if before.beside.email.why:
            return {"email_later": "given"}
        case content.EmailGivenUp() if before.beside.email.why:
            return {"email_later": "given_up"}
        case content.Assigned():
            return {"assigned": 1, "agent": body.agent.id}
        case content.Unassigned():
            return {"handed_on": 1}
        case content.Closed():
            return {"closes": 1, "ended": body.reason, "stood": stood(before.phase)}
        case content.Parked():
            return {"ended": "parked"}
        case content.Reopened():
            return {"reopens": 1, "ended": ""}
        case _:
            return {}


def _held(before: Conversation, event: Event) -> list[Inner | Effect]:
    """Return how long the agent had it who has it no longer."""
    phase, body = before.phase, event.body
    if type(phase) is not phases.Talking or not isinstance(body, content.Unassigned | content.Closed):
        return []
    how = "closed" if isinstance(body, content.Closed) else body.reason
    names = (before.account, before.id, phase.agent.id)
    return [Keep(AgentHeld(*names, phase.since_ms, event.at, how, phase.answered))]
