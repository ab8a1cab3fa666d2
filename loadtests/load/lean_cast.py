"""Phones and desks of one share, and what they do in each phase.

Invariant: a phone and the desk that has its conversation are in one process, so that a closed loop closes in it; what
each heard is judged from its first message to its last, whatever a phase was measured for.
"""

import asyncio
import random
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from time import perf_counter, process_time

from loadtests.checker.stories import Story
from loadtests.lean import talks as loops
from loadtests.lean.people import Desk, Phone
from loadtests.lean.talks import Talk
from loadtests.lean.thread import Thread
from loadtests.load import arrivals
from loadtests.load.doors import Doors
from loadtests.load.link import Did, Do, Plan
from loadtests.load.outcome import Outcome
from loadtests.load.recorder import ACK, ASSIGNED, DELIVERED, READY, Recorder
from loadtests.load.scenario import Cut, Exchange, Hold, Phase, Send
from loadtests.load.storm import Storm

WARM_UP = 100  # phones that come and go before anything is measured


class LeanCast:
    """Everybody of this share."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._lean = plan, plan.scenario.lean
        self._chance = random.Random(f"{plan.seed} lean {plan.share}")
        self._doors = Doors(plan)
        self._desk_of: dict[str, tuple[Desk, Thread]] = {}
        self._phones: list[Phone] = []
        self._desks: list[Desk] = []
        self._talks: list[Talk] = []
        self._receipts: asyncio.Task[None] | None = None
        self._recorder = Recorder()
        self._failures: Counter[str] = Counter()

    async def warm_up(self) -> None:
        """Do once what costs only the first time; nobody stays."""
        if self._lean is not None and not self._lean.desks:
            phones = [self._phone(-1 - number) for number in range(min(WARM_UP, self._lean.phones))]
            await self._all([partial(phone.begin, self._doors.for_visitors(at)) for at, phone in enumerate(phones)])
            for phone in phones:
                phone.leave()

    async def enter(self) -> int:
        """Bring everybody in; each phone has said its first word and was heard."""
        assert self._lean is not None, "a lean scenario"
        share, shares = self._plan.share, self._plan.shares
        self._desks = [self._desk(at) for at in range(len(range(share, self._lean.desks, shares)))]
        self._phones = [self._phone(at) for at in range(len(range(share, self._lean.phones, shares)))]
        await self._all([partial(self._arrive, desk, at) for at, desk in enumerate(self._desks)])
        await self._all([partial(self._come, phone, at) for at, phone in enumerate(self._phones)])
        if self._desks:
            await self._until_assigned()
        self._talks = [Talk(phone, *self._desk_of.get(phone.conversation, (None, None))) for phone in self._phones]
        await loops.settled(self._talks)
        self._receipts = asyncio.create_task(loops.read_receipts([*self._phones, *self._desks]))
        return len(self._phones) + len(self._desks)

    async def do(self, order: Do) -> Did:
        """Do one phase of the scenario."""
        phase: Phase = self._plan.scenario.phases[order.number]
        await asyncio.sleep(max(0.0, order.at_s - perf_counter()))
        began_s = min(order.at_s, perf_counter())  # loops wake up to a millisecond early
        asked, delivered, cpu_s = self._asked(), self._delivered(), process_time()
        late_ms, facts = 0.0, dict[str, float]()
        match phase:
            case Exchange(messages=messages, in_flight=in_flight):
                mine = len(range(self._plan.share, messages, self._plan.shares))
                await loops.closed(self._talks, mine, in_flight)
            case Send():
                late_ms, facts = await self._send(phase, order)
            case Hold(seconds=seconds):
                await asyncio.sleep(seconds)
            case Cut():
                storm = Storm(self._doors, self._talks, self._desks, self._recorder, self._chance, self._failures)
                facts = await storm.pass_over(phase)
        ended_s, cpu_s = perf_counter(), process_time() - cpu_s
        done = (self._asked() - asked, self._put() - asked, self._delivered() - delivered)
        if isinstance(phase, Send):
            await loops.settled(self._talks)
        return Did(began_s, ended_s, *done, cpu_s, late_ms, facts)

    def counts(self) -> dict[str, float]:
        """Return how much there is so far of what a live view shows."""
        return {
            "rate": self._delivered(),
            "acks": sum(phone.series.done for phone in self._phones),
            "sessions": sum(party.is_there for party in (*self._phones, *self._desks)),
            "refusals": sum(phone.refusals.total() for phone in self._phones),
        }

    async def finish(self) -> Outcome:
        """Let everything settle, hang up, and tell what each has heard."""
        await loops.settled(self._talks)
        if self._receipts is not None:
            self._receipts.cancel()
        outcome = Outcome(sessions=len(self._phones) + len(self._desks), stories=list(self._stories()))
        for party in (*self._phones, *self._desks):
            party.leave()
            self._recorder.refusals.update(party.refusals)
            outcome.troubles += [why for why in party.troubles if f"coming back failed: {why}" not in self._failures]
        self._record(outcome)
        outcome.happened = dict(self._failures)
        await self._doors.close()
        return outcome

    # Coming in.

    def _phone(self, at: int) -> Phone:
        ground, driver = self._doors.ground(at), self._plan.scenario.driver
        key = f"load-{self._plan.seed}-{self._chance.getrandbits(64):016x}-{at:08d}"
        return Phone(ground.app_key, ground.tag, key, chars=driver.chars, window=driver.window)

    def _desk(self, at: int) -> Desk:
        ground = self._doors.ground(at)
        ticket = partial(self._doors.ticket, ground, at // len(self._doors.grounds))
        key = f"load-{self._plan.seed}-{self._chance.getrandbits(64):016x}-desk-{at:06d}"
        desk = Desk(ticket, key, lambda thread: self._took(desk, thread), self._plan.scenario.driver.chars)
        return desk

    def _took(self, desk: Desk, thread: Thread) -> None:
        self._desk_of[thread.conversation] = (desk, thread)

    async def _arrive(self, desk: Desk, at: int) -> None:
        began_s = perf_counter()
        await desk.begin(self._doors.for_agents(at))
        self._recorder.add(READY, began_s, desk.ready_s)

    async def _come(self, phone: Phone, at: int) -> None:
        began_s = perf_counter()
        await phone.begin(self._doors.for_visitors(at))
        self._recorder.add(READY, began_s, phone.ready_s)
        self._doors.check_allowance(phone.limits)
        if self._desks:
            phone.send(perf_counter())

    async def _until_assigned(self) -> None:
        since_s, had = perf_counter(), -1
        while len(self._desk_of) < len(self._phones) and perf_counter() - since_s < loops.PATIENCE_S:
            if had != len(self._desk_of):
                since_s, had = perf_counter(), len(self._desk_of)
            await asyncio.sleep(0.02)

    async def _all(self, coming: list[Callable[[], Awaitable[None]]]) -> None:
        some = asyncio.Semaphore(self._plan.scenario.driver.at_once)

        async def one(come: Callable[[], Awaitable[None]]) -> None:
            async with some:
                await come()

        await asyncio.gather(*map(one, coming))

    # What is done.

    async def _send(self, phase: Send, order: Do) -> tuple[float, dict[str, float]]:
        """Send by the clock; what was never put on a line is given up by those who wanted to say it."""
        rate = order.per_s or phase.per_s
        grows_to = phase.to_per_s or rate
        if phase.arrivals == "even":
            times = arrivals.even(rate, grows_to, phase.seconds)
        else:
            times = arrivals.by_chance(random.Random(self._plan.seed + order.number), rate, grows_to, phase.seconds)
        mine = arrivals.of_share(times, self._plan.share, self._plan.shares)
        shifted = ((number // self._plan.shares, at) for number, at in mine)
        late_s = sorted(await loops.opened(self._talks, shifted, order.at_s))
        given_up = 0
        if phase.gives_up:
            given_up = sum(phone.series.give_up() for phone in self._phones)
        late_ms = late_s[int(len(late_s) * 0.99)] * 1e3 if late_s else 0.0
        return late_ms, {"given up": given_up}

    # What came of it.

    def _asked(self) -> int:
        return sum(len(phone.series.due_s) for phone in self._phones)

    def _put(self) -> int:
        return sum(phone.series.put for phone in self._phones)

    def _delivered(self) -> int:
        return sum(len(thread.read_s) for desk in self._desks for thread in desk.threads.values())

    def _stories(self) -> Iterator[Story]:
        for talk in self._talks:
            phone, said = talk.phone, talk.phone.series
            taken = len(said.due_s) - len(said.declined)
            spoken = talk.desk.said_in(talk.thread) if talk.desk is not None and talk.thread is not None else 0
            yield Story("sender", phone.conversation, taken, said.done - len(said.declined), 0, said.out_of_order)
            heard: list[tuple[str, Thread]] = [("the visitor", phone.thread)]
            if self._desks:
                heard.append(("the agent", talk.thread or Thread(phone.conversation)))
            for who, thread in heard:
                for due, reader in ((taken, thread.visitor), (spoken, thread.staff)):
                    gaps = thread.gaps if reader is thread.visitor else 0
                    counts = (reader.duplicated, reader.out_of_order, gaps)
                    yield Story(who, phone.conversation, due, reader.read, *counts)

    def _record(self, outcome: Outcome) -> None:
        sent_s = array("d")
        for talk in self._talks:
            due_s = talk.phone.series.due_s
            sent_s.extend(due_s)
            for began_s, ended_s in zip(due_s, talk.phone.series.acked_s, strict=False):
                self._recorder.add(ACK, began_s, ended_s)
            if talk.thread is not None:
                for began_s, ended_s in zip(due_s, talk.thread.read_s, strict=False):
                    self._recorder.add(DELIVERED, began_s, ended_s)
                if due_s and talk.thread.taken_s:
                    self._recorder.add(ASSIGNED, due_s[0], talk.thread.taken_s)
        self._recorder.into(outcome)
        outcome.sent_s = sent_s.tobytes()
