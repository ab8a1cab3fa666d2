"""What a simulated installation says: errors are bugs, the rest is for whoever wants to read along.

Invariant: an error that says that some machinery raised is never overlooked, even if all went well after it.
"""

import logging
from collections.abc import Callable
from typing import Any

import structlog

from tests.simulation.loop import PART, SimulatedLoop
from tests.simulation.poison import Poison


class Diary:
    """`bugs`: every error logged that is not the doing of a Poison. `tell` hears every line; without it only errors count."""

    def __init__(self, loop: SimulatedLoop, tell: Callable[[str], None] | None) -> None:
        self.bugs: list[str] = []
        self._loop, self._tell = loop, tell
        level = logging.ERROR if tell is None else logging.DEBUG
        wrapper = structlog.make_filtering_bound_logger(level)
        self.log = structlog.wrap_logger(_Nowhere(), processors=[self._note], wrapper_class=wrapper)

    def line(self, text: str) -> None:
        """Tell one line of what happens around the parts."""
        if self._tell is not None:
            self._tell(f"{self._loop.time():8.3f} {PART.get():<12} {text}")

    def _note(self, _logger: Any, method: str, event: dict[str, Any]) -> Any:
        error = event.pop("exc_info", None)
        what = event.pop("event")
        said = " ".join(f"{name}={value}" for name, value in event.items())
        text = f"{what} {said} {error!r}" if error is not None else f"{what} {said}"
        self.line(f"{method} {text}")
        if method in ("error", "critical", "exception") and not _is_poison(error, event):
            self.bugs.append(text)
        raise structlog.DropEvent


class _Nowhere:
    """A logger that is never reached."""


def _is_poison(error: Any, event: dict[str, Any]) -> bool:
    while isinstance(error, BaseException):
        if isinstance(error, Poison):
            return True
        error = error.__cause__
    return event.get("why") == Poison.__name__
