"""Plays a dialogue of protocol/vectors/dialogues.json against a running server, knowing only SPEC.

Invariant: what a step names must hold; what it leaves out is not looked at. Frames of different names may arrive in any
order, events by their kind, frames of one name in the order of the steps. Several may take part, each with a socket.
"""

import asyncio
import json
import re
from collections import defaultdict, deque
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgpack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Frame = dict[str, Any]
PATIENCE_S = 60.0
_NAME = re.compile(r"\$\{(\w+)(?:\+(\d+))?\}")


class Party:
    """One who takes part: a socket, and what was heard on it and not asked for yet."""

    def __init__(self, url: str, subprotocol: str) -> None:
        self._url = url
        self._subprotocol = Subprotocol(subprotocol)
        self._socket: ClientConnection | None = None
        self._heard: deque[Frame] = deque()

    async def connect(self, socket: str) -> None:
        """Open a socket and drop the one before."""
        await self.leave()
        address = f"{self._url.replace('http', 'ws', 1)}/v1/{socket}"
        self._socket = await connect(address, subprotocols=[self._subprotocol], compression=None, proxy=None)
        self._heard.clear()

    async def leave(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def say(self, frame: Frame) -> None:
        assert self._socket is not None
        is_text = self._subprotocol.endswith("json")
        await self._socket.send(json.dumps(frame) if is_text else msgpack.packb(frame))

    async def next(self, shown: Frame) -> Frame:
        """Return the next frame of that name (and of that kind, if it is an event); AssertionError if none comes."""
        assert self._socket is not None
        while True:
            for frame in self._heard:
                if _names(frame) == _names(shown) or (frame["t"] == shown["t"] and "body" not in shown):
                    self._heard.remove(frame)
                    return frame
            try:
                async with asyncio.timeout(PATIENCE_S):
                    raw = await self._socket.recv()
            except (TimeoutError, ConnectionClosed) as error:
                raise AssertionError(f"no {_names(shown)}, but {list(self._heard)}; {error!r}") from None
            self._heard.append(json.loads(raw) if isinstance(raw, str) else msgpack.unpackb(raw))

    async def close_code(self) -> int | None:
        assert self._socket is not None
        async with asyncio.timeout(PATIENCE_S):
            await self._socket.wait_closed()
        return self._socket.close_code


def _names(frame: Frame) -> tuple[str, str]:
    return frame["t"], frame.get("body", {}).get("kind", "")


def _post(url: str, content: Frame) -> tuple[int, Frame]:
    asked = Request(url, json.dumps(content).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(asked, timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


class Dialogue:
    """One run: the names bound so far, and who takes part."""

    def __init__(self, url: str, subprotocol: str, **known: str) -> None:
        self._url = url
        self._known: dict[str, Any] = dict(known)
        self._parties: defaultdict[str, Party] = defaultdict(lambda: Party(url, subprotocol))

    async def play(self, steps: list[dict[str, Any]]) -> None:
        """Do every step, or raise AssertionError with what was heard instead."""
        try:
            async with asyncio.timeout(len(steps) * PATIENCE_S):
                for number, step in enumerate(steps):
                    try:
                        await self._do(step, self._parties[step.get("who", "")])
                    except AssertionError as error:
                        raise AssertionError(f"step {number}, {step}: {error}") from None
        finally:
            for party in self._parties.values():
                await party.leave()

    async def _do(self, step: dict[str, Any], party: Party) -> None:
        match step:
            case {"login": person}:
                self._known["ticket"] = await self._log_in(self._filled(person))
            case {"connect": socket}:
                await party.connect(socket)
            case {"send": frame}:
                await party.say(self._filled(frame))
            case {"expect": shown}:
                frame = await party.next(shown)
                assert self._holds(shown, frame), f"{self._filled(shown)} was expected, not {frame}"
            case {"closed": code}:
                assert await party.close_code() == code

    async def _log_in(self, person: Frame) -> str:
        """Return a ticket; who is told to come back later does (SPEC 3.6)."""
        while True:
            status, answer = await asyncio.to_thread(_post, f"{self._url}/v1/agent/login", person)
            if status != 429:
                ticket: str = answer["ticket"]
                return ticket
            await asyncio.sleep(answer["retry_after_ms"] / 1000)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        return self._named(value) if isinstance(value, str) else value

    def _named(self, text: str) -> Any:
        """Return the value of a name or of a number after it, as in ${n+1}."""
        name = _NAME.fullmatch(text)
        if not name or name[1] not in self._known:
            return text
        return self._known[name[1]] + int(name[2]) if name[2] else self._known[name[1]]

    def _holds(self, shown: Any, heard: Any) -> bool:
        """Whether `heard` is as `shown`, binding names on the way."""
        if isinstance(shown, dict):
            return isinstance(heard, dict) and all(self._holds(item, heard.get(key)) for key, item in shown.items())
        if isinstance(shown, list):
            long_enough = isinstance(heard, list) and len(heard) == len(shown)
            return long_enough and all(self._holds(*pair) for pair in zip(shown, heard, strict=True))
        name = _NAME.fullmatch(shown) if isinstance(shown, str) else None
        if name and name[2]:
            return bool(self._filled(shown) == heard)
        if name:
            return heard is not None and bool(self._known.setdefault(name[1], heard) == heard)
        return bool(shown == heard)
