"""What an app tells of its visitor, held in the session until it may be told on (SPEC 9.5).

Invariant: never more than 8 KiB, whatever the app tells; nothing leaves before its consent, and then not faster than
one telling in 2 s, one at a time.
"""

import msgspec
from msgspec import Struct

from protocol.wire.client import SetContext

MAX_BYTES = 8_192
EVERY_MS = 2_000
BREADCRUMBS = 20
_size = msgspec.msgpack.Encoder().encode


class Telling(Struct, frozen=True):
    """Part of what was told: merged, "" removes a property."""

    screen: str | None = None
    properties: dict[str, str] = {}
    device: dict[str, str] = {}
    breadcrumbs: list[str] = []


NOTHING = Telling()


class Context:
    """What was told and the cell does not have yet."""

    def __init__(self) -> None:
        self._held = NOTHING
        self._next_ms = 0
        self._under_way = False

    def take(self, frame: SetContext) -> bool:
        """Merge a frame into what is held; False, and nothing of it is kept, if that grows beyond the limit."""
        held = self._held
        crumbs = [*held.breadcrumbs, *([frame.breadcrumb] if frame.breadcrumb else [])]
        merged = Telling(
            held.screen if frame.screen is None else frame.screen,
            {**held.properties, **frame.properties},
            {**held.device, **frame.device},
            crumbs[-BREADCRUMBS:],
        )
        if len(_size(merged)) > MAX_BYTES:
            return False
        self._held = merged
        return True

    def due(self, at_ms: int, *, analytics: bool) -> Telling | int | None:
        """Return what may be told on now, the consent to process given; or when to ask again; or None.

        Device properties wait for the analytics consent.
        """
        ready = self._held if analytics else msgspec.structs.replace(self._held, device={})
        if self._under_way or ready == NOTHING:
            return None
        if at_ms < self._next_ms:
            return self._next_ms
        self._held = NOTHING if analytics else Telling(device=self._held.device)
        self._next_ms, self._under_way = at_ms + EVERY_MS, True
        return ready

    def told(self) -> None:
        """What was told on last has its outcome."""
        self._under_way = False
