"""A Lua script on the server: called by its hash, and sent whole when the server does not know it.

Invariant: the source travels only after NOSCRIPT, which says that nothing was done; so nothing runs twice.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any, Generic, TypeVar

from store.redis.connection import Connection, Part
from store.redis.faults import Away, Refused

T = TypeVar("T")


def source(name: str) -> str:
    """Return the text of lua/`name`.lua."""
    return resources.files("store.redis").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


class Script(Generic[T]):
    """One file of lua/, and how its reply is read."""

    def __init__(self, name: str, read: Callable[[Any], T]) -> None:
        self.name = name
        self.source = source(name)
        self.sha = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()
        self._read = read

    def send(self, connection: Connection, keys: Sequence[str], args: Sequence[Part]) -> asyncio.Future[T]:
        """Send the call and return its answer to come; calls of one connection run in the order sent.

        Only a server that lost its scripts runs those already under way after the ones it still knew.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        parts = (len(keys), *keys, *args)

        def settle(reply: asyncio.Future[Any]) -> None:
            if not answer.done():
                self._settle(answer, reply)

        def first(reply: asyncio.Future[Any]) -> None:
            error = None if reply.cancelled() else reply.exception()
            if not isinstance(error, Refused) or error.code != "NOSCRIPT":
                settle(reply)
                return
            try:
                connection.send("EVAL", self.source, *parts).add_done_callback(settle)
            except Away as away:
                if not answer.done():
                    answer.set_exception(away)

        connection.send("EVALSHA", self.sha, *parts).add_done_callback(first)
        return answer

    async def call(
        self, connection: Connection, keys: Sequence[str], args: Sequence[Part], *, timeout_s: float = 5.0
    ) -> T:
        """Call the script and return what it answered. Without an answer in time the line counts as lost (Away)."""
        reply: T = await connection.within(self.send(connection, keys, args), timeout_s)
        return reply

    def _settle(self, answer: asyncio.Future[T], reply: asyncio.Future[Any]) -> None:
        error = reply.exception()
        if error is None:
            answer.set_result(self._read(reply.result()))
            return
        answer.set_exception(error)
        if isinstance(error, Away):
            answer.exception()  # the owner of the line hears of it once, not once per call
