"""A connection that only listens: sharded channels, kept subscribed over every loss of the line.

Invariant: `subscribe` returns once the server has confirmed it. After a loss nothing is silently missed: everything
wanted is subscribed again and then `on_restored` is called, so that readers check their positions (hints are hints).
It is called after the first connection too.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Any, Final, TypeAlias

from protocol.ids import CellName
from store.redis.connection import Connection, Dial
from store.redis.faults import Away, Refused

OnMessage: TypeAlias = Callable[[str, bytes], None]

CHANNELS_AT_ONCE: Final = 1_000
SHORTEST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0
PING_EVERY_S: Final = 5.0


class Subscriber:
    """The subscriptions of one cell (None: of a server that is no cluster). Runs while `run` does."""

    def __init__(
        self, dial: Dial, cell: CellName | None, on_message: OnMessage, on_restored: Callable[[], None]
    ) -> None:
        self._dial = dial
        self._cell = cell
        self._on_message = on_message
        self._on_restored = on_restored
        self._line: Connection | None = None
        self._wanted: dict[str, asyncio.Future[None]] = {}  # channel → done once confirmed on this line
        self._asked: Counter[str] = Counter()  # SSUBSCRIBE sent on this line, not confirmed
        self._left: Counter[str] = Counter()  # SUNSUBSCRIBE sent on this line, not confirmed
        self._restoring = False
        self._heard = True

    @property
    def connected(self) -> bool:
        """Whether everything wanted is subscribed on a line that answers."""
        return self._line is not None and not self._restoring

    async def run(self) -> None:
        """Keep the line, until cancelled."""
        pause_s = SHORTEST_PAUSE_S
        try:
            while True:
                try:
                    line = await self._dial(self._cell)
                except (Away, Refused):
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                    continue
                pause_s = SHORTEST_PAUSE_S
                await self._keep(line)
                await asyncio.sleep(pause_s)
        finally:
            self._forget_line()

    async def subscribe(self, *channels: str, timeout_s: float = 5.0) -> None:
        """Hear `channels` from now on, over losses of the line too; Away (and unheard) if not confirmed in time."""
        new = [channel for channel in channels if channel not in self._wanted]
        if new:
            loop = asyncio.get_running_loop()
            self._wanted.update((channel, loop.create_future()) for channel in new)
            self._ask(new)
        waited_for = [(channel, self._wanted[channel]) for channel in channels]
        try:
            async with asyncio.timeout(timeout_s):
                for _, confirmed in waited_for:
                    if not confirmed.done():
                        await asyncio.shield(confirmed)
        except BaseException as error:
            for channel, confirmed in waited_for:  # what was confirmed others may hear: it is theirs to leave
                if not confirmed.done() and self._wanted.get(channel) is confirmed:
                    self.unsubscribe(channel)
            if isinstance(error, TimeoutError):
                raise Away(f"no subscription within {timeout_s:g} s") from None
            raise

    def unsubscribe(self, channel: str) -> None:
        """Hear `channel` no more; whoever still waits for its confirmation waits until its deadline."""
        if self._wanted.pop(channel, None) is not None and self._line is not None:
            self._left[channel] += 1
            self._post("SUNSUBSCRIBE", channel)

    async def _keep(self, line: Connection) -> None:
        self._line = line
        line.listen(self._on_push)
        self._restoring = True
        try:
            self._ask(list(self._wanted))
            self._settle()
            await self._until_lost(line)
        finally:
            self._forget_line()

    async def _until_lost(self, line: Connection) -> None:
        self._heard = True
        while line.is_open:
            if not self._heard:
                line.abort("silent")
                return
            self._heard = False
            self._post("PING")
            try:
                async with asyncio.timeout(PING_EVERY_S):
                    await line.lost()
            except TimeoutError:
                continue

    def _forget_line(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.abort()
        self._asked.clear()
        self._left.clear()
        loop = asyncio.get_running_loop()
        for channel, confirmed in self._wanted.items():
            if confirmed.done():
                self._wanted[channel] = loop.create_future()

    def _ask(self, channels: list[str]) -> None:
        if self._line is None:
            return
        self._asked.update(channels)
        rest = iter(channels)
        while some := list(islice(rest, CHANNELS_AT_ONCE)):
            self._post("SSUBSCRIBE", *some)

    def _post(self, *parts: str) -> None:
        line = self._line
        if line is None:
            return
        try:
            line.post(*parts)
        except Away as away:
            line.abort(str(away))

    def _on_push(self, push: Any) -> None:
        self._heard = True
        kind = push[0] if isinstance(push, list) else push
        if kind == b"smessage":
            self._on_message(push[1].decode(), push[2])
        elif kind == b"ssubscribe":
            self._confirm(push[1].decode())
        elif kind == b"sunsubscribe":
            self._leave(push[1].decode())
        elif isinstance(push, Refused) and self._line is not None:
            self._line.abort(str(push))  # MOVED: the cell lives elsewhere now

    def _confirm(self, channel: str) -> None:
        self._asked[channel] -= 1
        if self._asked[channel] > 0:
            return  # an earlier one, left again since
        del self._asked[channel]
        confirmed = self._wanted.get(channel)
        if confirmed is not None and not confirmed.done():
            confirmed.set_result(None)
        self._settle()

    def _settle(self) -> None:
        if self._restoring and not self._asked:
            self._restoring = False
            self._on_restored()

    def _leave(self, channel: str) -> None:
        self._left[channel] -= 1
        if self._left[channel] < 0 and self._line is not None:
            self._line.abort("the cell left this node")
        elif self._left[channel] <= 0:
            del self._left[channel]
