"""One line to Redis: pipelined, straight over hiredis, and never clever about failure.

Invariant: every command sent gets exactly one answer, in order: its reply, `Refused`, or `Away` when the line is lost.
Nothing is ever sent twice (redis-py 8 retries XADD: of 20 lost replies, 20 became two entries).
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

import hiredis

from protocol.ids import CellName
from store.redis.address import Address, parse
from store.redis.faults import Away, Busy, Refused

__all__ = ["Address", "Away", "Busy", "Connection", "Dial", "Part", "Refused", "dial", "greet", "parse"]

Part: TypeAlias = str | bytes | int | float
Push: TypeAlias = Callable[[Any], None]

MAX_PENDING: Final = 10_000
MAX_UNSENT_BYTES: Final = 32 * 1024 * 1024
_NOTHING_YET: Final = object()


class Connection(asyncio.Protocol):
    """A pipelined connection. Made by `dial`, or by whoever brings another transport and calls `greet`."""

    def __init__(self) -> None:
        self.run_id = ""
        self.is_cluster = False
        self._reader = hiredis.Reader(replyError=Refused, notEnoughData=_NOTHING_YET)
        self._transport: asyncio.Transport | None = None
        self._pending: deque[asyncio.Future[Any] | None] = deque()  # None: nobody waits for this answer
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._paused = False
        self._flushing = False
        self._on_push: Push | None = None
        self._why_lost = "not connected"
        self._loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[None] = self._loop.create_future()  # no answer will come any more
        self._closed: asyncio.Future[None] | None = None  # the transport is done, too

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    @property
    def pending(self) -> int:
        """How many commands wait for their answer."""
        return len(self._pending)

    def send(self, *parts: Part) -> asyncio.Future[Any]:
        """Send a command and return its answer to come; raises Away or Busy if it is not even sent.

        Commands of one turn of the loop leave in one write. Cancelling the future does not recall the command.
        """
        self._write(parts)
        answer = self._loop.create_future()
        self._pending.append(answer)
        return answer

    def tell(self, *parts: Part) -> None:
        """Send a command whose answer does not matter, not even whether it is refused; raises as `send`."""
        self._write(parts)
        self._pending.append(None)

    async def call(self, *parts: Part, timeout_s: float = 5.0) -> Any:
        """Send a command and return its reply. Without one in time the line counts as lost (Away)."""
        return await self.within(self.send(*parts), timeout_s)

    async def within(self, answer: asyncio.Future[Any], timeout_s: float) -> Any:
        """Return `answer`, one of this line's; without it in time the line counts as lost (Away)."""
        # Lighter than asyncio.timeout, and enough: cutting the line is what answers whoever waits.
        deadline = self._loop.call_later(timeout_s, self.abort, f"no answer within {timeout_s:g} s")
        try:
            return await answer
        finally:
            deadline.cancel()

    async def within_all(self, answers: Sequence[asyncio.Future[Any]], timeout_s: float) -> list[Any]:
        """Return `answers`, of this line, as `within`; raises the first that is a fault, once all have come."""
        found = await self.within(asyncio.gather(*answers, return_exceptions=True), timeout_s)
        for answer in found:
            if isinstance(answer, BaseException):
                raise answer
        return found  # type: ignore[no-any-return]

    def listen(self, on_push: Push) -> None:
        """From now on nothing is asked, only heard: each thing that arrives goes to `on_push` (errors included)."""
        assert not self._pending, "answers would be taken for messages"
        self._on_push = on_push

    def post(self, *parts: Part) -> None:
        """Send a command on a listening line, where answers come as messages."""
        assert self._on_push is not None, "an answer would be taken for another's"
        self._write(parts)

    def abort(self, why: str = "closed by us") -> None:
        """Cut the line now: every answer still to come is Away."""
        if self._transport is not None:
            self._transport.abort()
            self._end(why)

    async def close(self) -> None:
        """Cut the line and wait until its socket is closed: before the loop ends, say."""
        self.abort()
        if self._closed is not None:
            await asyncio.shield(self._closed)

    async def lost(self) -> str:
        """Wait until the line is lost and return why."""
        await asyncio.shield(self._lost)
        return self._why_lost

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's transport, by construction
        self._closed = self._loop.create_future()

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while self._transport is not None:
            try:
                reply = self._reader.gets()
            except hiredis.ProtocolError as error:
                self.abort(f"not the Redis protocol: {error}")
                return
            if reply is _NOTHING_YET:
                return
            self._answer(reply)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._end(f"line lost: {error}" if error else "line closed by Redis")
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    # Inside.

    def _answer(self, reply: Any) -> None:
        if self._on_push is not None:
            self._on_push(reply)
            return
        if not self._pending:
            self.abort("an answer nobody asked for")
            return
        answer = self._pending.popleft()
        if answer is None or answer.done():
            return
        if isinstance(reply, Refused):
            answer.set_exception(reply)
        else:
            answer.set_result(reply)

    def _write(self, parts: tuple[Part, ...]) -> None:
        if self._transport is None:
            raise Away(self._why_lost)
        if len(self._pending) >= MAX_PENDING:
            raise Busy(f"{MAX_PENDING} commands wait for an answer")
        if self._unsent_bytes > MAX_UNSENT_BYTES:
            raise Busy(f"{self._unsent_bytes} bytes wait to be sent")
        packed = hiredis.pack_command(parts)  # type: ignore[arg-type]  # its stub types tuples of one
        self._unsent.append(packed)
        self._unsent_bytes += len(packed)
        if not self._flushing and not self._paused:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._unsent and not self._paused and self._transport is not None:
            self._transport.write(b"".join(self._unsent))
            self._unsent.clear()
            self._unsent_bytes = 0

    def _end(self, why: str) -> None:
        if self._transport is None:
            return
        self._transport = None
        self._why_lost = why
        self._unsent.clear()
        while self._pending:
            answer = self._pending.popleft()
            if answer is not None and not answer.done():
                answer.set_exception(Away(why))
                answer.exception()  # whoever dropped it is not owed a log line per command
        self._lost.set_result(None)


