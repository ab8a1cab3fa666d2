"""Who asks: an API key in the Authorization header, or a browser's session cookie with its token.

Invariant: the account comes from the credential alone. What fails to prove who asks is one and the same problem,
whatever is wrong with it; a cookie alone writes nothing. A key that a user made may at no time more than that user.
"""

import hmac
from collections.abc import Callable
from functools import partial

from starlette.requests import Request

from admin.access.scopes import SCOPES, Scope, scopes_of
from admin.access.secrets import hash_of, keeping_key
from admin.http.operations import Caller
from admin.http.problems import FORBIDDEN, UNAUTHENTICATED, Problem
from protocol.bus.staff import Agent
from protocol.ids import AccountId
from store.sql.database import Database
from store.sql.queries import access, accounts

COOKIE = "samtale_session"
CSRF_HEADER = "X-CSRF-Token"
MAX_SECRET_CHARS = 128
_READS = ("GET", "HEAD")


class Callers:
    """Tells who sent a request."""

    def __init__(self, config: Database, now_ms: Callable[[], int]) -> None:
        self._config, self._now_ms = config, now_ms

    async def who(self, request: Request) -> Caller:
        """Return who asks. Raises Problem, StoreAway."""
        if given := request.headers.get("Authorization"):
            return await self._key(given)
        if cookie := request.cookies.get(COOKIE):
            return await self._browser(request, cookie)
        raise _unknown()

    async def _key(self, given: str) -> Caller:
        scheme, _, secret = given.partition(" ")
        if scheme.lower() != "bearer" or len(secret) > MAX_SECRET_CHARS:
            raise _unknown()
        hashed, now_ms = hash_of(secret.strip()), self._now_ms()
        key = await self._config.read(partial(access.key_of, hashed=hashed, now_ms=now_ms))
        if key is None:
            raise _unknown()
        known: frozenset[Scope] = frozenset(scope for scope in SCOPES if scope in key.scopes)
        actor, keeping = f"key:{key.id}", keeping_key(secret.strip())
        kind, _, name = (await self._config.read(partial(access.maker, key=key))).partition(":")
        if kind != "agent":
            return Caller(key.account, actor, known, keeping=keeping)
        agent = await self._user(key.account, name)
        return Caller(key.account, actor, known & scopes_of(agent), agent.id, agent.role, keeping)

    async def _browser(self, request: Request, cookie: str) -> Caller:
        if len(cookie) > MAX_SECRET_CHARS:
            raise _unknown()
        hashed, now_ms = hash_of(cookie), self._now_ms()
        session = await self._config.read(partial(access.session_of, hashed=hashed, now_ms=now_ms))
        if session is None:
            raise _unknown()
        if request.method not in _READS:
            token = hash_of(request.headers.get(CSRF_HEADER, "")[:MAX_SECRET_CHARS])
            if not hmac.compare_digest(token, session.csrf):
                raise Problem(FORBIDDEN, f"a browser's writes carry the token of its session in {CSRF_HEADER}")
        agent = await self._user(session.account, session.agent)
        keeping = keeping_key(cookie)
        return Caller(AccountId(session.account), f"agent:{agent.id}", scopes_of(agent), agent.id, agent.role, keeping)

    async def _user(self, account: AccountId, name: str) -> Agent:
        """Return a user as they are now. Raises Problem if they are none any more."""
        config = await self._config.read(partial(accounts.config, account=account))
        for agent in config.agents if config is not None else ():
            if agent.id == name:
                return agent
        raise _unknown()


def _unknown() -> Problem:
    return Problem(
        UNAUTHENTICATED, "send an API key as Authorization: Bearer …", headers={"WWW-Authenticate": "Bearer"}
    )
