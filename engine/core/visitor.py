"""A visitor's record: devices and secrets, consents, and the current conversation under each chatflow.

Invariant: one writer holds all of it, so that "one open per chatflow" and "asked once" are facts and not races. It
has no log: deciding and evolving are one step, from record to record. Asking the same again changes nothing.
"""

from typing import Any

from msgspec.structs import replace

from protocol.bus.commands import Admit, LogOut
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import NoteClosed, NoteConsent, NoteStarted
from protocol.bus.records import ConsentRecord, CurrentConversation, DeviceRecord, VisitorRecord
from protocol.ids import ChatflowId, DeviceId
from protocol.wire.codes import Code

MAX_DEVICES = 32  # of one visitor; an anonymous one has one
_UNKNOWN = Refusal(Code.VISITOR_UNKNOWN)
_LEFT = Refusal(Code.UNAVAILABLE)  # to be asked again, with what SQL has

Note = NoteStarted | NoteClosed | NoteConsent


def decide(record: VisitorRecord | None, command: Any, at_ms: int) -> VisitorRecord | Refusal | Already:
    """Return what the record is after `command`, or why not. `record` None: the cell has none."""
    match command:
        case Admit():
            return _admit(record if record is not None else command.record, command, at_ms)
        case _ if record is None or record.account != command.account:
            return _UNKNOWN
        case LogOut():
            return _log_out(record, command)
        case NoteStarted():
            return _note_started(record, command)
        case NoteClosed():
            return _note_closed(record, command, at_ms)
        case NoteConsent():
            return _note_consent(record, command, at_ms)
        case _:
            raise AssertionError(f"no visitor decides {type(command).__name__}")


def _admit(record: VisitorRecord | None, command: Admit, at_ms: int) -> VisitorRecord | Refusal:
    if record is None and command.known:
        return _LEFT
    if record is not None and (record.account, record.app) != (command.account, command.app):
        return _UNKNOWN
    known = record.devices.get(command.device) if record is not None else None
    secrets = (b"", b"") if command.identified else _secrets(record, known, command)
    if secrets is None:
        return _UNKNOWN
    secret, pending = secrets
    device = DeviceRecord(command.platform, command.app_version, command.locale, at_ms, secret, pending)
    if record is None:
        names = (command.visitor, command.account, command.app, command.identified)
        return VisitorRecord(*names, at_ms, at_ms, {command.device: device}, {}, {})
    return replace(record, seen_at_ms=at_ms, devices=_newest({**record.devices, command.device: device}))


def _newest(devices: dict[DeviceId, DeviceRecord]) -> dict[DeviceId, DeviceRecord]:
    """Return the devices seen last: a token lets its holder name any number, and each makes the record longer."""
    if len(devices) <= MAX_DEVICES:
        return devices
    kept = sorted(devices, key=lambda device: devices[device].seen_at_ms)[-MAX_DEVICES:]
    return {device: devices[device] for device in devices if device in kept}


def _secrets(record: VisitorRecord | None, known: DeviceRecord | None, command: Admit) -> tuple[bytes, bytes] | None:
    """Return the device's (secret, pending) from now on; None if nothing it presented is valid.

    The old secret stays valid until the new one was presented once: a line may drop in between.
    """
    if known is None or known.revoked:
        new = record is None and not command.presented
        return (b"", command.fresh) if new else None
    if not command.presented:
        # Only the very command that made this visitor may come without a secret, when it is put in again.
        return (b"", command.fresh) if not known.secret and known.pending == command.fresh else None
    if known.pending and known.pending in command.presented:
        return known.pending, command.fresh
    if known.secret and known.secret in command.presented:
        return known.secret, command.fresh
    return None


def _log_out(record: VisitorRecord, command: LogOut) -> VisitorRecord | Refusal | Already:
    device = record.devices.get(command.device)
    if device is None:
        return _UNKNOWN
    if device.revoked:
        return Already()
    revoked = replace(device, secret=b"", pending=b"", revoked=True)
    return replace(record, devices={**record.devices, command.device: revoked})


def _note_started(record: VisitorRecord, note: NoteStarted) -> VisitorRecord:
    current = CurrentConversation(note.conversation, note.ordinal, None, note.reopen_window_s)
    return replace(record, current={**record.current, ChatflowId(note.chatflow): current})


def _note_closed(record: VisitorRecord, note: NoteClosed, at_ms: int) -> VisitorRecord | Already:
    chatflow = ChatflowId(note.chatflow)
    current = record.current.get(chatflow)
    if current is None or current.conversation != note.conversation:
        return Already()
    ended = replace(current, closed_at_ms=at_ms if note.closed else None)
    return replace(record, current={**record.current, chatflow: ended})


def _note_consent(record: VisitorRecord, note: NoteConsent, at_ms: int) -> VisitorRecord | Already:
    standing = record.consents.get(note.purpose)
    if standing is not None and standing.answer == "granted":
        return Already()  # the first grant is the one on record
    latest = max(record.devices.values(), key=lambda device: device.seen_at_ms, default=None)
    answer = ConsentRecord(
        note.answer,
        at_ms,
        note.text_hash,
        ChatflowId(note.chatflow),
        note.version,
        note.locale,
        latest.app_version if latest is not None else "",
    )
    return replace(record, consents={**record.consents, note.purpose: answer})
