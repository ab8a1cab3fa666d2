"""What differs between two documents: by field, and in lines for people.

Invariant: nothing that differs is left out.
"""

from collections.abc import Mapping
from typing import Any

SHOWN_CHARS = 60


def lines_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return a line for each field of content that differs, by its path."""
    return [f"{field}: {_brief(one)} → {_brief(other)}" for field, one, other in differing(before, after)]


def differing(before: Any, after: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Return (path, before, after) of each value that differs; None where there is none."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        names = {**before, **after}
        inside = ((name, before.get(name), after.get(name)) for name in names)
        return [found for name, one, other in inside for found in differing(one, other, f"{path}.{name}".lstrip("."))]
    return [] if before == after else [(path, before, after)]


def _brief(value: Any) -> str:
    said = "none" if value is None else str(value)
    return said if len(said) <= SHOWN_CHARS else f"{said[: SHOWN_CHARS - 1]}…"
