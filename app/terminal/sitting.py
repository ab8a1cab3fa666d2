"""A person at a terminal with a client: both are heard until one of them leaves.

Invariant: who never got in is told why in one line and does not wait; who was in once is reconnected for ever. Whoever
leaves waits a moment for the outcome of what they asked for.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

import samtale

from app.terminal.console import Console
from app.terminal.words import of_farewell, of_refusal
from app.trouble import Trouble

OUTCOMES_WITHIN_S = 10.0
ECHO_WITHIN_S = 2.0
LOST = 1006


class NotIn(Trouble):
    """The user cannot be let in, or was sent away for good, and why."""


def checked_server(url: str) -> str:
    """Return `url` if it can be a gateway's; raises NotIn."""
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        is_one = False
    if not is_one:
        raise NotIn(f"{url} is no address of a gateway: http://host:port is one")
    return url


class Sitting:
    """`typed` is called with each line, False leaves; `show` with each event that is not about the connection."""

    def __init__(self, client: samtale.VisitorClient | samtale.AgentClient, server: str, console: Console) -> None:
        self._client = client
        self._server = server
        self._console = console
        self._asked: dict[str, tuple[samtale.Asked, str]] = {}
        self._seen: dict[str, int] = {}
        self._caught_up: set[str] = set()
        self.texts: Mapping[str, str] = {}  # what refusals are called, by `error_` and their code
        self._welcome = ""
        self._was_in = False
        self._is_in = False
        self._refused: samtale.Refused | None = None
        self._open = asyncio.Event()
        self._changed = asyncio.Event()

    def asks(self, asked: samtale.Asked, text: str = "") -> None:
        """Remember what was asked for: its refusal names `text`, and leaving waits for it."""
        self._asked[asked.id] = (asked, text)
        if text and not self._is_in:
            self._console.say(f"       kept until the line is back: {text}", dim=True)

    def is_caught_up(self, conversation: str) -> bool:
        """Whether what comes of that conversation happens now."""
        return conversation in self._caught_up

    def open(self) -> None:
        """What the user types makes sense from now on: everything that it may be about is known."""
        self._open.set()

    async def run(self, typed: Callable[[str], bool], show: Callable[[samtale.Event], None], welcome: str) -> None:
        """Listen and type until the user leaves; `welcome` is shown once in. Raises NotIn."""
        self._welcome = welcome
        async with self._client:
            listening = asyncio.create_task(self._listen(show))
            typing = asyncio.create_task(self._type(typed))
            try:
                await asyncio.wait({listening, typing}, return_when=asyncio.FIRST_COMPLETED)
                if not listening.done():
                    await asyncio.wait({listening, settling := asyncio.create_task(self._settle())},
                                       return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
                    settling.cancel()
            finally:
                for task in (listening, typing):
                    task.cancel()
                await asyncio.gather(listening, typing, return_exceptions=True)
            if not listening.cancelled():
                listening.result()

    async def _type(self, typed: Callable[[str], bool]) -> None:
        async for line in self._console.lines():
            await self._open.wait()
            if line and not typed(line):
                return

    async def _listen(self, show: Callable[[samtale.Event], None]) -> None:
        async for event in self._client.events():
            self._take(event, show)
            self._changed.set()

    def _take(self, event: samtale.Event, show: Callable[[samtale.Event], None]) -> None:
        match event:
            case samtale.Disconnected():
                self._disconnected(event)
            case samtale.Connected():
                if self._was_in:
                    self._console.say("       connected again", "green")
                else:
                    self._console.say(self._welcome, dim=True)
                self._console.show_passing("")
                self._was_in = self._is_in = True
                show(event)
            case samtale.Refused(id=asked):
                self._refused = event
                if self._is_in:
                    _, text = self._asked.pop(asked, (None, ""))
                    self._console.say(f"       {of_refusal(event, text, self.texts)}", "red")
            case samtale.LogEvent(conversation=conversation, seq=seq):
                self._seen[conversation] = seq
                show(event)
            case samtale.CaughtUp(conversation=conversation):
                self._caught_up.add(conversation)
            case samtale.Acked(id=asked, seq=0):
                self._asked.pop(asked, None)
            case _:
                show(event)

    def _disconnected(self, event: samtale.Disconnected) -> None:
        if event.again_in_s is None:
            raise NotIn(of_farewell(event, self._refused))
        if not self._was_in and event.code == LOST:
            raise NotIn(f"{self._server} cannot be reached: {_plain(event.reason)}")
        if self._is_in:
            self._console.say("       connection lost; what you write meanwhile is kept", "yellow")
        self._is_in = False
        why = self._refused.text if self._refused is not None and not self._was_in else "no connection"
        self._console.show_passing(f"{why}; trying again in {event.again_in_s:.1f} s")

    async def _settle(self) -> None:
        """Wait for the outcomes of what was asked, and until what became an entry has been shown."""
        try:
            async with asyncio.timeout(OUTCOMES_WITHIN_S):
                await self._open.wait()
                await self._until(lambda: self._present() <= self._caught_up)
                outcomes = await asyncio.gather(*(_outcome(asked) for asked, _ in list(self._asked.values())))
        except TimeoutError:
            self._console.say("       not all of it has arrived", "yellow")
            return
        try:
            async with asyncio.timeout(ECHO_WITHIN_S):
                for acked in filter(None, outcomes):
                    await self._until(partial(self._has_seen, acked))
        except TimeoutError:
            pass  # it is not followed here

    def _has_seen(self, acked: samtale.Acked) -> bool:
        return self._seen.get(acked.conversation, 0) >= acked.seq

    def _present(self) -> set[str]:
        """Return the conversation that a visitor talks in, if it is known."""
        return {getattr(self._client, "conversation", "")} - {""}

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._changed.clear()
            await self._changed.wait()


def _plain(reason: str) -> str:
    reason = re.sub(r"\[Errno -?\d+\] |^login: ", "", reason)
    return re.sub(r"^Connect call failed .*", "nobody listens there", reason) or "no answer"


async def _outcome(asked: samtale.Asked) -> samtale.Acked | None:
    try:
        return await asked
    except samtale.RefusedError:
        return None
