"""A visitor's hello and their leaving: devices, secrets, and what the company's token says of them (SPEC 3.2, 3.7).

Invariant: a secret is bound to its device, and the old one stays valid until the new one was presented once. What a
token says is kept only where no consent to process is awaited.
"""

from typing import Any

from msgspec.structs import replace

from engine.core import contacts
from engine.core.changed import Became, Changed
from protocol.bus.commands import Admit, LogOut
from protocol.bus.config import AccountConfig
from protocol.bus.decisions import Already, Refusal
from protocol.bus.records import DeviceRecord, VisitorRecord
from protocol.bus.steps import may_process
from protocol.ids import DeviceId
from protocol.wire.codes import Code

MAX_DEVICES = 32  # of one visitor; an anonymous one has one
UNKNOWN = Refusal(Code.VISITOR_UNKNOWN)
LEFT = Refusal(Code.UNAVAILABLE)  # to be asked again, with what SQL has


def admit(record: VisitorRecord | None, command: Admit, at_ms: int, config: AccountConfig | None) -> Became:
    """Return the record with the device that said hello in it. `record` None: neither the cell nor SQL has one."""
    if record is None and command.known:
        return LEFT
    if record is not None and (record.account, record.app) != (command.account, command.app):
        return UNKNOWN
    known = record.devices.get(command.device) if record is not None else None
    secrets = (b"", b"") if command.identified else _secrets(record, known, command)
    if secrets is None:
        return UNKNOWN
    secret, pending = secrets
    began_as = known.began_as if known is not None else ""
    device = DeviceRecord(
        command.platform, command.app_version, command.locale, at_ms, secret, pending, began_as=began_as
    )
    if record is None:
        names = (command.visitor, command.account, command.app, command.identified)
        admitted = VisitorRecord(*names, at_ms, at_ms, {command.device: device}, {}, {})
    else:
        devices = _newest({**record.devices, command.device: device})
        admitted = replace(record, seen_at_ms=at_ms, devices=devices)
    if command.profile is None or config is None:
        return Changed(admitted)
    allowed = may_process(config, command.chatflow, command.version, admitted, at_ms)
    return contacts.introduced(admitted, command, at_ms, config) if allowed else Changed(admitted)


def names_of(record: VisitorRecord | None, command: Any) -> list[str]:
    """Return whom the phone that asks has been since its last logout: its visitor, and who they were before."""
    phone = record.devices.get(command.origin.device) if record is not None else None
    return [command.visitor, *([phone.began_as] if phone is not None and phone.began_as else [])]


def log_out(record: VisitorRecord, command: LogOut) -> Became:
    """Return the record with the device revoked."""
    device = record.devices.get(command.device)
    if device is None:
        return UNKNOWN
    if device.revoked:
        return Already()
    revoked = replace(device, secret=b"", pending=b"", revoked=True, began_as="")
    return Changed(replace(record, devices={**record.devices, command.device: revoked}))


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
