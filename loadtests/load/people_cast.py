"""Visitors and agents of one share over the SDK, each living as their persona does.

Invariant: a visitor comes when they are due, however the server does; what everybody did and saw is in one notebook.
"""

import asyncio
import random
from array import array
from collections.abc import Awaitable
from time import perf_counter, process_time

import samtale
from samtale.login import Login
from samtale.login import Ticket as Let

from loadtests.chaos.journal import Notebook
from loadtests.checker.history import Sent
from loadtests.load import agents, arrivals
from loadtests.load.doors import Doors, NotFit
from loadtests.load.link import Did, Do, Ground, Plan
from loadtests.load.outcome import Outcome
from loadtests.load.personas import PERSONAS
from loadtests.load.recorder import READY, Recorder
from loadtests.load.scenario import Hold, Visit, Visitors
from loadtests.load.stage import Habits, Seat, Stage

SETTLE_S = 30.0
LEAVE_S = 60.0
AGENTS_S = 60.0


class PeopleCast:
    """Everybody of this share."""

    def __init__(self, plan: Plan) -> None:
        assert plan.scenario.people is not None, "a scenario of people"
        self._plan, self._people = plan, plan.scenario.people
        self._chance = random.Random(f"{plan.seed} people {plan.share}")
        self._doors = Doors(plan)
        self._notebook, self._recorder = Notebook(), Recorder()
        self._stop_visitors, self._stop_agents = asyncio.Event(), asyncio.Event()
        self._visiting: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._troubles: list[str] = []
        self._phones: dict[int, samtale.Store] = {}  # what those keep who come again
        self._out: set[int] = set()  # who of them is here
        self._turned_away = self._came = 0

    async def warm_up(self) -> None:
        """Nothing costs only the first time."""

    async def enter(self) -> int:
        """Bring in the agents; visitors come when they are due."""
        share, shares = self._plan.share, self._plan.shares
        for at in range(share, self._people.agents, shares):
            ground = self._doors.grounds[at % len(self._doors.grounds)]
            seat = self._doors.seat(ground, at // len(self._doors.grounds))
            stage = self._stage(f"{seat.agent}@{ground.account}", ground, self._people.agent_habits, 0.0)
            stage.is_visitor, stage.stop = False, self._stop_agents
            if ground.redis_url:
                stage.login = self._login(ground, seat)
            self._begin(self._serving, agents.run(stage, seat), stage.name)
        await self._let_in()
        return len(self._serving)

    async def do(self, order: Do) -> Did:
        """Do one phase of the scenario."""
        phase = self._plan.scenario.phases[order.number]
        await asyncio.sleep(max(0.0, order.at_s - perf_counter()))
        asked, acked, cpu_s, late_s = self._sent(), self._notebook.acked, process_time(), [0.0]
        match phase:
            case Visit():
                late_s = await self._visit(phase, order)
            case Hold(seconds=seconds):
                await asyncio.sleep(seconds)
            case _:
                raise AssertionError("refused when the scenario was read")
        sent = self._sent() - asked
        late_ms = sorted(late_s)[int(len(late_s) * 0.99)] * 1e3 if late_s else 0.0
        cpu_s = process_time() - cpu_s
        facts = {"came": float(self._came), "turned away": float(self._turned_away)}
        return Did(order.at_s, perf_counter(), sent, sent, self._notebook.acked - acked, cpu_s, late_ms, facts)

    def counts(self) -> dict[str, float]:
        """Return how much there is so far of what a live view shows."""
        return {
            "rate": float(self._notebook.acked),
            "acks": float(self._notebook.acked),
            "sessions": float(len(self._visiting) + len(self._serving)),
            "refusals": float(self._recorder.refusals.total()),
        }

    async def finish(self) -> Outcome:
        """Let visitors end, then agents, and tell what each did and saw."""
        self._stop_visitors.set()
        await self._gone(self._visiting)
        self._stop_agents.set()
        await self._gone(self._serving)
        outcome = Outcome(sessions=self._came + self._people.agents, troubles=self._troubles)
        outcome.add_facts(self._notebook.facts)
        said = array("d", (fact.t for fact in self._notebook.facts if isinstance(fact, Sent) and fact.kind == "send"))
        outcome.sent_s = said.tobytes()
        outcome.misserved = self._notebook.misserved
        self._recorder.into(outcome)
        await self._doors.close()
        return outcome

    async def _let_in(self) -> None:
        """Wait until every agent is there: nobody else has come so far."""
        try:
            async with asyncio.timeout(AGENTS_S):
                while len(self._recorder.took[READY]) < len(self._serving):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            there = len(self._recorder.took[READY])
            raise NotFit(f"of {len(self._serving)} agents {there} were let in within {AGENTS_S:.0f} s") from None

    async def _visit(self, phase: Visit, order: Do) -> list[float]:
        chance = random.Random(f"{self._plan.seed} arrivals {order.number}")
        times = arrivals.along(chance, phase.per_s, phase.curve, phase.seconds)
        late_s: list[float] = []
        for number, at in arrivals.of_share(times, self._plan.share, self._plan.shares):
            due_s = order.at_s + at
            await asyncio.sleep(max(0.0, due_s - perf_counter()))
            late_s.append(perf_counter() - due_s)
            if phase.most and len(self._visiting) >= phase.most // self._plan.shares:
                self._turned_away += 1
                continue
            person = self._free_person(number, phase.returning) if phase.returning else number
            if person is None:
                self._turned_away += 1
                continue
            self._came += 1
            self._let_live(person, number, order, due_s)
        await asyncio.sleep(max(0.0, order.at_s + phase.seconds - perf_counter()))
        return late_s

    def _let_live(self, person: int, number: int, order: Do, due_s: float) -> None:
        kind = self._kind(person)
        ground = self._doors.grounds[person % len(self._doors.grounds)]
        name = f"{kind.persona}-{order.number}-{number}"
        stage = self._stage(name, ground, kind.habits, due_s - self._plan.began_s)
        stage.stop = self._stop_visitors
        stage.store = self._phones.get(person)
        life = self._begin(self._visiting, PERSONAS[kind.persona](stage), name)
        if stage.store is not None:
            self._out.add(person)
            life.add_done_callback(lambda _: self._out.discard(person))

    def _free_person(self, number: int, persons: int) -> int | None:
        """Return who comes again: the next in turn who is not here; None if all of this share are."""
        share, shares = self._plan.share, self._plan.shares
        mine = range(share, persons, shares)
        for ahead in range(len(mine)):
            person = mine[(number // shares + ahead) % len(mine)]
            if person not in self._out:
                self._phones.setdefault(person, samtale.MemoryStore())
                return person
        return None

    def _kind(self, number: int) -> Visitors:
        """Return of which kind visitor `number` is: by chance, the same in every run with this seed."""
        chance = random.Random(f"{self._plan.seed} kind {number}")
        kinds = self._people.visitors
        return chance.choices(kinds, [kind.share for kind in kinds])[0]

    def _stage(self, name: str, ground: Ground, habits: Habits, due_s: float) -> Stage:
        return Stage(
            name, ground.account, self._plan.urls, ground.app_key, ground.tag, self._notebook, self._recorder,
            random.Random(f"{self._plan.seed} {name}"), habits, due_s, self._plan.began_s, settle_s=SETTLE_S,
        )  # fmt: skip

    def _login(self, ground: Ground, seat: Seat) -> Login:
        number = [agent for agent, _ in ground.agents].index(seat.agent)

        async def login(url: str, email: str, password: str) -> Let:
            del email, password  # as the seat says
            socket = f"{url.rstrip('/').replace('http', 'ws', 1)}/v1/agent"
            return Let(await self._doors.ticket(ground, number), socket)

        return login

    def _begin(self, among: set[asyncio.Task[None]], life: Awaitable[None], name: str) -> asyncio.Future[None]:
        task = asyncio.ensure_future(life)
        task.set_name(name)
        among.add(task)
        task.add_done_callback(lambda task: self._ended(among, task))
        return task

    def _ended(self, among: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        among.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._troubles.append(f"{task.get_name()}: {type(error).__name__}: {error}")

    async def _gone(self, among: set[asyncio.Task[None]]) -> None:
        """Wait until these have ended; who does not is cut off and told of."""
        if not among:
            return
        _, late = await asyncio.wait(set(among), timeout=LEAVE_S)
        for task in late:
            self._troubles.append(f"{task.get_name()} did not end")
            task.cancel()

    def _sent(self) -> int:
        return sum(isinstance(fact, Sent) for fact in self._notebook.facts)
