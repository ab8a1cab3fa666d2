"""When a visitor is asked for an e-mail address, and what an address that they give amounts to (SPEC 4.5).

Invariant: one ask at a time, at its moment and at no other; never of somebody whose address is known, and never again
in a conversation where it was given or given up. But for the ask before the chat, no ask stands in anybody's way.
"""

from engine.core.asked import Despite, Stamped
from engine.core.conversation import Conversation
from engine.core.gate import missing, shown
from protocol.bus import catalogue
from protocol.bus.config import AccountConfig, Chatflow, flow_at
from protocol.bus.decisions import Already, Refusal
from protocol.bus.records import VisitorRecord
from protocol.bus.steps import REFUSED, Step, address_in, address_of, email_text
from protocol.ids import contact_by_email, contact_by_subject
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody, Author, EmailAsked, EmailGiven, EmailGivenUp, Message, Role

MAX_ASKS = 3  # one, and two polite ones after answers that were none
_BAD_ANSWER = Refusal(Code.BAD_ANSWER)


def answer(state: Conversation, asked: Stamped) -> list[AnyBody] | Refusal | Already | Despite:
    """Return what becomes of an address given on the card."""
    config, visitor, value = asked.facts.config, asked.facts.visitor, asked.command.value
    left = missing(state, asked)
    if left and left[0] != "email":
        return Refusal(REFUSED[left[0]])
    if address := address_of(visitor):
        return Already() if address.lower() == value.strip().lower() else Refusal(Code.NOT_OUTSTANDING)
    if config is None or visitor is None or not (left or state.beside.email.why):
        return Refusal(Code.NOT_OUTSTANDING)
    given = address_in(value)
    if given is not None:
        return [_given(config, visitor, given)]
    on_the_card = left or state.beside.email.why == "before_chat"
    return _BAD_ANSWER if on_the_card else Despite(_BAD_ANSWER, _asked_again(state, asked))


def with_message(state: Conversation, asked: Stamped, text: str) -> list[AnyBody]:
    """Return what the visitor's message says or sets going beside itself: an address, or the ask for one."""
    ask = state.beside.email
    if state.heard.visitor_ms and not ask.why:
        return []  # so it is with nearly every message
    config, visitor = asked.facts.config, asked.facts.visitor
    if config is None or visitor is None or ask.over or address_of(visitor):
        return []
    if ask.why:
        address = address_in(text)
        return [_given(config, visitor, address)] if address is not None else []
    return _first_asked(state, asked, config)


def before_chat(state: Conversation, asked: Stamped, left: list[Step]) -> list[AnyBody]:
    """Return the ask that comes before the chat, once nothing but it is `left`; it is put once."""
    config, screen = asked.facts.config, shown(state, asked)
    if left != ["email"] or state.beside.email.why == "before_chat" or config is None or screen is None:
        return []
    away = asked.facts.away(screen, asked.at_ms)
    return [EmailAsked("before_chat", email_text(config, screen, asked.command.locale, away))]


def when_due(state: Conversation, asked: Stamped) -> list[AnyBody]:
    """Return the ask that was to come after a delay, or what makes it needless: the ask is then over either way."""
    return _asked_now(state, asked, "delay") or known(asked.facts.visitor) or [EmailGivenUp()]


def when_overflowing(state: Conversation, asked: Stamped) -> list[AnyBody] | Already:
    """Return what is said to somebody who has waited too long: that nobody is there, and the ask for an address.

    Where neither state ever asks for one, this does not either.
    """
    config, flow = asked.facts.config, _own_flow(state, asked)
    if config is None or flow is None:
        return Already()
    text = catalogue.said(config, flow, state.terms.locale, "away", flow.availability.away_text)
    never = state.terms.email.open == state.terms.email.away == "never"
    return [Message(Author(Role.SYSTEM, ""), text), *([] if never else _asked_now(state, asked, "overflow"))]


def known(visitor: VisitorRecord | None) -> list[AnyBody]:
    """Return the entry for an address that the visitor's contact is known by already."""
    contact = visitor.contact if visitor is not None else None
    return [EmailGiven(contact.email, contact.id, contact.verified)] if contact is not None and contact.email else []


def _first_asked(state: Conversation, asked: Stamped, config: AccountConfig) -> list[AnyBody]:
    """Return the ask that goes with the first message, if that is the moment in the present state."""
    flow = _own_flow(state, asked) if state.seq else shown(state, asked)
    if flow is None:
        return []
    away = asked.facts.away(flow, asked.at_ms)
    plan = state.terms.email if state.seq else flow.email
    if (plan.away if away else plan.open) != "on_first_message":
        return []
    text = email_text(config, flow, asked.command.locale, away)
    return [EmailAsked("away" if away else "first_message", text)]


def _asked_now(state: Conversation, asked: Stamped, why: str) -> list[AnyBody]:
    """Return an ask beside the chat, unless one is on the screen, is over, or needs no answer."""
    config, flow, ask = asked.facts.config, _own_flow(state, asked), state.beside.email
    if config is None or flow is None or ask.why or ask.over or address_of(asked.facts.visitor):
        return []
    away = why == "overflow" or asked.facts.away(flow, asked.at_ms)
    return [EmailAsked(why, email_text(config, flow, state.terms.locale, away))]


def _asked_again(state: Conversation, asked: Stamped) -> list[AnyBody]:
    config, flow = asked.facts.config, _own_flow(state, asked)
    if state.beside.email.asks >= MAX_ASKS or config is None or flow is None:
        return [EmailGivenUp()]
    return [EmailAsked("invalid", catalogue.said(config, flow, asked.command.locale, "email_again"))]


def _own_flow(state: Conversation, asked: Stamped) -> Chatflow | None:
    """Return the version that the conversation goes on under."""
    config = asked.facts.config
    return flow_at(config, state.terms.chatflow, state.terms.version) if config is not None else None


def _given(config: AccountConfig, visitor: VisitorRecord, address: str) -> EmailGiven:
    subject = visitor.profile.subject if visitor.profile is not None else ""
    if visitor.contact is not None:
        contact = visitor.contact.id
    elif subject:
        contact = contact_by_subject(config.id_key, subject)
    else:
        contact = contact_by_email(config.id_key, address)
    return EmailGiven(address, contact)
