"""What the people of a story have in common: a client that tells them everything, and the patience to wait for it.

Invariant: whatever a person is asked to wait for has a deadline; everything they were told is kept, in order.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import TypeVar

import samtale

from app.demo.facts import NotSo
from app.demo.narrator import Narrator
from app.demo.pulse import PATIENCE_S, Pulse

B = TypeVar("B", bound=samtale.Body)
E = TypeVar("E", bound=samtale.Event)

CONNECTED_WITHIN_S = 40.0


def text_of(event: samtale.LogEvent) -> str:
    """Return what was said in an entry, "" if it is no message."""
    return event.body.text if isinstance(event.body, samtale.Message) else ""


class Person:
    """Somebody with a client, which tells `hear` everything at once."""

    def __init__(self, name: str, narrator: Narrator, pulse: Pulse) -> None:
        self.name = name
        self.narrator = narrator
        self.pulse = pulse
        self.heard: list[samtale.Event] = []
        self.surroundings = samtale.Surroundings(listener=self.hear)

    def hear(self, event: samtale.Event) -> None:
        """Keep what the client tells."""
        self.heard.append(event)
        self.pulse.beat()

    def told(self, kind: type[E], since: int = 0) -> Iterator[E]:
        """Yield what was told of that kind, from the `since`th event on."""
        return (event for event in self.heard[since:] if isinstance(event, kind))

    async def connected(self, since: int = 0) -> samtale.Connected:
        """Return the greeting of the server; NotSo if it never comes."""

        def look() -> samtale.Connected | None:
            self._refuse_farewell(since)
            return next(self.told(samtale.Connected, since), None)

        return await self.pulse.until(f"{self.name} is connected", look, CONNECTED_WITHIN_S)

    async def is_told(self, what: str, kind: type[E], matches: Callable[[E], bool], since: int = 0) -> E:
        """Return the first event that matches; NotSo that `what` was not told."""
        return await self.pulse.until(what, lambda: next(filter(matches, self.told(kind, since)), None))

    async def outcome(self, asked: samtale.Asked, what: str) -> samtale.Acked:
        """Return what became of something asked for; raises RefusedError, or NotSo without an outcome."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await asked
        except TimeoutError:
            raise NotSo(f"without an outcome after {PATIENCE_S:g} s: {self.name} {what}") from None

    def log(self, conversation: str) -> list[samtale.LogEvent]:
        """Return what this person has read of a conversation, in the order it came."""
        return [event for event in self.told(samtale.LogEvent) if event.conversation == conversation]

    def messages(self, conversation: str) -> list[str]:
        """Return the texts of the messages this person has read."""
        return [text for event in self.log(conversation) if (text := text_of(event))]

    async def hears(self, conversation: str, text: str) -> samtale.LogEvent:
        """Wait for a message."""

        def is_it(event: samtale.LogEvent) -> bool:
            return event.conversation == conversation and text_of(event) == text

        return await self.is_told(f"{self.name} hears “{text}”", samtale.LogEvent, is_it)

    async def reads(self, conversation: str, seq: int) -> samtale.LogEvent:
        """Wait for an entry of the conversation's log."""

        def is_it(event: samtale.LogEvent) -> bool:
            return (event.conversation, event.seq) == (conversation, seq)

        return await self.is_told(f"{self.name} reads {seq}", samtale.LogEvent, is_it)

    async def sees(self, conversation: str, kind: type[B], since: int = 0) -> B:
        """Wait for an entry of that kind in the conversation's log."""

        def look() -> B | None:
            entries = (event for event in self.told(samtale.LogEvent, since) if event.conversation == conversation)
            return next((event.body for event in entries if isinstance(event.body, kind)), None)

        return await self.pulse.until(f"{self.name} sees that it is {kind.__name__.lower()}", look)

    def _refuse_farewell(self, since: int) -> None:
        for event in self.told(samtale.Disconnected, since):
            if event.again_in_s is None:
                raise NotSo(f"{self.name} was sent away: {event.code} {event.reason}")
