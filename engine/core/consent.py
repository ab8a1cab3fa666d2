"""Consent to process: what must have been answered before a word is taken (SPEC 4.3).

Invariant: not knowing counts as outstanding. The visitor's standing answer counts under every chatflow that asks.
"""

import hashlib

from engine.core.asked import Facts, flow_of
from protocol.bus.config import Chatflow, text_for
from protocol.bus.decisions import Refusal
from protocol.bus.records import ConsentRecord
from protocol.ids import ChatflowId
from protocol.wire.codes import Code
from protocol.wire.content import ConsentAnswered

PROCESS = "process"
_REQUIRED = Refusal(Code.CONSENT_REQUIRED)


def standing(facts: Facts) -> ConsentRecord | None:
    """Return the visitor's last answer, or None."""
    return facts.visitor.consents.get(PROCESS) if facts.visitor else None


def text_hash(flow: Chatflow, locale: str) -> str:
    """Return the hex SHA-256 of the consent text that `locale` sees."""
    return hashlib.sha256((text_for(flow.consent.text, locale, flow.language) or "").encode()).hexdigest()


def outstanding(facts: Facts, chatflow: ChatflowId | None) -> Chatflow | None:
    """Return the chatflow if it asks explicitly and the visitor has not granted; None if nothing is asked."""
    answer = standing(facts)
    if facts.config is None or (answer is not None and answer.answer == "granted"):
        return None
    flow = flow_of(facts.config, chatflow)
    return flow if flow is not None and flow.consent.mode == "explicit" else None


def before_message(
    facts: Facts, chatflow: ChatflowId | None, locale: str, *, gated: bool = False
) -> list[ConsentAnswered] | Refusal:
    """Return what must be logged before the visitor's message, or that nothing is taken yet."""
    answer = standing(facts)
    if answer is not None and answer.answer == "granted":
        # Granted under another chatflow: this log must say so too before it holds a word.
        return [ConsentAnswered("process", "granted", answer.text_hash, answer.locale)] if gated else []
    flow = flow_of(facts.config, chatflow) if facts.config else None
    if flow is None:
        return _REQUIRED if gated else []  # a running conversation outlives its chatflow, a closed gate stays closed
    if flow.consent.mode == "explicit":
        return _REQUIRED
    if flow.consent.mode == "off" or (answer is not None and answer.answer == "implied"):
        return []
    return [ConsentAnswered("process", "implied", text_hash(flow, locale), locale)]
