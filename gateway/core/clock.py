"""What the clock alone decides of a chatflow: whether it is away, and when that changes.

Invariant: the same as `protocol.bus.availability` says. Schedules begin and end on whole minutes, so one answer holds
for a second; thousands of phones that ask within it cost as much as one.
"""

from functools import lru_cache
from typing import Any

from protocol.bus import availability, hours
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig

KEPT = 1_024


class Same:
    """A value by its identity: what is published never changes, and is too large to compare."""

    __slots__ = ("it",)

    def __init__(self, it: Any) -> None:
        self.it = it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.it is other.it

    def __hash__(self) -> int:
        return id(self.it)


def is_away(config: AccountConfig, flow: Chatflow, at_ms: int, *, ready: bool) -> bool:
    """Whether visitors are told that nobody is there. `ready`: somebody of the rule may be given work now."""
    if flow.availability.kind == "office_hours":
        return _is_away(Same(config), Same(flow), at_ms // 1000)
    return availability.is_away(config, flow, at_ms, ready)


def opens_at_ms(config: AccountConfig, flow: Chatflow, at_ms: int) -> int:
    """Return when somebody is to be there next; 0 if no schedule says so."""
    return _opens_at_ms(Same(config), Same(flow), at_ms // 1000)


def next_change_ms(config: AccountConfig, flow: Chatflow | None, at_ms: int) -> int | None:
    """Return when the clock alone changes what is shown of `flow`; None if it does not."""
    if flow is None or flow.availability.kind == "always":
        return None
    return _next_change_ms(Same(config), Same(flow), at_ms // 1000)


@lru_cache(maxsize=KEPT)
def _is_away(config: Same, flow: Same, at_s: int) -> bool:
    return availability.is_away(config.it, flow.it, at_s * 1000, ready=False)


@lru_cache(maxsize=KEPT)
def _opens_at_ms(config: Same, flow: Same, at_s: int) -> int:
    return availability.opens_at_ms(config.it, flow.it, at_s * 1000)


@lru_cache(maxsize=KEPT)
def _next_change_ms(config: Same, flow: Same, at_s: int) -> int | None:
    schedule = availability.hours_of(config.it, flow.it.availability.hours)
    if schedule is None:
        return None
    closes = hours.next_closing(schedule, at_s * 1000)
    return closes if closes is not None else hours.next_opening(schedule, at_s * 1000)
