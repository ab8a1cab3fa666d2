"""What is asked of the server and answered on the same line.

Invariant: a question is answered, refused, or lost with its line; whoever asked always hears which.
"""

import asyncio
from typing import Any

from samtale.asked import RefusedError
from samtale.events import Refused
from samtale.line import LineLost
from samtale.outlet import Frame, Outlet


class Questions:
    """By `ref`."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._open: dict[str, asyncio.Future[Any]] = {}

    async def ask(self, frame: Frame) -> Any:
        """Return what the answer to `frame` amounts to. Raises RefusedError; LineLost if there is no connection."""
        if not self._outlet.is_ready():
            raise LineLost(1006, "not connected")
        ref = self._outlet.world.new_id()
        answer = self._open[ref] = asyncio.get_running_loop().create_future()
        self._outlet.put({**frame, "ref": ref})
        try:
            return await answer
        finally:
            del self._open[ref]

    def answered(self, ref: str, answer: Any) -> None:
        if (asked := self._waiting(ref)) is not None:
            asked.set_result(answer)

    def refused(self, refused: Refused) -> None:
        if (asked := self._waiting(refused.ref)) is not None:
            asked.set_exception(RefusedError(refused))

    def lost(self, lost: LineLost) -> None:
        for ref in self._open:
            if (asked := self._waiting(ref)) is not None:
                asked.set_exception(lost)

    def _waiting(self, ref: str) -> "asyncio.Future[Any] | None":
        asked = self._open.get(ref)
        return asked if asked is not None and not asked.done() else None
