"""A visitor with the app open: comes in, answers what is asked first, says words, reads, and leaves.

Invariant: chance decides what they do and nothing else does; they wait for the server as long as the run goes on, and
once it is over they say nothing new.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import samtale
from samtale.line import Connect
from samtale.served import EMAIL, PROCESS, STORAGE

from loadtests.chaos.acts import Visiting
from loadtests.chaos.traffic import CANARY
from loadtests.load.stage import Stage

PATIENCE = 15  # messages that wait: nobody types more into an app that sends nothing


class Visitor:
    """`may_speak`: everything was answered that must be. `is_dead`: the app was killed, and does nothing any more.

    `arrivals`: how often it was let in.
    """

    def __init__(self, stage: Stage, client: samtale.VisitorClient) -> None:
        self.stage, self.client = stage, client
        self.may_speak = self.is_dead = False
        self.arrivals = 0
        habits = stage.habits
        self._visiting = Visiting(stage.chance, client, habits.gives_email, habits.answers_survey)
        self._wanted = ""  # the id of what they wait for
        self._is_gone = False  # the server said not to come back
        self._news = asyncio.Event()

    async def enter(self) -> None:
        """Come in and answer each step, unless it is a no: who does not consent looks on and says nothing."""
        await self.until(lambda: self.arrivals > 0)
        while outstanding := self.client.steps.outstanding:
            step = outstanding[0]
            if step == PROCESS and self._likely(self.stage.habits.is_hasty):
                self.client.send(f"{CANARY} {self.stage.name}")
            await self._outcome(self._answer(step))
            if step in self.client.steps.outstanding:
                return
        self.may_speak = bool(self.client.conversation)

    async def has_more_to_say(self, rest_s: float | None = None) -> bool:
        """Think, for `pace_s` or `rest_s` on average; False if all was said, or the run is over."""
        habits, stage = self.stage.habits, self.stage
        if not self.may_speak or (habits.says and stage.said >= habits.says):
            return False
        if habits.stays_s and stage.now_s() > stage.due_s + habits.stays_s:
            return False
        self.client.typing()
        goes_on = await stage.rest(habits.pace_s if rest_s is None else rest_s)
        return goes_on and not self._is_gone

    def say(self) -> None:
        """Say something, unless what was said before does not get through."""
        if len(self.client.asking.outbox.waiting()) < PATIENCE:
            self.client.send(self.stage.words())

    async def leave(self) -> None:
        """Close the conversation or not, answer what is asked then, and wait for every outcome."""
        if self.may_speak and self._likely(self.stage.habits.ends) and not self._is_over():
            self.client.close()
            await self.stage.rest(self.stage.habits.pace_s)
        self.client.exit_intent()
        await self.stage.settled(self.client)

    async def read(self) -> None:
        """Take what the app tells until it tells no more."""
        async for event in self.client.events():
            match event:
                case samtale.LogEvent():
                    self._saw(event)
                case samtale.Connected():
                    self.arrivals += 1
                case samtale.StorageAsked():
                    self.client.answer_storage(self._likely(self.stage.habits.allows_storage))
                case samtale.Acked(id=id_) | samtale.Refused(id=id_) if id_ == self._wanted:
                    self._wanted = ""
                case _:
                    pass
            self._news.set()
        self._is_gone = True
        self._news.set()

    async def hear_the_end(self) -> None:
        """Wake whoever waits when the run is over."""
        await self.stage.stop.wait()
        self._news.set()

    async def until(self, is_so: Callable[[], bool]) -> bool:
        """Wait until something that the app tells makes it so; False if the run is over first."""
        while not is_so() and not self._is_over():
            self._news.clear()
            await self._news.wait()
        return is_so()

    def _saw(self, event: samtale.LogEvent) -> None:
        if isinstance(event.body, samtale.Message) and event.body.by.role != "visitor":
            self.client.read(event.conversation, event.seq)
        if isinstance(event.body, samtale.EmailAsked) and EMAIL in self.client.steps.outstanding:
            return  # a step is answered where the others are
        self._visiting.saw(event)

    async def _outcome(self, asked: samtale.Asked) -> None:
        self._wanted = asked.id
        await self.until(lambda: not self._wanted)

    def _answer(self, step: str) -> samtale.Asked:
        habits, client = self.stage.habits, self.client
        match step:
            case _ if step == STORAGE:
                return client.answer_storage(self._likely(habits.allows_storage))
            case _ if step == PROCESS:
                return client.answer_consent(self._likely(habits.consents), communicate=self._likely(0.5))
            case _:
                assert step == EMAIL, step
                return client.answer_email(f"{self.stage.name.replace('/', '.')}@visitors.example")

    def _likely(self, share: float) -> bool:
        return self.stage.chance.random() < share

    def _is_over(self) -> bool:
        return self._is_gone or self.stage.stop.is_set()


@asynccontextmanager
async def app_of(
    stage: Stage, connect: Connect | None = None, store: samtale.Store | None = None, life: int = 0
) -> AsyncIterator[Visitor]:
    """Open the app: the visitor has come in, and leaves at the end unless the app has died."""
    surroundings = stage.surroundings(connect, life)
    client = samtale.VisitorClient(
        stage.url(), app_key=stage.app_key, tag=stage.tag, store=store or stage.store, surroundings=surroundings
    )
    visitor = Visitor(stage, client)
    async with client, asyncio.TaskGroup() as tasks:
        beside = [tasks.create_task(visitor.read()), tasks.create_task(visitor.hear_the_end())]
        await visitor.enter()
        yield visitor
        if not visitor.is_dead:
            await visitor.leave()
        for task in beside:
            task.cancel()
