"""The curve of a resume: what it costs to come back to a conversation, with nothing missed or everything.

Invariant: whoever comes back has the whole log once, in order, or the run is broken. Redis keeps the newest 200
entries of a log and SQL the rest, as for customers.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from time import perf_counter

from loadtests.bench.account import APP, TAG
from loadtests.bench.house import House, house
from loadtests.chaos.installation import Size
from loadtests.growth.curve import Curve, Spent, counted, figures, interleaved
from loadtests.growth.files import raise_limit
from loadtests.lean.people import Phone
from loadtests.lean.thread import Thread
from loadtests.load import processes
from loadtests.load.processes import Usage

SIZES = (10, 100, 1_000, 5_000)
PHONES = 20  # of each length
AT_ONCE = 5
CUT_S = 0.01  # until both ends know that a line was cut
SAID_WITHIN_S = 300.0
NEAR, WHOLE, ENTRY = "come back, nothing missed", "come back to the whole log", "each entry of it"


class Group:
    """Phones whose conversations are about as long as each other."""

    def __init__(self, found: House, entries: int, first: int) -> None:
        self.entries, self.wrong = entries, 0
        self._found, self._url = found, found.installation.gateway_urls[0]
        self._phones = [Phone(APP, TAG, f"growth-back-key-{number:08d}") for number in range(first, first + PHONES)]

    async def fill(self) -> None:
        """Come in, and speak until the logs are long enough."""
        for phone in self._phones:
            await phone.begin(self._url)
            for _ in range(self.entries):
                phone.send(perf_counter())
        async with asyncio.timeout(SAID_WITHIN_S):
            while any(phone.thread.visitor.read < self.entries for phone in self._phones):
                await asyncio.sleep(0.05)

    async def near(self, times: int) -> float:
        """Cut every line and come back, so many times; return the servers' CPU for each in µs."""
        return await self._back(times, forget=False)

    async def whole(self) -> float:
        """Come back as an app that has lost what it showed; return the servers' CPU for each in µs."""
        return await self._back(1, forget=True)

    def leave(self) -> None:
        """Hang up."""
        for phone in self._phones:
            phone.leave()

    async def _back(self, times: int, *, forget: bool) -> float:
        some = asyncio.Semaphore(AT_ONCE)

        async def back(phone: Phone) -> None:
            async with some:
                for _ in range(times):
                    phone.leave()
                    await asyncio.sleep(CUT_S)
                    if forget:
                        phone.thread = Thread(phone.conversation)
                    await phone.begin(self._url)

        before = processes.by_role(self._found.installation)
        await asyncio.gather(*map(back, self._phones))
        used = processes.since(before, processes.by_role(self._found.installation))
        self.wrong += sum(not self._is_whole(phone) for phone in self._phones)
        return sum(used.values(), Usage()).cpu_s * 1e6 / (times * PHONES)

    def _is_whole(self, phone: Phone) -> bool:
        thread = phone.thread
        story = thread.visitor
        wrong = story.duplicated or story.out_of_order or thread.gaps or thread.repeats
        return story.read == self.entries and not (wrong or phone.refusals or phone.troubles)


async def measure(sizes: Sequence[int], rounds: int, times: int, command: str) -> Curve:
    """Measure the curve at `sizes`; in a round every phone comes back `times` times with nothing missed."""
    raise_limit()
    async with house(Size(1, 1, 1), agents=1) as found:
        groups = [Group(found, size, at * PHONES) for at, size in enumerate(sizes)]
        for group in groups:
            await group.fill()
        await found.until_stored()

        async def once(group: Group) -> Spent:
            return {NEAR: await group.near(times), WHOLE: await group.whole()}

        taken = await interleaved([partial(once, group) for group in groups], rounds)
        for group in groups:
            group.leave()
    lines = figures(taken, {NEAR: "µs", WHOLE: "µs"}, judged=(NEAR,))
    each = [whole / size for whole, size in zip(lines[1].values, sizes, strict=True)]
    wrong = sum(group.wrong for group in groups)
    about = f"1 gateway, 1 engine, 1 worker; {PHONES} phones of each length; CPU of all servers"
    return Curve(
        "resume", "Coming back, as the conversation grows", "messages in the conversation", about, command,
        list(sizes), [*lines, counted(ENTRY, "µs", each, judged=False)],
        f"{wrong} phones without the whole log, once and in order", wrong > 0,
    )  # fmt: skip
