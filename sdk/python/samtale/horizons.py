"""How far this device has read, told at most once a second (SPEC 9.1).

Invariant: horizons only rise, and `read` never passes `delivered`.
"""

from collections.abc import Iterator
from typing import Any

SPACING_S = 1.0


class Horizons:
    """The horizons of all conversations, and which of them the server has yet to be told."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}
        self._untold: set[str] = set()
        self._told_at = float("-inf")

    def delivered(self, conversation: str, seq: int) -> None:
        delivered, read = self._known.get(conversation, (0, 0))
        self._raise(conversation, max(delivered, seq), read)

    def read(self, conversation: str, seq: int) -> None:
        delivered, read = self._known.get(conversation, (0, 0))
        self._raise(conversation, max(delivered, seq), max(read, seq))

    def due(self, now_s: float) -> Iterator[dict[str, Any]]:
        """Yield the receipts to send at `now_s`, if a second has gone by since the last."""
        if not self._untold or now_s < self._told_at + SPACING_S:
            return
        self._told_at = now_s
        untold, self._untold = self._untold, set()
        for conversation in sorted(untold):
            delivered, read = self._known[conversation]
            yield {"t": "receipt", "conversation": conversation, "delivered": delivered, "read": read}

    def due_in_s(self, now_s: float) -> float | None:
        """Return in how many seconds `due` has something; None if it has nothing to say."""
        return max(0.0, self._told_at + SPACING_S - now_s) if self._untold else None

    def forget(self, conversation: str) -> None:
        self._known.pop(conversation, None)
        self._untold.discard(conversation)

    def _raise(self, conversation: str, delivered: int, read: int) -> None:
        if self._known.get(conversation) != (delivered, read):
            self._known[conversation] = (delivered, read)
            self._untold.add(conversation)
