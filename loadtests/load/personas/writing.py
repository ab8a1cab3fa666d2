"""Visitors whose network is perfect and who differ in how they write.

Invariant: a life ends when all is said and has its outcome, or when the run is over.
"""

from loadtests.load.personas.visitor import app_of
from loadtests.load.stage import Stage


async def steady(stage: Stage) -> None:
    """Write at a human pace."""
    async with app_of(stage) as visitor:
        while await visitor.has_more_to_say():
            visitor.say()


async def chatty(stage: Stage) -> None:
    """Write several messages in one go, then nothing for as long as the others would have needed for them."""
    several = 1
    async with app_of(stage) as visitor:
        while await visitor.has_more_to_say(stage.habits.pace_s * several):
            several = stage.chance.randint(2, max(2, stage.habits.burst))
            for _ in range(several):
                visitor.say()
