"""What one person of a run stands on: where to go, when to come, how to behave, and who keeps the book.

How a persona uses it:

    async def run(self, stage: Stage) -> None:
        phone = samtale.VisitorClient(stage.url(), app_key=stage.app_key, tag=stage.tag,
                                      surroundings=stage.surroundings(connect))   # or no `connect`: a perfect network
        async with phone:
            while await stage.rest(stage.habits.pace_s):      # False: the run is over, say nothing new
                phone.send(stage.words())
            await stage.settled(phone)                        # wait for every outcome, `settle_s` at most

The driver calls `run` when the visitor is due. Whatever passes through `surroundings` is written down by itself: the
checker's facts (`notebook`), and the latencies connect → ready, send → ack, wait → assigned and resume → caught up. A
persona measures nothing; a fault of its network belongs into its own `connect`, which is called for each new line.

Invariant: chance is seeded by the run and the person's name alone, so that a persona does the same whatever else runs.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import samtale
from samtale.line import Connect
from samtale.login import Login, over_http

from loadtests.chaos.journal import Notebook
from loadtests.chaos.wire import redirected
from loadtests.checker.history import Waited
from loadtests.load.recorder import Recorder
from loadtests.load.watch import Watch

FOR_GOOD = 4500  # SPEC 11: who is closed with this or more does not come back


class Habits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How people of a scenario behave; each persona takes what means something to it."""

    says: int = 0  # messages in a life; 0: until the run is over
    pace_s: float = 5.0  # between two things that a person does, on average
    text_chars: int = 100  # of a message
    stays_s: float = 0.0  # how long a life lasts; 0: until all is said
    fault_every_s: float = 10.0  # between two faults of a persona's network, on average
    fault_s: float = 3.0  # how long one lasts
    burst: int = 4  # messages that a chatty person says in one go, at most
    allows_storage: float = 0.8  # share of people
    consents: float = 0.95  # share of people; the others go without a word
    is_hasty: float = 0.1  # share of people: they write before they have consented
    gives_email: float = 0.7  # share of people, where it is asked in passing
    answers_survey: float = 0.7  # share of people
    ends: float = 0.3  # share of people who close the conversation when all is said
    # Agents.
    answers_s: float = 2.0  # from hearing something to answering it, on average
    declines: float = 0.0  # share of offers
    transfers: float = 0.0  # share of conversations that go on to a colleague
    closes_after: int = 0  # messages of the visitor; 0: never
    closes_silent_s: float = 0.0  # without a word of the visitor; 0: never
    away_every_s: float = 0.0  # between two absences, on average; 0: never
    away_s: float = 10.0  # how long one lasts


@dataclass(frozen=True, slots=True)
class Seat:
    """Whom an agent logs in as, and whom they may transfer to."""

    agent: str
    email: str
    password: str
    colleagues: tuple[str, ...] = ()


@dataclass(slots=True)
class Stage:
    """One person's. `name` is theirs alone in the run; `due_s` when they are to come, in seconds of the run."""

    name: str
    account: str
    urls: list[str]
    app_key: str
    tag: str
    notebook: Notebook
    recorder: Recorder
    chance: random.Random
    habits: Habits = field(default_factory=Habits)
    due_s: float = 0.0
    began_s: float = field(default_factory=time.monotonic)  # when the run began, of the machine's monotonic clock
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    settle_s: float = 30.0
    is_visitor: bool = True
    entropy: Callable[[int], bytes] | None = None
    login: Login = over_http
    store: samtale.Store | None = None  # what the phone kept of the times before
    said: int = 0  # messages so far

    def now_s(self) -> float:
        """Return the seconds since the run began."""
        return time.monotonic() - self.began_s

    def url(self) -> str:
        """Return a gateway's address (http), by chance, as behind a load balancer."""
        return self.chance.choice(self.urls)

    def words(self) -> str:
        """Return what this person says next: never the same twice in a run."""
        self.said += 1
        return f"{self.name} says {self.said} ".ljust(self.habits.text_chars, "·")

    def surroundings(self, connect: Connect | None = None, life: int = 0) -> samtale.Surroundings:
        """Return a client's surroundings; `connect` opens a line over this person's network, each to any gateway.

        `life`: how often the app has died before. A new one remembers what was kept and reads its logs anew.
        """
        client = f"{self.name}/{life}" if life else self.name
        if self.is_visitor:
            self.notebook.visitors.add(client)
        watch = Watch(client, self.account, self.notebook, self.recorder)
        open_line = connect or samtale.network()
        beside = random.Random(self.chance.random())  # how often a network makes it draw must not change a person

        async def anywhere(url: str) -> samtale.Line:
            return await open_line(redirected(url, beside.choice(self.urls)))

        return samtale.Surroundings(
            connect=watch.connect(anywhere),
            login=self.login,
            chance=beside.random,
            entropy=self.entropy or beside.randbytes,
            journal=watch.note,
        )

    def befalls(self, what: str) -> None:
        """Count what happens to this person's phone or network, for the report."""
        self.recorder.happened[what] += 1

    async def until(self, at_s: float) -> bool:
        """Wait until second `at_s` of the run; False if the run is over first."""
        return await self._pause(at_s - self.now_s())

    async def rest(self, mean_s: float) -> bool:
        """Wait as a person does, `mean_s` on average; False if the run is over first."""
        return await self._pause(self.chance.expovariate(1 / mean_s) if mean_s > 0 else 0.0)

    async def settled(self, client: samtale.VisitorClient | samtale.AgentClient) -> None:
        """Wait until all that `client` asked has its outcome, `settle_s` at most: the verdict tells what has none."""
        try:
            async with asyncio.timeout(self.settle_s):
                while client.asking.outbox.waiting():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            self._note_waiting(client)

    def _note_waiting(self, client: samtale.VisitorClient | samtale.AgentClient) -> None:
        """Note what has no outcome, unless the server said not to come back."""
        if self.notebook.last_code.get(self.name, 0) >= FOR_GOOD:
            return
        for item in client.asking.outbox.waiting():
            conversation = str(item.fields.get("conversation", ""))
            waited = Waited(time.monotonic(), self.name, self.account, conversation, item.id, self.settle_s)
            self.notebook.facts.append(waited)

    async def _pause(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self.stop.wait()
        except TimeoutError:
            return True
        return False
