"""How soon visitors get a first human word, as an inbox remembers it.

Invariant: told only of the last 14 days, and only if there were enough; what is told never promises more than the
median kept.
"""

from typing import Literal

import msgspec

REMEMBERED_MS = 14 * 86_400_000
NEEDED, KEPT = 20, 300
LOOKED_AT_MS = 3_600_000  # too old replies are forgotten within this
MINUTES_MS, HOUR_MS = 30 * 60_000, 90 * 60_000

Span = Literal["", "minutes", "hour", "day"]


class Replies(msgspec.Struct, array_like=True):
    """An inbox's last first replies: (when, after how long), in ms. `forget_ms`: when the oldest is too old.

    `span`: what visitors are told of the typical one, "" if there is too little to go by.
    """

    last: list[tuple[int, int]] = []
    span: Span = ""
    forget_ms: int = 0
    generation: int = 0

    def note(self, at_ms: int, waited_ms: int) -> None:
        """Remember one."""
        self.last.append((at_ms, waited_ms))
        del self.last[:-KEPT]

    def forget(self, at_ms: int) -> None:
        """Drop what is too old to tell anything."""
        old = next((kept for kept, (when, _) in enumerate(self.last) if when > at_ms - REMEMBERED_MS), len(self.last))
        del self.last[:old]

    def measure(self) -> None:
        """Say what the replies come to."""
        self.span = _span(sorted(waited_ms for _, waited_ms in self.last))

    @property
    def due_ms(self) -> int:
        """When to forget next: the oldest is too old then, and perhaps some more."""
        oldest = self.last[0][0] + REMEMBERED_MS
        return oldest - oldest % -LOOKED_AT_MS


def _span(ascending_ms: list[int]) -> Span:
    if len(ascending_ms) < NEEDED:
        return ""
    typical_ms = ascending_ms[len(ascending_ms) // 2]
    return "minutes" if typical_ms <= MINUTES_MS else "hour" if typical_ms <= HOUR_MS else "day"
