"""A visitor's record: devices and secrets, consents, contact, context, and the current conversation per chatflow.

Invariant: one writer holds all of it, so that "one open per chatflow" and "asked once" are facts and not races. It
has no log: deciding and evolving are one step, from record to record. Asking the same again changes nothing.
"""

from typing import Any

from msgspec.structs import replace

from engine.core import admission, contacts, context, merging, purposes
from engine.core.admission import LEFT, UNKNOWN
from engine.core.changed import Became, Changed
from engine.core.erasing import erase_visitor
from engine.core.merging import Leaves, LogsIn
from protocol.bus.commands import Admit, CompanySends, ErasePerson, LogOut, NoteContext, SetAnalytics, VisitorWithdraws
from protocol.bus.config import AccountConfig
from protocol.bus.decisions import Already
from protocol.bus.effects import NoteBlocked, NoteClosed, NoteConsent, NoteEmail, NoteStarted
from protocol.bus.records import CurrentConversation, VisitorRecord
from protocol.ids import ChatflowId


def decide(record: VisitorRecord | None, command: Any, at_ms: int, config: AccountConfig | None = None) -> Became:
    """Return what the record is after `command`, or why not. `record` None: the cell has none."""
    match command:
        case Admit():
            return admission.admit(record if record is not None else command.record, command, at_ms, config)
        case CompanySends():
            return _met(record, command, at_ms)
        case LogsIn() | Leaves():
            return merging.merge(record, command, at_ms, config)
        case ErasePerson():
            return erase_visitor(record if record is not None else command.record, command, at_ms)
        case VisitorWithdraws(record=VisitorRecord() as stored) if record is None:
            return decide(stored, command, at_ms, config)
        case _ if record is None or record.merged or record.account != command.account:
            return UNKNOWN
        case LogOut():
            return admission.log_out(record, command)
        case VisitorWithdraws():
            return purposes.withdraw(record, command, at_ms)
        case SetAnalytics():
            return purposes.set_analytics(record, command, at_ms)
        case NoteContext():
            return context.note_context(record, command, at_ms, config)
        case NoteEmail():
            return contacts.note_email(record, command, at_ms, config)
        case _:
            return _noted(record, command, at_ms)


def _noted(record: VisitorRecord, note: Any, at_ms: int) -> Became:
    """Return the record after what the visitor's conversations say of themselves."""
    match note:
        case NoteStarted():
            current = CurrentConversation(note.conversation, note.ordinal, None, note.reopen_window_s)
            return Changed(replace(record, current={**record.current, ChatflowId(note.chatflow): current}))
        case NoteClosed():
            return _note_closed(record, note, at_ms)
        case NoteConsent():
            return purposes.note_consent(record, note, at_ms)
        case NoteBlocked() if note.blocked == record.blocked:
            return Already()
        case NoteBlocked():
            ended = purposes.ends(record, "blocked") if note.blocked else []
            return Changed(replace(record, blocked=note.blocked), [*ended])
        case _:
            raise AssertionError(f"no visitor decides {type(note).__name__}")


def _met(record: VisitorRecord | None, command: CompanySends, at_ms: int) -> Became:
    """Return the record of whom the company writes to, made if they have never been here."""
    known = record if record is not None else command.record
    if known is None and command.known:
        return LEFT
    if known is None:
        names = (command.visitor, command.account, command.app)
        return Changed(VisitorRecord(*names, True, at_ms, at_ms, {}, {}, {}))
    if (known.account, known.app) != (command.account, command.app) or not known.identified:
        return UNKNOWN
    return Already() if record is not None else Changed(known)


def _note_closed(record: VisitorRecord, note: NoteClosed, at_ms: int) -> Became:
    chatflow = ChatflowId(note.chatflow)
    current = record.current.get(chatflow)
    if current is None or current.conversation != note.conversation:
        return Already()
    closed_at_ms = at_ms if note.closed else None
    ended = replace(current, closed_at_ms=closed_at_ms, survey_until_ms=note.survey_until_ms)
    if note.final:
        ended = replace(ended, reopen_window_s=0)
    return Changed(replace(record, current={**record.current, chatflow: ended}))
