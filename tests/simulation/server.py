"""One simulated Redis: fakeredis's data and commands behind byte streams, on the loop's clock.

Invariant: its order is the order in which bytes arrive; nothing depends on the machine's clock, on addresses in memory
or on hashes. It can be restarted with all its data, or with what it held at an earlier moment, and it can be full.
"""

import copy
import hashlib
import pickle
import time as real_time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

import fakeredis
import hiredis
import msgpack
from fakeredis import _msgs as msgs
from fakeredis._helpers import NoResponse, SimpleError
from fakeredis._socket import _base as clock
from fakeredis.aioredis import AsyncFakeSocket
from fakeredis.commands_mixins.scripting_mixin import LUA_MODULE
from fakeredis.model import XStream

from loadtests.chaos import traffic
from tests.simulation.loop import EPOCH_S, SimulatedLoop

FULL = "OOM command not allowed when used memory > 'maxmemory'."
WATCHED = frozenset({"commit", "trim"})
_NOTHING_YET = object()
CANARY = traffic.CANARY.encode()
GROWS = frozenset({b"XADD", b"HSET", b"SET", b"ZADD", b"RPUSH"})
LuaError = LUA_MODULE.LuaError
Saw = Callable[[str, list[bytes], dict[str, str], Any], None]


@contextmanager
def redis_clock(loop: SimulatedLoop) -> Iterator[None]:
    """Make fakeredis read the loop's clock wherever it would read the machine's."""
    simulated = SimpleNamespace(time=lambda: EPOCH_S + loop.now_s, sleep=real_time.sleep, monotonic=loop.time)
    modules = [
        "fakeredis._helpers", "fakeredis._socket._base", "fakeredis.commands_mixins.server_mixin",
        "fakeredis.model._stream",
    ]  # fmt: skip
    patches = [mock.patch(f"{module}.time", simulated) for module in modules]
    # Real servers forbid globals, and the contract suite runs every script there; here the look costs too much.
    patches.append(mock.patch("fakeredis.commands_mixins.scripting_mixin._check_for_lua_globals"))
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