Dial: TypeAlias = Callable[[CellName | None], Awaitable[Connection]]
"""Returns a fresh connection to the node that holds a cell's keys (None: the keys of no cell), or raises Away."""


async def dial(address: Address, *, timeout_s: float = 5.0) -> Connection:
    """Return a fresh connection to `address`, let in and with its `run_id` read; Away if that fails in time."""
    tls = ssl.create_default_context() if address.tls else None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            _, connection = await loop.create_connection(Connection, address.host, address.port, ssl=tls)
            await greet(connection, address)
    except TimeoutError:
        raise Away(f"{address} did not answer within {timeout_s:g} s") from None
    except ConnectionRefusedError as error:
        raise Away(f"{address} cannot be reached: nobody listens there") from error
    except OSError as error:
        raise Away(f"{address} cannot be reached: {error}") from error
    return connection


async def greet(connection: Connection, address: Address) -> None:
    """Log in, choose the database and learn which life of which server this is; on failure the line is cut."""
    try:
        if address.password:
            login = (address.username, address.password) if address.username else (address.password,)
            await connection.call("AUTH", *login)
        if address.db:
            await connection.call("SELECT", address.db)
        await connection.call("PING")
        lines = (await connection.call("INFO", "server")).decode().splitlines()
    except BaseException as error:
        connection.abort("not let in")
        if isinstance(error, Refused) and error.code in ("LOADING", "BUSY", "MASTERDOWN"):
            raise Away(str(error)) from error
        raise
    about = dict(line.split(":", 1) for line in lines if ":" in line)
    connection.run_id = about.get("run_id", "")
    connection.is_cluster = about.get("redis_mode", about.get("server_mode")) == "cluster"
