"""REST as the people of a story use it: with a key, or logged in as somebody.

Invariant: standard library alone, so what is told here is what anybody's program can do; an answer that was not asked
for is NotSo, with what it said.
"""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any

from admin.access.scopes import INSTALLATION, SCOPES
from app.demo.cast import Cast
from app.demo.facts import NotSo
from app.keys import add_key
from store.sql.database import DirectDatabase

ANSWERED_WITHIN_S = 40.0
_LOOK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: JSON as it is, anything else as bytes."""

    status: int
    body: Any
    etag: str = ""


class Rest:
    """One who asks."""

    def __init__(self, gateway: str, key: str = "") -> None:
        self._root = f"{gateway}/api/v1"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    async def ask(self, method: str, path: str, body: Any = None, if_match: str = "") -> Answer:
        """Return what is answered, whatever it is."""
        return await asyncio.to_thread(self._ask, method, path, body, if_match)

    async def does(self, method: str, path: str, body: Any = None, if_match: str = "") -> Any:
        """Return the body of an answer that is no problem; NotSo otherwise."""
        answer = await self.ask(method, path, body, if_match)
        if answer.status >= 400:
            raise NotSo(f"{method} {path} was answered {answer.status}: {answer.body}")
        return answer.body

    async def log_in(self, email: str, password: str) -> None:
        """Ask as that user from now on."""
        begun = await self.does("POST", "/session", {"email": email, "password": password})
        self._headers = {"X-CSRF-Token": begun["csrf_token"]}

    async def until(self, path: str, fits: Callable[[Any], bool]) -> Any:
        """Ask again and again until the answer fits. The scene's own deadline is the limit."""
        while not fits(found := await self.does("GET", path)):
            await asyncio.sleep(_LOOK_AGAIN_S)
        return found

    def _ask(self, method: str, path: str, body: Any, if_match: str) -> Answer:
        said = dict(self._headers)
        if body is not None:
            said["Content-Type"] = "application/json"
        if if_match:
            said["If-Match"] = if_match
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._root + path, content, said, method=method)  # noqa: S310 - our own gateway
        try:
            with self._opener.open(request, timeout=ANSWERED_WITHIN_S) as answer:
                return _read(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as problem:
            with problem:
                return _read(problem.code, problem.headers, problem.read())


def _read(status: int, headers: Any, content: bytes) -> Answer:
    is_json = "json" in headers.get("Content-Type", "")
    return Answer(status, json.loads(content) if is_json and content else content, headers.get("ETag", ""))


@asynccontextmanager
async def keyed(cast: Cast, name: str) -> AsyncIterator[Rest]:
    """Lend one who asks with a key of the story's account, made as `samtale key create` makes it; then revoke it."""
    key, secret = await asyncio.to_thread(_made, cast, name)
    rest = Rest(cast.stage.gateways[0], secret)
    try:
        yield rest
    finally:
        await rest.does("DELETE", f"/keys/{key}")


def _made(cast: Cast, name: str) -> tuple[str, str]:
    stored = DirectDatabase(cast.stage.settings.config_url)
    try:
        key, secret = add_key(stored, cast.setting.account, name, tuple(sorted(set(SCOPES) - INSTALLATION)), 1)
    finally:
        stored.engine.dispose()
    return key.id, secret
