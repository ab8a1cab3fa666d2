"""Visitors whose phone or network gets in the way: each says words before, during and after, and gets them through.

Invariant: the first fault comes after the first word, so that no life goes by without one; after a fault the network is
good again, whatever became of the line.
"""

from collections.abc import Awaitable, Callable

from loadtests.load.personas.pipe import DOWN, UP, Pipe
from loadtests.load.personas.visitor import Visitor, app_of
from loadtests.load.stage import Stage

Fault = Callable[[Visitor, Pipe], Awaitable[None]]
"""Happens and is over."""
_HEALS = 0.5  # share of faults that a line survives


async def backgrounded(stage: Stage) -> None:
    """Put the phone away: it neither reads nor answers; then take it out again, if the system has kept its line."""
    await with_faults(stage, _put_away)


async def wifi_to_cell(stage: Stage) -> None:
    """Leave the house: the old line dies unseen by the server while the same device comes over another."""
    await with_faults(stage, _change_networks)


async def aeroplane_mode(stage: Stage) -> None:
    """Have no network for a while, write nonetheless, and come back."""
    await with_faults(stage, _fly)


async def one_way_loss(stage: Stage) -> None:
    """Have a line that looks alive and carries nothing in one of its directions."""
    await with_faults(stage, _lose_one_way)


async def with_faults(stage: Stage, fault: Fault, receive_bytes: int = 0) -> None:
    """Live a life with faults in it; `receive_bytes` as in Pipe."""
    async with Pipe(receive_bytes) as pipe, app_of(stage, pipe.connect) as visitor:
        next_s = 0.0
        while await visitor.has_more_to_say():
            visitor.say()
            if stage.now_s() >= next_s:
                await fault(visitor, pipe)
                next_s = stage.now_s() + stage.chance.expovariate(1 / stage.habits.fault_every_s)


async def _put_away(visitor: Visitor, pipe: Pipe) -> None:
    visitor.stage.befalls("put away")
    pipe.hold(UP, DOWN)
    await visitor.stage.rest(visitor.stage.habits.fault_s)
    _heal(visitor, pipe)


async def _change_networks(visitor: Visitor, pipe: Pipe) -> None:
    before = visitor.arrivals
    visitor.stage.befalls("other network")
    pipe.strand()
    visitor.say()
    await visitor.until(lambda: visitor.arrivals > before)


async def _fly(visitor: Visitor, pipe: Pipe) -> None:
    visitor.stage.befalls("no network")
    pipe.is_off = True
    pipe.strand()
    visitor.say()
    await visitor.stage.rest(visitor.stage.habits.fault_s)
    pipe.is_off = False


async def _lose_one_way(visitor: Visitor, pipe: Pipe) -> None:
    way = visitor.stage.chance.choice((UP, DOWN))
    visitor.stage.befalls(f"nothing gets through {way}")
    pipe.hold(way)
    visitor.say()
    await visitor.stage.rest(visitor.stage.habits.fault_s)
    _heal(visitor, pipe)


def _heal(visitor: Visitor, pipe: Pipe) -> None:
    """Let what was held arrive late, or lose it with the line."""
    if visitor.stage.chance.random() < _HEALS:
        pipe.release()
    else:
        visitor.stage.befalls("line lost")
        pipe.cut()
