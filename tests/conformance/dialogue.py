"""Plays a dialogue of protocol/vectors/dialogues.json against a running server, knowing only SPEC.

Invariant: what a step names must hold; what it leaves out is not looked at. Frames of different names may arrive in any
order, frames of one name in the order of the steps.
"""

import asyncio
import json
import re
from collections import deque
from typing import Any

import msgpack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Frame = dict[str, Any]
PATIENCE_S = 30.0
_NAME = re.compile(r"\$\{(\w+)\}")


class Dialogue:
    """One run: the names bound so far, and the socket of the last `connect`."""

    def __init__(self, url: str, subprotocol: str, **known: str) -> None:
        self._url = url.replace("http", "ws", 1)
        self._subprotocol = Subprotocol(subprotocol)
        self._known: dict[str, Any] = dict(known)
        self._socket: ClientConnection | None = None
        self._heard: deque[Frame] = deque()

    async def play(self, steps: list[dict[str, Any]]) -> None:
        """Do every step, or raise AssertionError with what was heard instead."""
        try:
            async with asyncio.timeout(len(steps) * PATIENCE_S):
                for number, step in enumerate(steps):
                    await self._do(number, step)
        finally:
            if self._socket is not None:
                await self._socket.close()

    async def _do(self, number: int, step: dict[str, Any]) -> None:
        match step:
            case {"connect": socket}:
                if self._socket is not None:
                    await self._socket.close()
                offered = [self._subprotocol]
                self._socket = await connect(
                    f"{self._url}/v1/{socket}", subprotocols=offered, compression=None, proxy=None
                )
                self._heard.clear()
            case {"send": frame}:
                await self._say(self._filled(frame))
            case {"expect": shown}:
                frame = await self._next(shown["t"], number)
                assert self._holds(shown, frame), f"step {number}: {self._filled(shown)} was expected, not {frame}"
            case {"closed": code}:
                assert await self._close_code() == code, f"step {number}"

    async def _say(self, frame: Frame) -> None:
        assert self._socket is not None
        is_text = self._subprotocol.endswith("json")
        await self._socket.send(json.dumps(frame) if is_text else msgpack.packb(frame))

    async def _next(self, kind: str, number: int) -> Frame:
        assert self._socket is not None
        passed = []
        while True:
            for frame in self._heard:
                if frame["t"] == kind:
                    self._heard.remove(frame)
                    return frame
            try:
                async with asyncio.timeout(PATIENCE_S):
                    raw = await self._socket.recv()
            except (TimeoutError, ConnectionClosed) as error:
                raise AssertionError(f"step {number}: no {kind}, but {list(self._heard)}; {error!r}") from None
            passed.append(raw)
            self._heard.append(json.loads(raw) if isinstance(raw, str) else msgpack.unpackb(raw))

    async def _close_code(self) -> int | None:
        assert self._socket is not None
        async with asyncio.timeout(PATIENCE_S):
            await self._socket.wait_closed()
        return self._socket.close_code

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        name = _NAME.fullmatch(value) if isinstance(value, str) else None
        return self._known.get(name[1], value) if name else value

    def _holds(self, shown: Any, heard: Any) -> bool:
        """Whether `heard` is as `shown`, binding names on the way."""
        if isinstance(shown, dict):
            return isinstance(heard, dict) and all(self._holds(item, heard.get(key)) for key, item in shown.items())
        if isinstance(shown, list):
            long_enough = isinstance(heard, list) and len(heard) == len(shown)
            return long_enough and all(self._holds(*pair) for pair in zip(shown, heard, strict=True))
        name = _NAME.fullmatch(shown) if isinstance(shown, str) else None
        if name:
            return heard is not None and bool(self._known.setdefault(name[1], heard) == heard)
        return bool(shown == heard)
