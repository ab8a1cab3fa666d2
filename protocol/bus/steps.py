"""The steps before and around talking: which of them a visitor has still to answer, and in what words (SPEC 4.2–4.5).

Invariant: engine and gateway both ask here, so that they never disagree; not knowing counts as outstanding. A grant
counts under every chatflow, for 365 days.
"""

import hashlib
import re
from typing import Literal, get_args

from protocol.bus import catalogue
from protocol.bus.chatflow import Chatflow, EmailMoment, Rollout
from protocol.bus.config import AccountConfig, flow_at
from protocol.bus.records import ConsentRecord, VisitorRecord
from protocol.ids import ChatflowId
from protocol.wire.codes import Code

Step = Literal["storage_consent", "consent_to_process", "email"]
STEPS: tuple[Step, ...] = get_args(Step)  # in the order of the screen
REFUSED: dict[Step, Code] = {
    "storage_consent": Code.STORAGE_REQUIRED,
    "consent_to_process": Code.CONSENT_REQUIRED,
    "email": Code.EMAIL_REQUIRED,
}
EVERYBODY = Rollout()
VALID_MS = 365 * 86_400_000  # then a consent is asked again
MAX_ADDRESS = 254
_ADDRESS = re.compile(
    r"""[^@\s\x00<>()\[\],;:\\"]{1,64}@(?:[^@\s\x00.<>()\[\],;:\\"]{1,63}\.)+[^@\s\x00.<>()\[\],;:\\"]{2,63}"""
)


def outstanding(
    config: AccountConfig,
    flow: Chatflow,
    record: VisitorRecord | None,
    at_ms: int,
    away: bool,
    spoken: bool = False,
) -> list[Step]:
    """Return the steps that come before the composer, in the order of the screen. `record` None: nothing is known.

    `spoken`: the visitor has spoken in the conversation that goes on; before the chat is then over, and no address is
    waited for.
    """
    steps: list[Step] = []
    if flow.storage.ask == "before_chat" and storage_outstanding(config, flow, record, at_ms):
        steps.append("storage_consent")
    if flow.consent.mode != "off" and process_outstanding(config, flow, record, at_ms):
        steps.append("consent_to_process")
    if not spoken and email_moment(flow, away) == "before_chat" and not address_of(record):
        steps.append("email")
    return steps


def storage_outstanding(config: AccountConfig, flow: Chatflow, record: VisitorRecord | None, at_ms: int) -> bool:
    """Whether the phone must be asked first; yes and no both answer it. Identified visitors are never asked."""
    if storage_ask(config, flow) != "before_chat" or (record is not None and record.identified):
        return False
    answer = standing(record, "storage", flow, at_ms)
    return answer is None or answer.answer == "withdrawn"


def process_outstanding(config: AccountConfig, flow: Chatflow, record: VisitorRecord | None, at_ms: int) -> bool:
    """Whether nothing may be taken before a grant. Once withdrawn, no legitimate interest stands in for it."""
    mode = process_mode(config, flow)
    if mode == "off":
        return False
    answer = standing(record, "process", flow, at_ms)
    if mode == "explicit":
        return answer is None or answer.answer != "granted"
    return answer is not None and answer.answer == "withdrawn"


def may_process(
    config: AccountConfig, chatflow: ChatflowId | None, served: int, record: VisitorRecord | None, at_ms: int
) -> bool:
    """Whether what an app or a token says of the visitor may be kept; under no chatflow, only by a standing consent."""
    flow = current_flow(config, chatflow, served)
    if flow is not None:
        return not process_outstanding(config, flow, record, at_ms)
    answer = record.consents.get("process") if record is not None else None
    granted = answer is not None and answer.answer in ("granted", "implied") and at_ms < answer.at_ms + VALID_MS
    return granted or not config.data_privacy


def standing(record: VisitorRecord | None, purpose: str, flow: Chatflow, at_ms: int) -> ConsentRecord | None:
    """Return the visitor's answer for `purpose` as far as it still counts; a withdrawal counts for ever."""
    answer = record.consents.get(purpose) if record is not None else None
    if answer is None or answer.answer == "withdrawn":
        return answer
    asked_again = purpose == "process" and answer.chatflow == flow.id and answer.version < flow.consent.ask_again_from
    return None if asked_again or at_ms >= answer.at_ms + VALID_MS else answer


def lapses_ms(record: VisitorRecord | None) -> list[int]:
    """Return when the visitor's answers cease to count by themselves."""
    return [answer.at_ms + VALID_MS for answer in record.consents.values()] if record is not None else []


def current_flow(config: AccountConfig, chatflow: ChatflowId | None, served: int) -> Chatflow | None:
    """Return the version whose steps a device must answer: the newest, but in a staged rollout the one it was served.

    A gateway that has not heard of a publish yet thereby opens nothing that the publish closed.
    """
    newest = flow_at(config, chatflow, 0)
    return newest if newest is None or newest.rollout == EVERYBODY else flow_at(config, chatflow, served)


def storage_ask(config: AccountConfig, flow: Chatflow) -> Literal["never", "before_chat", "on_exit_intent"]:
    """Return when keeping the secret on the phone is asked, the account's switch considered."""
    return flow.storage.ask if config.storage_consent else "never"


def process_mode(config: AccountConfig, flow: Chatflow) -> Literal["off", "explicit", "legitimate_interest"]:
    """Return how the consent to process is asked, the account's switch considered."""
    return flow.consent.mode if config.data_privacy else "off"


def email_moment(flow: Chatflow, away: bool) -> EmailMoment:
    """Return when an address is asked in the present state."""
    return flow.email.away if away else flow.email.open


def address_of(record: VisitorRecord | None) -> str:
    """Return the address that the visitor's contact is known by; "" if there is none."""
    return record.contact.email if record is not None and record.contact is not None else ""


def communicate_purpose(subscription: str) -> str:
    """Return the purpose under which a visitor's record keeps the consent to communicate about `subscription`."""
    return f"communicate:{subscription}"


def subscription_of(purpose: str) -> str | None:
    """Return the subscription that such a purpose is about; None for other purposes."""
    kind, _, subscription = purpose.partition(":")
    return subscription if kind == "communicate" else None


def address_in(text: str) -> str | None:
    """Return the e-mail address that `text` is, without the space around it; None if it is not exactly one."""
    address = text.strip()
    return address if len(address) <= MAX_ADDRESS and _ADDRESS.fullmatch(address) else None


def storage_text(config: AccountConfig, flow: Chatflow, locale: str) -> str:
    """Return what the storage consent says."""
    return catalogue.said(config, flow, locale, "consent_storage", flow.storage.text)


def consent_text(config: AccountConfig, flow: Chatflow, locale: str) -> str:
    """Return what the consent to process says."""
    name = "consent_explicit" if flow.consent.mode == "explicit" else "consent_legitimate_interest"
    return catalogue.said(config, flow, locale, name, flow.consent.text)


def communicate_label(config: AccountConfig, flow: Chatflow, locale: str) -> str:
    """Return what stands beside the box of the consent to communicate; "" if the chatflow has none."""
    return catalogue.label(config, flow, locale) or ""


def email_text(config: AccountConfig, flow: Chatflow, locale: str, away: bool) -> str:
    """Return the words in which an address is asked in the present state."""
    own = flow.email.away_text if away else flow.email.text
    name = "email_away" if away else "email_open"
    return catalogue.said(
        config, flow, locale, "email_before_chat" if email_moment(flow, away) == "before_chat" else name, own
    )


def text_hash(text: str) -> str:
    """Return what the consent ledger says of a text that was on a screen: its hex SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()
