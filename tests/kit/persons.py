"""A visitor and an agent of a whole installation, through the SDK: they talk, and remember all they were told.

Invariant: whatever is waited for is an event with a deadline; what a person has read is in the order it came.
"""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import samtale

PATIENCE_S = 120.0


class Person:
    """Somebody with a client; `heard` is every event so far."""

    def __init__(self) -> None:
        self.heard: list[samtale.Event] = []
        self._changed = asyncio.Event()
        self.surroundings = samtale.Surroundings(listener=self._hear)

    def _hear(self, event: samtale.Event) -> None:
        self.heard.append(event)
        self._changed.set()

    async def until(self, fits: Callable[[Any], Any], since: int = 0) -> Any:
        """Return the first event from the `since`th on that fits."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    for event in self.heard[since:]:
                        if fits(event):
                            return event
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not told within {PATIENCE_S:g} s; the last were {self.heard[-8:]}") from None

    async def told(self, kind: type[samtale.Event], since: int = 0) -> Any:
        """Return the first event of that kind."""
        return await self.until(lambda event: isinstance(event, kind), since)

    async def reads(self, conversation: str, kind: type[samtale.Body], since_seq: int = 0) -> Any:
        """Return the first entry of that kind above `since_seq`."""
        return await self.until(
            lambda event: (
                isinstance(event, samtale.LogEvent)
                and event.conversation == conversation
                and event.seq > since_seq
                and isinstance(event.body, kind)
            )
        )

    async def hears(self, text: str) -> samtale.LogEvent:
        """Return the entry in which somebody says `text`."""

        def says(event: Any) -> bool:
            return isinstance(event, samtale.LogEvent) and getattr(event.body, "text", None) == text

        entry: samtale.LogEvent = await self.until(says)
        return entry

    def log(self, conversation: str) -> list[samtale.LogEvent]:
        """Return what this person has read of a conversation."""
        return [e for e in self.heard if isinstance(e, samtale.LogEvent) and e.conversation == conversation]

    def texts(self, conversation: str) -> list[str]:
        """Return what this person has heard said in a conversation."""
        return [e.body.text for e in self.log(conversation) if isinstance(e.body, samtale.Message)]


class Phone(Person):
    """A visitor."""

    def __init__(self, url: str, *, tag: str = "plain", app_key: str = "app_nordvik", **more: Any) -> None:
        super().__init__()
        self.client = samtale.VisitorClient(url, app_key=app_key, tag=tag, surroundings=self.surroundings, **more)

    @property
    def conversation(self) -> str:
        return self.client.conversation


class Desk(Person):
    """An agent."""

    def __init__(self, url: str, email: str = "kari@nordvik.example", password: str = "kari-kari") -> None:
        super().__init__()
        self.client = samtale.AgentClient(url, email=email, password=password, surroundings=self.surroundings)

    async def takes(self, conversation: str) -> None:
        """Claim a conversation, follow it, and wait until it is this agent's."""
        self.client.follow(conversation)
        await soon(self.client.claim(conversation))


async def soon(asked: samtale.Asked) -> samtale.Acked:
    """Return the outcome of what was asked; raises RefusedError."""
    async with asyncio.timeout(PATIENCE_S):
        return await asked


@asynccontextmanager
async def talking(phone: Phone, desk: Desk) -> Any:
    """Let both connect, the visitor say hello, and the agent take the conversation; lend its id."""
    async with phone.client, desk.client:
        await desk.told(samtale.Connected)
        await phone.told(samtale.Connected)
        await soon(phone.client.send("hello"))
        await desk.takes(phone.conversation)
        await desk.hears("hello")
        yield phone.conversation
