"""A visitor's standing answer for each purpose, and the ledger line that every answer leaves (product §3).

Invariant: a record changes only with a line in the ledger. The first grant stands until it has run out or was taken
back; what was taken back, a refusal does not cover up.
"""

from typing import Final

from msgspec.structs import replace

from engine.core.changed import Became, Changed
from engine.core.contacts import subscribed
from protocol.bus.commands import SetAnalytics, VisitorWithdraws
from protocol.bus.decisions import Already
from protocol.bus.effects import Effect, End, Inner, Keep, NoteConsent
from protocol.bus.facts import ConsentGiven
from protocol.bus.records import ConsentRecord, VisitorRecord
from protocol.bus.steps import VALID_MS, communicate_purpose, subscription_of
from protocol.ids import ChatflowId, DeviceId

_UNASKED: Final = ConsentRecord("", 0, "", ChatflowId(""), 0, "", "")


def note_consent(record: VisitorRecord, note: NoteConsent, at_ms: int) -> Became:
    """Return the record with the answer to a step that a conversation has logged."""
    purpose = communicate_purpose(note.subscription) if note.subscription else note.purpose
    known = record.consents.get(purpose, _UNASKED)
    latest = max(record.devices.values(), key=lambda device: device.seen_at_ms, default=None)
    app_version = latest.app_version if latest is not None else ""
    asked = (note.text_hash, ChatflowId(note.chatflow), note.version, note.locale)
    answer = ConsentRecord(note.answer, at_ms, *asked, app_version)
    said_no_again = (note.purpose, note.answer) == ("process", "declined")  # nobody is let in by that elsewhere
    if _repeats(known, answer) and not said_no_again:
        return Already()
    line = _line(record, purpose, answer, note.event, note.conversation)
    covers = (known.answer, answer.answer) == ("withdrawn", "declined")
    return _answered(record, purpose, known if covers else answer, line)


def set_analytics(record: VisitorRecord, command: SetAnalytics, at_ms: int) -> Became:
    """Return the record with the app's own answer about optional properties of the device."""
    value = "granted" if command.granted else "declined"
    known = record.consents.get("analytics")
    if known is not None and known.answer == value:
        return Already()
    answer = replace(_UNASKED, answer=value, at_ms=at_ms, locale=command.locale)
    return _by_itself(record, "analytics", answer, command.device)


def withdraw(record: VisitorRecord, command: VisitorWithdraws, at_ms: int) -> Became:
    """Return the record with a consent taken back; that to process takes every open conversation with it."""
    after: VisitorRecord = record
    asked: list[Inner | Effect] = []
    for purpose in _purposes(record, command.purpose):
        known = after.consents.get(purpose, _UNASKED)
        if known.answer != "withdrawn":
            answer = replace(known, answer="withdrawn", at_ms=at_ms, locale=command.locale)
            changed = _by_itself(after, purpose, answer, command.device)
            after, asked = changed.record, [*asked, *changed.asked]
    if after is record:
        return Already()
    if command.purpose == "process":
        asked += ends(record, "consent_withdrawn")
    return Changed(after, asked)


def ends(record: VisitorRecord, reason: str) -> list[Inner]:
    """Return what ends each of the visitor's open conversations."""
    current = record.current.values()
    return [End(record.account, each.conversation, reason) for each in current if each.closed_at_ms is None]


def _purposes(record: VisitorRecord, purpose: str) -> list[str]:
    """Return the purposes on record that one word of the visitor is about; a box never ticked cannot be unticked."""
    if purpose == "communicate":
        ticked = (known for known, answer in record.consents.items() if answer.answer == "granted")
        return [known for known in ticked if subscription_of(known) is not None]
    return [purpose]


def _repeats(known: ConsentRecord, answer: ConsentRecord) -> bool:
    """Whether `answer` is a standing one, said again in the log of another conversation."""
    same = replace(known, at_ms=0, chatflow="", app_version="") == replace(answer, at_ms=0, chatflow="", app_version="")
    return same and answer.at_ms < known.at_ms + VALID_MS


def _by_itself(record: VisitorRecord, purpose: str, answer: ConsentRecord, device: DeviceId) -> Changed:
    """Return the record with an answer that no conversation logs."""
    phone = record.devices.get(device)
    answer = replace(answer, app_version=phone.app_version if phone is not None else answer.app_version)
    line = _line(record, purpose, answer, f"{record.id}:{purpose}:{answer.answer}:{answer.at_ms}", "")
    return _answered(record, purpose, answer, line)


def _answered(record: VisitorRecord, purpose: str, answer: ConsentRecord, line: ConsentGiven) -> Changed:
    after = replace(record, consents={**record.consents, purpose: answer})
    if purpose == "analytics" and answer.answer != "granted":
        after = replace(after, context=replace(after.context, device={}))
    return Changed(after, [Keep(line), *subscribed(after, purpose)])


def _line(record: VisitorRecord, purpose: str, answer: ConsentRecord, id_: str, conversation: str) -> ConsentGiven:
    return ConsentGiven(
        account=record.account,
        id=id_,
        visitor=record.id,
        app=record.app,
        chatflow=answer.chatflow,
        conversation=conversation,
        purpose=purpose.partition(":")[0],
        answer=answer.answer,
        text_hash=answer.text_hash,
        version=answer.version,
        locale=answer.locale,
        app_version=answer.app_version,
        at_ms=answer.at_ms,
        subscription=subscription_of(purpose) or "",
        contact=record.contact.id if record.contact is not None else "",
    )
