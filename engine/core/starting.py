"""Which conversation a visitor may start, and which one they are sent to instead.

Invariant: at most one conversation per visitor and chatflow is open or can be reopened, and both of two phones that
start it derive the same id (design: a conversation's id is a keyed hash of visitor, chatflow, ordinal). What `Started`
says is frozen: a later publish changes nothing of it.
"""

from typing import NamedTuple

from msgspec.structs import replace

from engine.core.admission import names_of
from engine.core.asked import Stamped, flow_of
from engine.core.conversation import not_started, reopenable
from engine.core.gate import missing
from protocol.bus.availability import may_start, opens_at_ms
from protocol.bus.config import AccountConfig, Chatflow, flow_at, text_for
from protocol.bus.decisions import Refusal
from protocol.bus.records import VisitorRecord
from protocol.bus.steps import address_of
from protocol.ids import ConversationId, VisitorId, conversation_id
from protocol.wire.codes import Code
from protocol.wire.content import EmailPlan, Started, SurveyPlan


class Place(NamedTuple):
    """Where a visitor's next word under a chatflow belongs: in a conversation that exists, or in its next one."""

    conversation: ConversationId
    ordinal: int
    exists: bool


class _Ground(NamedTuple):
    """What a start rests on; `flow` in the version that was served."""

    config: AccountConfig
    visitor: VisitorRecord
    flow: Chatflow
    place: Place


def place_of(config: AccountConfig, visitor: VisitorRecord, flow: Chatflow, at_ms: int, *, left: bool = False) -> Place:
    """Return the conversation to address now; `left`: not the last one, which the cell no longer has."""
    current = visitor.current.get(flow.id)
    if current is None:
        return Place(conversation_id(config.id_key, visitor.id, flow.id, 1), 1, exists=False)
    closed_at_ms = current.closed_at_ms
    if not left and (closed_at_ms is None or reopenable(closed_at_ms, current.reopen_window_s, at_ms)):
        return Place(current.conversation, current.ordinal, exists=True)
    ordinal = current.ordinal + 1
    return Place(conversation_id(config.id_key, visitor.id, flow.id, ordinal), ordinal, exists=False)


def start(asked: Stamped) -> Started | Refusal:
    """Return seq 1 of the conversation that the visitor's command names, with the welcome in it; or why it may not be.

    The version is the one on the visitor's screen.
    """
    ground = _ground(asked)
    if isinstance(ground, Refusal):
        return ground
    flow, place = ground.flow, ground.place
    if not may_start(flow, asked.facts.away(flow, asked.at_ms)):
        return Refusal(Code.NOBODY_THERE, opens_at_ms=opens_at_ms(ground.config, flow, asked.at_ms))
    greeted = flow.welcome_always or place.ordinal == 1
    welcome = text_for(flow.welcome, asked.command.locale, flow.language) if greeted else None
    nothing = not_started(asked.command.account, asked.command.conversation)
    return replace(_started(asked, ground), welcome=welcome, steps=list(missing(nothing, asked)))


def start_by_company(asked: Stamped) -> Started | Refusal:
    """Return seq 1 of a conversation that the company begins: whoever is there, and nobody is greeted."""
    ground = _ground(asked)
    return ground if isinstance(ground, Refusal) else replace(_started(asked, ground), by="company")


def continued(asked: Stamped) -> Refusal:
    """Return the refusal of a conversation that is over for good: it names the one to use under the served chatflow."""
    command, facts = asked.command, asked.facts
    flow = flow_of(facts.config, command.chatflow) if facts.config else None
    if facts.visitor is None or facts.config is None or flow is None or not flow.enabled:
        return Refusal(Code.NO_CHATFLOW)
    return Refusal(Code.CONTINUED, instead=place_of(facts.config, facts.visitor, flow, asked.at_ms).conversation)


def _ground(asked: Stamped) -> _Ground | Refusal:
    """Return what a start rests on, or why nothing may be started."""
    command, facts = asked.command, asked.facts
    newest = flow_of(facts.config, command.chatflow) if facts.config else None
    if facts.visitor is None or facts.config is None or newest is None or not newest.enabled:
        return Refusal(Code.NO_CHATFLOW)
    if facts.visitor.blocked:
        return Refusal(Code.BLOCKED)
    place = place_of(facts.config, facts.visitor, newest, asked.at_ms, left=facts.left)
    if command.conversation != place.conversation:
        return _elsewhere(asked, facts.config, newest, place)
    if place.exists:
        return Refusal(Code.UNAVAILABLE)  # it is open and not here: a fault of ours
    open_elsewhere = sum(current.closed_at_ms is None for current in facts.visitor.current.values())
    if open_elsewhere >= facts.config.max_open:
        return Refusal(Code.TOO_MANY_OPEN)
    flow = flow_at(facts.config, newest.id, getattr(command, "version", 0)) or newest
    return _Ground(facts.config, facts.visitor, flow, place)


def _started(asked: Stamped, ground: _Ground) -> Started:
    """Return the plan of the conversation, as its chatflow's version and its rule make it."""
    config, visitor, flow, place = ground
    rule = next((rule for rule in config.rules if rule.id == flow.rule), None)
    last = visitor.current.get(flow.id)
    return Started(
        chatflow=flow.id,
        version=flow.version,
        inbox=flow.inbox,
        rule=flow.rule,
        visitor=visitor.id,
        ordinal=place.ordinal,
        locale=asked.command.locale,
        welcome=None,
        reopen_window_s=flow.reopen_window_s,
        gated_ttl_s=flow.gated_ttl_s,
        alias=flow.heading.alias,
        help_desk=any(inbox.id == flow.inbox and inbox.kind == "help_desk" for inbox in config.inboxes),
        priority=flow.queue_priority,
        inactivity_s=flow.inactivity_s,
        silent_s=rule.silent_s if rule is not None else 0,
        first_reply_s=rule.first_reply_s if rule is not None else 0,
        email=_email(flow, visitor),
        survey=_survey(flow),
        environment=asked.command.environment,
        previous=last.conversation if last is not None else None,
        contact=visitor.contact.id if visitor.contact is not None else None,
    )


def _email(flow: Chatflow, visitor: VisitorRecord) -> EmailPlan:
    """Return when an address is asked: never, if it is known."""
    email = flow.email
    return EmailPlan() if address_of(visitor) else EmailPlan(email.open, email.away, email.delay_s)


def _survey(flow: Chatflow) -> SurveyPlan | None:
    survey = flow.survey
    if survey is None or survey.delivery != "chat":
        return None
    return SurveyPlan(survey.id, survey.scale, survey.expires_s, survey.on_inactivity)


def _elsewhere(asked: Stamped, config: AccountConfig, flow: Chatflow, place: Place) -> Refusal:
    names = map(VisitorId, names_of(asked.facts.visitor, asked.command))
    ordinals = range(place.ordinal + 1, 0, -1)
    own = (conversation_id(config.id_key, name, flow.id, ordinal) for name in names for ordinal in ordinals)
    if asked.command.conversation in own:
        return Refusal(Code.CONTINUED, instead=place.conversation)
    return Refusal(Code.NOT_FOUND)
