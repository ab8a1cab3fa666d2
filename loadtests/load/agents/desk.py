"""An agent at work: takes what is offered, answers, hands on, closes, goes away and comes back.

Invariant: chance decides what they do, and never before the time that a person needs; of a conversation that went to
somebody else they forget everything they were about to do.
"""

import asyncio
from collections.abc import Callable
from functools import partial

import samtale

from loadtests.load.stage import Seat, Stage

PUT_AWAY_S = 30.0  # who has gone may be back


class Desk:
    """Everything one agent has before them."""

    def __init__(self, stage: Stage, seat: Seat, client: samtale.AgentClient) -> None:
        self._stage, self._seat, self._client = stage, seat, client
        self._talks: dict[str, _Talk] = {}
        self._gone: dict[str, float] = {}  # conversations that were theirs, and when they went
        self._offers: dict[str, asyncio.TimerHandle] = {}
        self._is_out = self._is_done = False
        self._returns: asyncio.TimerHandle | None = None

    async def read(self) -> None:
        """Take what the console tells until it tells no more."""
        async for event in self._client.events():
            match event:
                case _ if self._is_done:
                    pass
                case samtale.Connected() if not self._is_out:
                    self._client.set_state("available")
                case samtale.FeedChanged(key="state", row={"state": "away"}) if not self._is_out:
                    self._returns = self._returns or self._later(self._come_back)  # sent away for being slow
                case samtale.FeedChanged() | samtale.FeedReset():
                    self._look()
                case samtale.LogEvent(body=samtale.Message(by)) if by.role == "visitor":
                    self._heard(event)
                case _:
                    pass

    async def go_out_perhaps(self) -> None:
        """Be away for a while, now and then."""
        habits = self._stage.habits
        if habits.away_every_s and self._stage.chance.random() < habits.pace_s / habits.away_every_s:
            self._is_out = True
            self._client.set_state("away")
            await self._stage.rest(habits.away_s)
            self._come_back()

    def look_back(self) -> None:
        """Put away what has long been somebody else's or nobody's, and close what has been silent for too long."""
        for conversation, gone_s in list(self._gone.items()):
            if self._stage.now_s() > gone_s + PUT_AWAY_S:
                del self._gone[conversation]
                self._client.leave(conversation)
        limit_s = self._stage.habits.closes_silent_s
        if not limit_s:
            return
        for conversation, talk in self._talks.items():
            if self._stage.now_s() > talk.heard_s + limit_s and not talk.is_closed:
                self._close(conversation, talk)

    def put_down(self) -> None:
        """Do nothing more, whatever the console tells."""
        self._is_done = True
        for talk in self._talks.values():
            talk.forget()
        for later in (*self._offers.values(), self._returns):
            if later is not None:
                later.cancel()

    def _come_back(self) -> None:
        self._is_out, self._returns = False, None
        self._client.set_state("available")

    def _look(self) -> None:
        """Take up what is new in the feeds and put down what is gone."""
        mine, offered = self._client.conversations, self._client.offers
        for conversation in mine.keys() - self._talks.keys():
            self._talks[conversation] = _Talk(self._stage)
            self._gone.pop(conversation, None)
        for conversation in self._talks.keys() - mine.keys():
            self._talks.pop(conversation).forget()
            self._gone[conversation] = self._stage.now_s()
        for offer in offered.keys() - self._offers.keys():
            self._offers[offer] = self._later(partial(self._decide, offer))
        for offer in self._offers.keys() - offered.keys():
            self._offers.pop(offer).cancel()

    def _decide(self, offer: str) -> None:
        declines = self._stage.chance.random() < self._stage.habits.declines
        (self._client.decline if declines else self._client.accept)(offer)

    def _heard(self, event: samtale.LogEvent) -> None:
        talk = self._talks.get(event.conversation)
        if talk is None:
            return
        talk.heard += 1
        talk.heard_s = self._stage.now_s()
        self._client.read(event.conversation, event.seq)
        if talk.answer is None:
            self._client.typing(event.conversation)
            talk.answer = self._later(partial(self._answer, event.conversation, talk))

    def _answer(self, conversation: str, talk: "_Talk") -> None:
        habits, client = self._stage.habits, self._client
        talk.answer = None
        client.send(conversation, self._stage.words())
        client.typing(conversation, False)
        if talk.goes_on and self._seat.colleagues:
            client.transfer(conversation, self._stage.chance.choice(self._seat.colleagues), "please take over")
            talk.goes_on = False
        elif habits.closes_after and talk.heard >= habits.closes_after and not talk.is_closed:
            self._close(conversation, talk)

    def _close(self, conversation: str, talk: "_Talk") -> None:
        talk.is_closed = True
        self._client.close(conversation)

    def _later(self, do: Callable[[], None]) -> asyncio.TimerHandle:
        """Do something when a person would."""
        mean_s = self._stage.habits.answers_s
        return asyncio.get_running_loop().call_later(self._stage.chance.expovariate(1 / mean_s) if mean_s else 0.0, do)


class _Talk:
    """One conversation of this agent's. `goes_on`: to a colleague, after the next answer."""

    def __init__(self, stage: Stage) -> None:
        self.heard, self.heard_s = 0, stage.now_s()
        self.goes_on = stage.chance.random() < stage.habits.transfers
        self.is_closed = False
        self.answer: asyncio.TimerHandle | None = None

    def forget(self) -> None:
        if self.answer is not None:
            self.answer.cancel()
