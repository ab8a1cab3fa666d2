"""Every line cut in the middle of a word, and everybody back at once.

Invariant: nothing is said twice for having been cut; who comes back waits as SPEC 2.7 and 11 say, and no longer.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from time import perf_counter

from loadtests.lean import talks as loops
from loadtests.lean.line import LineEnded
from loadtests.lean.people import Desk, Phone
from loadtests.lean.talks import Talk
from loadtests.load.doors import Doors
from loadtests.load.recorder import CAUGHT_UP, Recorder
from loadtests.load.scenario import Cut
from protocol.wire.codes import CloseCode

BACK_OFF_S, MOST_BACK_OFF_S = 0.5, 30.0  # SPEC 2.7
BUSY_S = 5.0  # SPEC 11: after 4003
COME_BACK = (LineEnded, OSError, TimeoutError)


class Storm:
    """One storm over all phones and desks of a share. `failures` counts why coming back failed."""

    def __init__(
        self, doors: Doors, talks: Sequence[Talk], desks: Sequence[Desk], recorder: Recorder, chance: random.Random,
        failures: Counter[str],
    ) -> None:  # fmt: skip
        self._doors, self._talks, self._desks = doors, talks, desks
        self._phones = [talk.phone for talk in talks]
        self._recorder, self._chance, self._failures = recorder, chance, failures

    async def pass_over(self, phase: Cut) -> dict[str, float]:
        """Cut every line in the middle of a word, speak to who is away, and let all come back at once."""
        now_s = perf_counter()
        for phone in self._phones:
            phone.send(now_s)
        for phone in self._phones[::2]:
            phone.leave()  # before a word of it is on the way
        await asyncio.sleep(0.01)
        for phone in self._phones[1::2]:
            phone.leave()  # when the server has it, and the acknowledgement is on its way
        for talk in self._talks:
            if talk.desk is not None and talk.thread is not None:
                talk.desk.speak(talk.thread, now_s)
        await asyncio.sleep(phase.away_s)
        for desk in self._desks:
            desk.leave()
        began_s = perf_counter()
        parties: list[Phone | Desk] = [*self._phones, *self._desks]
        attempts = await asyncio.gather(*(self._return(party, at, phase) for at, party in enumerate(parties)))
        back = sorted(party.caught_up_s for party in parties if party.is_there)
        for party in parties:
            if party.is_there:
                self._recorder.add(CAUGHT_UP, began_s, party.caught_up_s)
        await loops.settled(self._talks)
        return {"resumed": len(back), "resumed in s": back[-1] - began_s if back else 0.0, "attempts": sum(attempts)}

    async def _return(self, party: Phone | Desk, at: int, phase: Cut) -> int:
        """Come back, as often as it takes (SPEC 2.7); return how often that was."""
        url = self._doors.for_agents(at) if isinstance(party, Desk) else self._doors.for_visitors(at)
        failed, until_s = 0, perf_counter() + phase.within_s
        while perf_counter() < until_s:
            try:
                await party.begin(url)
                break
            except COME_BACK as why:
                failed += 1
                self._failures[f"coming back failed: {why or type(why).__name__}"] += 1
                party.leave()
                busy_s = BUSY_S if isinstance(why, LineEnded) and why.code == CloseCode.OVERLOADED else 0.0
                chance = self._chance.random()
                await asyncio.sleep(max(busy_s, chance * min(MOST_BACK_OFF_S, BACK_OFF_S * 2**failed)))
        return failed + 1
