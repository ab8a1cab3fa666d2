"""Visitors whose network is perfect and who differ in how they write.

Invariant: a life ends when all is said and has its outcome, or when the run is over.
"""

from loadtests.load.personas.visitor import app_of
from loadtests.load.stage import Stage

_IN_A_BURST = 0.1  # of the usual pause


async def steady(stage: Stage) -> None:
    """Write at a human pace."""
    async with app_of(stage) as visitor:
        while await visitor.has_more_to_say():
            visitor.say()


async def chatty(stage: Stage) -> None:
    """Write several messages in one go, then nothing for as long as the others would have needed for them."""
    pace_s = stage.habits.pace_s
    async with app_of(stage) as visitor:
        more, left = 1, 0
        while await visitor.has_more_to_say(pace_s * _IN_A_BURST if left else pace_s * more):
            if not left:
                more = left = stage.chance.randint(2, max(2, stage.habits.burst))
            visitor.say()
            left -= 1
