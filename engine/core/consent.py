"""The answers about consent, and what of them a log must hold before it holds a word (SPEC 4.3, 4.4, 5.5).

Invariant: an answer is logged with the hash of the text that was on the screen, and with that text's version.
"""

from engine.core import email
from engine.core.asked import Stamped
from engine.core.conversation import Conversation
from engine.core.gate import asking, missing_under, shown
from engine.core.phases import Closed, Gated
from protocol.bus.decisions import Already, Refusal
from protocol.bus.records import ConsentRecord
from protocol.bus.steps import (
    REFUSED,
    communicate_label,
    communicate_purpose,
    consent_text,
    process_mode,
    process_outstanding,
    standing,
    storage_ask,
    storage_text,
    text_hash,
)
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody, ConsentAnswered

_GATED = frozenset({Gated, Closed})
Answer = list[AnyBody] | Refusal | Already
NOT_OUTSTANDING = Refusal(Code.NOT_OUTSTANDING)
_GATES = (  # purpose, its step, and the answers that let a visitor in
    ("storage", "storage_consent", ("granted", "declined")),
    ("process", "consent_to_process", ("granted", "implied")),
)


def before_message(state: Conversation, asked: Stamped) -> list[AnyBody] | Refusal:
    """Return what must be logged before the visitor's message, or that nothing is taken yet."""
    config, flow = asked.facts.config, asking(state, asked)
    left = missing_under(flow, state, asked)
    if left:
        return Refusal(REFUSED[left[0]])
    if config is None or flow is None:
        return []
    elsewhere = answered_elsewhere(state, asked) if type(state.phase) in _GATED else []
    if process_mode(config, flow) != "legitimate_interest":
        return elsewhere
    known = standing(asked.facts.visitor, "process", flow, asked.at_ms)
    return elsewhere if _is(known, "granted", "implied") else [*elsewhere, _process(state, asked, "implied")]


def storage(state: Conversation, asked: Stamped) -> Answer:
    """Return what becomes of the answer about keeping the secret on the phone."""
    command, facts = asked.command, asked.facts
    flow, screen = asking(state, asked), shown(state, asked)
    if facts.visitor is None or facts.config is None or flow is None or screen is None:
        return NOT_OUTSTANDING
    known = standing(facts.visitor, "storage", flow, asked.at_ms)
    if _is(known, command.value):
        return Already()
    if storage_ask(facts.config, flow) == "never" or facts.visitor.identified or _is(known, "granted"):
        return NOT_OUTSTANDING
    text = storage_text(facts.config, screen, command.locale)
    return [ConsentAnswered("storage", command.value, text_hash(text), command.locale, screen.version)]


def process(state: Conversation, asked: Stamped) -> Answer:
    """Return what becomes of the answer on the consent card, the box on it included."""
    command, facts = asked.command, asked.facts
    flow = asking(state, asked)
    if facts.config is None or flow is None:
        return NOT_OUTSTANDING
    if not process_outstanding(facts.config, flow, facts.visitor, asked.at_ms):
        known = standing(facts.visitor, "process", flow, asked.at_ms)
        return Already() if _is(known, command.value) else NOT_OUTSTANDING
    answered: list[AnyBody] = [_process(state, asked, command.value)]
    if command.value == "granted" and command.communicate is not None:
        answered += _communicate(state, asked, "granted" if command.communicate else "declined")
    return answered


def communicate(state: Conversation, asked: Stamped) -> Answer:
    """Return what becomes of an answer to the box that comes after the card."""
    flow, facts = asking(state, asked), asked.facts
    if facts.config is None or flow is None or flow.communicate is None:
        return NOT_OUTSTANDING
    if process_outstanding(facts.config, flow, facts.visitor, asked.at_ms):
        return Refusal(Code.CONSENT_REQUIRED)
    return _communicate(state, asked, asked.command.value) or Already()


def _process(state: Conversation, asked: Stamped, answer: str) -> ConsentAnswered:
    screen, config, locale = shown(state, asked), asked.facts.config, asked.command.locale
    assert screen is not None, "nobody answers a chatflow that is not there"
    assert config is not None
    text = consent_text(config, screen, locale)
    return ConsentAnswered("process", answer, text_hash(text), locale, screen.version)  # type: ignore[arg-type]


def _communicate(state: Conversation, asked: Stamped, answer: str) -> list[AnyBody]:
    """Return the answer to the box, unless it is what already stands."""
    screen, config, locale = shown(state, asked), asked.facts.config, asked.command.locale
    if screen is None or config is None or screen.communicate is None:
        return []
    subscription = screen.communicate.subscription
    if _is(standing(asked.facts.visitor, communicate_purpose(subscription), screen, asked.at_ms), answer):
        return []
    hashed = text_hash(communicate_label(config, screen, locale))
    return [ConsentAnswered("communicate", answer, hashed, locale, screen.version, subscription)]  # type: ignore[arg-type]


def answered_elsewhere(state: Conversation, asked: Stamped) -> list[AnyBody]:
    """Return what this gate waited for and the visitor has answered in another place: the log must say so too."""
    phase, flow, visitor = state.phase, asking(state, asked), asked.facts.visitor
    if not isinstance(phase, Gated | Closed) or flow is None:
        return []
    awaited = ("consent_to_process",) if isinstance(phase, Gated) and not phase.missing else phase.missing
    answers: list[AnyBody] = []
    for purpose, step, lets_in in _GATES:
        known = standing(visitor, purpose, flow, asked.at_ms) if step in awaited else None
        if known is not None and known.answer in lets_in:
            as_before = (known.text_hash, known.locale, known.version)
            answers.append(ConsentAnswered(purpose, known.answer, *as_before))  # type: ignore[arg-type]
    return [*answers, *(email.known(visitor) if "email" in awaited else [])]


def _is(known: ConsentRecord | None, *answers: str) -> bool:
    return known is not None and known.answer in answers
