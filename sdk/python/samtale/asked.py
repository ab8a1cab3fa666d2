"""What the app asked for, and what became of it.

Invariant: asking is done at once and survives the connection; awaiting only waits for the outcome.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Generator
from typing import Any

from samtale.events import Acked, Refused

REMEMBERED = 256


class RefusedError(Exception):
    """The server, or this client for it, said no. `refused` says why and whether asking anew may help."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(f"{refused.code}: {refused.text}")
        self.refused = refused


class Outcomes:
    """The newest outcomes, and those who wait for one."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Acked | Refused] = OrderedDict()
        self._waiting: dict[str, asyncio.Future[Acked | Refused]] = {}

    def tell(self, outcome: Acked | Refused) -> None:
        """Remember `outcome` and wake whoever waits for it."""
        self._known[outcome.id] = outcome
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        waiting = self._waiting.pop(outcome.id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(outcome)

    async def of(self, id: str) -> Acked | Refused:  # noqa: A002 - the wire's word
        """Return the outcome of `id`, however long it takes."""
        if id in self._known:
            return self._known[id]
        future = self._waiting.get(id)
        if future is None or future.done():
            future = self._waiting[id] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(future)


class Asked:
    """One thing asked for. `await` it for its `Acked`; raises RefusedError. Need not be awaited to be done."""

    def __init__(self, id: str, outcomes: Outcomes) -> None:  # noqa: A002 - the wire's word
        self.id = id
        self._outcomes = outcomes

    def __await__(self) -> Generator[Any, None, Acked]:
        return self._done().__await__()

    async def _done(self) -> Acked:
        outcome = await self._outcomes.of(self.id)
        if isinstance(outcome, Refused):
            raise RefusedError(outcome)
        return outcome
