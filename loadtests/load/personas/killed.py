"""A visitor whose app is killed now and then: the next life knows what was kept, and nothing else.

Invariant: what a dead app was about to do is not done; the last life ends like any other.
"""

from collections.abc import Callable
from typing import Any

import msgpack  # type: ignore[import-untyped] # it ships no types

from loadtests.load.personas.pipe import Pipe
from loadtests.load.personas.visitor import app_of
from loadtests.load.stage import Stage


class Flash:
    """What a phone keeps, in the bytes that a file would have. Of a dead app it takes nothing."""

    def __init__(self) -> None:
        self.is_written = True
        self._kept = b""

    def load(self) -> dict[str, Any] | None:
        state: dict[str, Any] | None = msgpack.unpackb(self._kept) if self._kept else None
        return state

    def keep(self, state: Callable[[], dict[str, Any]]) -> None:
        if self.is_written:
            self._kept = msgpack.packb(state())


async def killed_app(stage: Stage) -> None:
    """Write, be killed in mid-sentence, and begin again on the same phone."""
    flash, life = Flash(), 0
    while await _dies(stage, flash, life):
        life += 1


async def _dies(stage: Stage, flash: Flash, life: int) -> bool:
    """Live once; whether it ended early."""
    flash.is_written = True
    async with Pipe() as pipe, app_of(stage, pipe.connect, flash, life) as visitor:
        lasts_s = stage.chance.expovariate(1 / stage.habits.fault_every_s) if life else 0.0
        dies_s = stage.now_s() + lasts_s
        while await visitor.has_more_to_say():
            visitor.say()
            if stage.now_s() >= dies_s:
                await stage.rest(stage.chance.choice((0.0, 0.01)))  # before its word is on the way, or after
                stage.befalls("app killed")
                flash.is_written, visitor.is_dead = False, True
                pipe.cut()
                break
    return visitor.is_dead
