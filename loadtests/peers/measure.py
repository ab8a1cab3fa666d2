"""One contender under one load: delivered messages, what its processes used for them, and what each message waited.

Invariant: latency counts from the time a message was due, so that a stall is not hidden; the driver is this process,
and its own CPU is told beside every figure.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from loadtests.bench.figures import percentile
from loadtests.checker.stories import Verdict
from loadtests.load.processes import Usage
from loadtests.peers.contenders import CONTENDERS
from loadtests.peers.contenders.standing import Standing
from loadtests.peers.talk import Load, Pair, closed, opened

Tell = Callable[["Measured"], None]


@dataclass(frozen=True, slots=True)
class Course:
    """What every contender is put through. The warm-up comes first, so that nothing is new when it counts."""

    pairs: int
    warm_up: Load
    loads: list[Load]


class Measured(Struct, frozen=True):
    """What one contender did under one load in one round. CPU is microseconds per delivered message."""

    contender: str
    load: str
    round: int
    messages: int
    wall_s: float
    per_s: float
    cpu_us: float  # all processes but the driver
    roles_us: dict[str, float]
    driver_us: float
    driver_share: float  # of all CPU used
    ack_ms: tuple[float, float]  # p50, p99
    delivery_ms: tuple[float, float]


class Judged(Struct, frozen=True):
    """The verdict on everything that one contender carried in one round."""

    contender: str
    round: int
    holds: bool
    text: str


async def round_of(contender: str, number: int, course: Course, tell: Tell) -> Judged:
    """Start `contender` afresh, put it through its course, tell each load, and judge it all."""
    async with CONTENDERS[contender](course.pairs) as standing:
        await _under(standing, course.warm_up)
        for load in course.loads:
            tell(await _measured(contender, number, standing, load))
        verdict = sum((pair.verdict() for pair in standing.pairs), Verdict())
        troubles = sorted({trouble for pair in standing.pairs for trouble in pair.troubles})
    return Judged(contender, number, verdict.holds, ", ".join([str(verdict), *troubles]))


async def _under(standing: Standing, load: Load) -> float:
    if load.in_flight:
        return await closed(standing.pairs, load.messages, load.in_flight)
    return await opened(standing.pairs, load.messages, load.per_s)


async def _measured(contender: str, number: int, standing: Standing, load: Load) -> Measured:
    gc.collect()
    gc.freeze()  # the driver's own pauses would be taken for the contender's
    pairs, first = standing.pairs, len(standing.pairs[0].due_s)
    before, driver_s = standing.used(), time.process_time()
    wall_s = await _under(standing, load)
    driver_s = time.process_time() - driver_s
    await standing.settle()
    roles_s = _since(before, standing.used())
    delivered = max(1, sum(len(pair.read_s) - first for pair in pairs))
    servers_s = sum(roles_s.values())
    return Measured(
        contender,
        load.name,
        number,
        delivered,
        wall_s,
        delivered / wall_s,
        servers_s * 1e6 / delivered,
        {role: spent * 1e6 / delivered for role, spent in roles_s.items()},
        driver_s * 1e6 / delivered,
        driver_s / (driver_s + servers_s) if driver_s else 0.0,
        _waited_ms(pairs, first, lambda pair: pair.acked_s),
        _waited_ms(pairs, first, lambda pair: pair.read_s),
    )


def _since(before: dict[str, Usage], after: dict[str, Usage]) -> dict[str, float]:
    return {role: after[role].cpu_s - used.cpu_s for role, used in before.items()}


def _waited_ms(pairs: list[Pair], first: int, came_s: Callable[[Pair], list[float]]) -> tuple[float, float]:
    waited_s = sorted(
        came - due for pair in pairs for came, due in zip(came_s(pair)[first:], pair.due_s[first:], strict=False)
    )
    return percentile(waited_s, 0.5) * 1e3, percentile(waited_s, 0.99) * 1e3