class Server:
    """The data, and what a restart does to it. `saw` is told of every script that ran: name, arguments, before, reply."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.loop = loop
        self.fake = fakeredis.FakeServer(version=(7,), server_type="redis")
        self.scripts: dict[bytes, Any] = {}  # hash → function
        self.names: dict[bytes, str] = {}
        self.saw: Saw = lambda *_: None
        self.is_full = False
        self.lives = 0
        self.leaks = 0  # chunks with words that nobody may have let through
        self.moments: list[Any] = [{}]  # what an older file, or none, would hold
        self.asleep: dict[Socket, tuple[bytes, Callable[[], None]]] = {}
        self.data.notify_watch = self._changed

    @property
    def data(self) -> Any:
        return self.fake.dbs[0]

    def info(self) -> bytes:
        """What INFO answers: who this life of the server is, and how much memory it has left."""
        used = 98 if self.is_full else 1
        known = {"redis_version": "7.0.0", "run_id": f"life{self.lives}", "used_memory": used, "maxmemory": 100}
        return "".join(f"{name}:{value}\r\n" for name, value in (known | {"aof_enabled": 1}).items()).encode()

    def keys_with(self, word: bytes) -> list[str]:
        """Return the keys that hold `word`, or are called so."""
        return [key.decode() for key, item in self.data._dict.items() if word in key + pickle.dumps(item.value)]

    def rewrite(self) -> None:
        """Write the append-only file anew: nothing older is left of it."""
        self.moments = [{}]

    def remember(self) -> Any:
        """Return a copy of everything stored now, as an append-only file cut at this moment would hold it."""
        return copy.deepcopy(dict(self.data._dict))

    def restart(self, remembered: Any = None) -> None:
        """Begin a new life: with all the data, or only with what `remembered` holds."""
        self.lives += 1
        self.scripts.clear()
        if remembered is not None:
            self.data._dict.clear()
            self.data._dict.update(remembered)

    def _changed(self, key: bytes) -> None:
        for waits_for, look in list(self.asleep.values()):
            if waits_for == key:
                self.loop.call_soon(look)


class Socket(AsyncFakeSocket):
    """fakeredis's side of one line, with what it lacks: INFO, full memory, `#!lua`, and sleepers woken by their key."""

    def __init__(self, server: Server, number: int, answer: Callable[[Any], None]) -> None:
        self._number = number
        super().__init__(server.fake, 0, client_class=fakeredis.FakeAsyncRedis)
        self._mine = server
        self._reader = hiredis.Reader(notEnoughData=_NOTHING_YET)
        self._reads = b""
        self.put_response = answer

    def __hash__(self) -> int:
        return self._number  # sets of sockets are walked in the same order in every process

    def __eq__(self, other: object) -> bool:
        return self is other

    def sendall(self, data: bytes) -> None:
        """Take bytes as they arrive; commands behind one that blocks wait for it."""
        self._mine.leaks += CANARY in data
        self._reader.feed(data)
        self._go_on()

    def resume(self) -> None:
        self._paused = False
        self._go_on()

    def _go_on(self) -> None:
        while not self._paused and self._server is not None and (fields := self._reader.gets()) is not _NOTHING_YET:
            self._process_command(fields)

    def close(self) -> None:
        self._mine.asleep.pop(self, None)
        if self._server is not None:
            super().close()

    def _process_command(self, fields: list[bytes]) -> None:
        name = fields[0].upper() if fields else b""
        if name == b"INFO":
            self.put_response(self._mine.info())
        elif name == b"BGREWRITEAOF":
            self._mine.rewrite()
            self.put_response(b"Background append only file rewriting started")
        elif self._mine.is_full and name in GROWS:
            self.put_response(RuntimeError(FULL))
        elif name in (b"EVAL", b"EVALSHA"):
            self._run_script(name, fields)
        else:
            self._reads = fields[-2] if name == b"XREAD" else b""
            super()._process_command(fields)

    def _run_script(self, name: bytes, fields: list[bytes]) -> None:
        mine, sha = self._mine, fields[1]
        if name == b"EVAL":
            sha = hashlib.sha1(fields[1]).hexdigest().encode()
            body = fields[1].split(b"\n", 1)[1]  # without the line of flags, which fakeredis does not know
            server: Any = self._server
            runtime = self._get_server_runtime(server)
            runtime.globals()[b"cmsgpack"] = runtime.table_from({b"unpack": partial(_unpacked, runtime)})
            server._lua_expected_globals.add(b"cmsgpack")
            mine.scripts[sha] = runtime.eval(b"function()\n" + body + b"\nend")
        if sha not in mine.scripts:
            super()._process_command(fields)
            return
        keys = int(fields[2])
        script, cell = mine.names.get(sha, ""), fields[3] if keys else b""
        before = self._record(cell) if script in WATCHED else {}
        reply = self._evaluate(mine.scripts[sha], fields[3 : 3 + keys], fields[3 + keys :])
        if script in WATCHED:
            mine.saw(script, fields[3:], before, reply)
        self.put_response(reply)

    def _evaluate(self, function: Any, keys: list[bytes], args: list[bytes]) -> Any:
        """Run a script as fakeredis does, but compiled once and without collecting Lua's garbage each time."""
        server: Any = self._server
        runtime = self._get_server_runtime(server)
        server._lua_current_socket[0] = self
        for database in server.dbs.values():
            database.time = clock.time.time()  # the machine's, or the one of `redis_clock`
        self._script_resp = 2
        server._lua_set_keys_argv(runtime.table_from(keys), runtime.table_from(args))
        try:
            return self._decode_result(self._convert_lua_result(function(), nested=False))
        except (SimpleError, LuaError) as error:
            return self._decode_result(SimpleError(f"ERR {getattr(error, 'value', error)}"))
        finally:
            self._script_resp = None

    def _xread(self, wanted: list[Any], *how: Any, **more: Any) -> Any:
        for key, _ in wanted:
            item = self._db.get(key)
            if item is not None and not isinstance(item.value, XStream):
                raise SimpleError(msgs.WRONGTYPE_MSG)
        return super()._xread(wanted, *how, **more)

    def _record(self, key: bytes) -> dict[str, str]:
        item = self._mine.data._dict.get(key)
        fields = item.value.items() if item is not None and hasattr(item.value, "items") else ()
        return {name.decode(): value.decode(errors="replace") for name, value in fields if isinstance(value, bytes)}

    def _blocking(self, timeout: float | None, func: Callable[[bool], Any], shape: Any = None) -> Any:
        found = func(True)
        if found is not None:
            return found if shape is None else shape(found)
        self.pause()

        def wake(found: Any) -> None:
            if self._mine.asleep.pop(self, None) is not None:
                timer.cancel()
                self.put_response(self._decode_result(found if shape is None else shape(found)))
                self.resume()

        def look() -> None:
            if self in self._mine.asleep and (found := func(False)) is not None:
                wake(found)

        timer = self._mine.loop.call_later(timeout or 1e6, wake, None)
        self._mine.asleep[self] = (self._reads, look)
        return NoResponse()


def _unpacked(runtime: Any, packed: bytes) -> Any:
    """What cmsgpack.unpack returns; Redis's knows no bin either."""

    def to_lua(value: Any) -> Any:
        return runtime.table_from([to_lua(item) for item in value]) if isinstance(value, list) else value

    return to_lua(msgpack.unpackb(packed, raw=True, max_bin_len=0))


def encode(value: Any) -> bytes:
    """Return `value` as RESP2."""
    match value:
        case None:
            return b"$-1\r\n"
        case bool():
            return b":%d\r\n" % int(value)
        case int():
            return b":%d\r\n" % value
        case float():
            return encode(repr(value).encode())
        case bytes():
            return b"$%d\r\n%s\r\n" % (len(value), value)
        case str():
            return encode(value.encode())
        case Exception():
            return b"-%s\r\n" % _error_text(value).replace("\r", " ").replace("\n", " ").encode()
        case list() | tuple():
            return b"*%d\r\n" % len(value) + b"".join(encode(item) for item in value)
        case _:
            raise TypeError(f"no RESP for {type(value)}")


def _error_text(error: Exception) -> str:
    text = str(error)
    name = type(error).__name__
    if name == "NoScriptError" and not text.startswith("NOSCRIPT"):
        return f"NOSCRIPT {text}"
    return text if text.split(" ", 1)[0].isupper() else f"ERR {text}"
