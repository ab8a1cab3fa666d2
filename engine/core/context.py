"""What the app tells of its visitor: the screen, properties, and where they have been (SPEC 9.5).

Invariant: bounded, however much is told; nothing is kept before the consent to process, and of the device only what
the analytics consent allows.
"""

from typing import Final

from msgspec.structs import replace

from engine.core.changed import Became, Changed
from protocol.bus.commands import NoteContext
from protocol.bus.config import AccountConfig
from protocol.bus.decisions import Already, Refusal
from protocol.bus.records import Breadcrumb, VisitorRecord
from protocol.bus.steps import may_process
from protocol.wire.codes import Code

MAX_PROPERTIES: Final = 50
MAX_DEVICE_PROPERTIES: Final = 20
MAX_BREADCRUMBS: Final = 20
MAX_SCREEN: Final = 200
MAX_CHARS: Final = 8_192  # of all properties, their names included


def note_context(record: VisitorRecord, command: NoteContext, at_ms: int, config: AccountConfig | None) -> Became:
    """Return the record with what is told merged into it; "" removes a property."""
    if config is None or not may_process(config, command.chatflow, command.version, record, at_ms):
        return Refusal(Code.CONSENT_REQUIRED)
    known = record.context
    analytics = record.consents.get("analytics")
    device = command.device if analytics is not None and analytics.answer == "granted" else {}
    been = [*known.breadcrumbs, *(Breadcrumb(at_ms, text) for text in command.breadcrumbs if text)]
    context = replace(
        known,
        screen=known.screen if command.screen is None else command.screen[:MAX_SCREEN],
        properties=_merged(known.properties, command.properties, MAX_PROPERTIES),
        device=_merged(known.device, device, MAX_DEVICE_PROPERTIES),
        breadcrumbs=been[-MAX_BREADCRUMBS:],
    )
    return Already() if context == known else Changed(replace(record, context=context))


def _merged(known: dict[str, str], told: dict[str, str], most: int) -> dict[str, str]:
    """Return what is known now: of too much, what was told last."""
    kept = {name: value for name, value in known.items() if name not in told}
    merged = {name: value for name, value in {**kept, **told}.items() if value}
    newest, left = [], MAX_CHARS
    for name, value in reversed(list(merged.items())[-most:]):
        left -= len(name) + len(value)
        if left >= 0:
            newest.append((name, value))
    return dict(reversed(newest))
