"""Everything an engine needs and does not make itself: settings, stores, deciders, chance and clocks.

Invariant: nothing in engine.runtime reaches for a clock, for randomness or for a socket but through this value, so that
the same engine runs in the simulation.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from engine.core.ports import RosterPort
from engine.runtime.watchdog import Watchdog
from protocol.ids import CellName
from store.redis.connection import Dial
from store.sql.database import Databases

CALL_S: Final = 5.0  # a Redis command without an answer for this long means that the line is lost


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How an engine works. Counts of entries, values and commands; times in the unit that the name says."""

    cells: list[CellName]
    lease_s: float = 4.0
    read_entries: int = 64
    batch_commands: int = 64  # 256 costs an eighth more of the engine, a third more of Valkey (docs/performance.md)
    batch_bytes: int = 1_048_576
    in_flight: int = 2
    block_ms: int = 1_000
    tick_ms: int = 100
    held_conversations: int = 100_000  # of a cell; 5–7 KiB each with its visitor. To load one again takes 35 µs
    held_visitors: int = 100_000
    snapshot_every: int = 1_000
    sweep_s: float = 5.0  # between two looks at what has been idle
    visitor_idle_s: float = 86_400.0
    late_s: float = 60.0  # how long after its end a closed conversation is kept all the same
    clock_jump_s: float = 5.0
    clock_pause_s: float = 30.0


def loop_ms() -> int:
    """Return the loop's own time: where a machine never sleeps, as good as CLOCK_BOOTTIME."""
    return round(asyncio.get_running_loop().time() * 1000)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`now_ms`: the wall clock. `boot_ms`: one that only counts up and goes on while the machine sleeps.

    The watchdog watches nothing before it is installed, which the simulation never does.
    """

    settings: EngineSettings
    dial: Dial
    databases: Databases
    roster: RosterPort
    entropy: Callable[[int], bytes]
    now_ms: Callable[[], int]
    log: Any  # a structlog logger
    boot_ms: Callable[[], int] = loop_ms
    watchdog: Watchdog = field(default_factory=Watchdog)
