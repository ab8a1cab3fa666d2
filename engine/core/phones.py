"""Facts that are told apart by the visitor's phone, which only the visitor's record knows.

Invariant: it is the phone that was heard last; without a record there is none, and the fact is kept all the same.
"""

from msgspec.structs import replace

from protocol.bus.effects import Inner, Keep
from protocol.bus.facts import SurveyChanged
from protocol.bus.figures import Begun
from protocol.bus.records import VisitorRecord
from protocol.ids import VisitorId


class KeepWithPhone(Inner, frozen=True):
    """To the visitor's record: `fact` is to be kept, with the phone that was heard last."""

    visitor: VisitorId
    fact: SurveyChanged | Begun


def kept(inner: KeepWithPhone, record: VisitorRecord | None) -> Keep:
    """Return `inner`'s fact with the phone that was heard last."""
    devices = record.devices.values() if record is not None else ()
    latest = max(devices, key=lambda device: device.seen_at_ms, default=None)
    if latest is None:
        return Keep(inner.fact)
    return Keep(replace(inner.fact, platform=latest.platform, app_version=latest.app_version))
