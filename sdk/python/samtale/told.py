"""What the app tells of its user: where they are, properties, and the last things they did (SPEC 9.5).

Invariant: all of it is said again on every line, since the server may hold it for the line only; a breadcrumb is said
again only while the server has not taken it.
"""

from collections.abc import Iterator
from itertools import islice

from samtale.outlet import Frame

MAX_PROPERTIES, MAX_DEVICE, MAX_BREADCRUMBS = 50, 20, 20


class Told:
    """Merged as the server merges it; a removed property stays as "", so that it is removed there too."""

    def __init__(self) -> None:
        self._screen: str | None = None
        self._properties: dict[str, str] = {}
        self._device: dict[str, str] = {}
        self._breadcrumbs: list[str] = []

    def merge(self, screen: str | None, properties: dict[str, str], device: dict[str, str]) -> Iterator[Frame]:
        """Take what is new and return the frames that say it."""
        self._screen = self._screen if screen is None else screen
        self._properties |= properties
        self._device |= device
        return _frames(screen, properties, device)

    def drop(self, breadcrumb: str) -> Frame:
        """Remember one thing the user did and return the frame that says it."""
        self._breadcrumbs = [*self._breadcrumbs, breadcrumb][-MAX_BREADCRUMBS:]
        return {"t": "set_context", "breadcrumb": breadcrumb}

    def again(self) -> Iterator[Frame]:
        """Yield the frames that say everything."""
        yield from _frames(self._screen, self._properties, self._device)
        for breadcrumb in self._breadcrumbs:
            yield {"t": "set_context", "breadcrumb": breadcrumb}

    def taken(self) -> None:
        """The server has taken the breadcrumbs that it was told."""
        self._breadcrumbs = []


def _frames(screen: str | None, properties: dict[str, str], device: dict[str, str]) -> Iterator[Frame]:
    if screen is not None:
        yield {"t": "set_context", "screen": screen}
    for name, values, most in (("properties", properties, MAX_PROPERTIES), ("device", device, MAX_DEVICE)):
        left = iter(values.items())
        while some := dict(islice(left, most)):
            yield {"t": "set_context", name: some}
