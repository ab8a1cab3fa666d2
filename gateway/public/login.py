"""`POST /v1/agent/login`: an e-mail and a password for a one-time socket ticket (SPEC 3.6).

Invariant: credentials come in the body only; whatever fails to prove who somebody is, is refused alike and costs alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway import tickets
from gateway.handshake import AGENT_PATH
from gateway.passwords import Busy, Passwords
from gateway.ports import Redis, Ticket
from gateway.public.answers import answer, refuse
from gateway.public.body import TooLong, body_of, is_json
from gateway.sockets import Sockets
from gateway.throttle import Buckets
from protocol.bus.config import CONFIG_DECODER, Agent
from protocol.ids import AccountId, AgentId, CellName
from protocol.wire.codes import Code
from store.redis.faults import Away, Refused
from store.redis.keys import LOGINS, Keys
from store.sql.database import Database, StoreAway
from store.sql.queries import accounts

MAX_BODY_BYTES = 4_096
RETRY_MS = 1_000


class Login(msgspec.Struct):
    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class LoggedIn(msgspec.Struct):
    """`ticket` opens the socket at `socket` once, within 30 s; relative, since proxies may know us by another name."""

    ticket: str
    socket: str
    agent: AgentId


class TooMany(Exception):
    def __init__(self, wait_ms: int) -> None:
        super().__init__(wait_ms)
        self.wait_ms = wait_ms


@dataclass(frozen=True)
class Found:
    """Whose e-mail it is."""

    whom: Ticket
    agent: Agent


class LoginDesk:
    """The endpoint, with its allowances and its two threads."""

    def __init__(self, sockets: Sockets, redis: Redis, config: Database, entropy: Callable[[int], bytes]) -> None:
        self._sockets, self._redis, self._config, self._entropy = sockets, redis, config, entropy
        self._passwords = Passwords()
        rules = sockets.rules
        self._by_email = Buckets(rules.logins_per_minute, rules.logins_burst)
        self._by_address = Buckets(rules.address_logins_per_minute, rules.address_logins_burst)

    async def __call__(self, request: Request) -> Response:
        """Answer 200 with a ticket; 400, 401, 403, 413, 415, 429 or 503 with a refusal."""
        response = await self._answer(request)
        self._sockets.counts.logins[str(response.status_code)] += 1
        return response

    async def prove(self, request: Request, email: str, password: str, *, published: bool = True) -> Ticket | None:
        """Return whose e-mail and password these are. Raises TooMany, Busy, Away, Refused or StoreAway.

        `published` False: what is kept counts, though no cell may have heard of it yet.
        """
        self._allow(request, email)
        found = await (self._find(email) if published else self._find_kept(email))
        right = await self._passwords.is_right(password, found.agent.password if found else None)
        return found.whom if found and right else None

    async def _answer(self, request: Request) -> Response:
        if not self._sockets.doorway.is_allowed(request.headers.get("Origin")):
            return refuse(403, Code.UNAUTHENTICATED)
        if not is_json(request):
            return refuse(415, Code.MALFORMED)
        try:
            login = msgspec.json.decode(await body_of(request, MAX_BODY_BYTES), type=Login)
            return await self._let_in(await self.prove(request, login.email, login.password))
        except TooLong:
            return refuse(413, Code.TOO_LARGE)
        except (msgspec.DecodeError, UnicodeDecodeError, ClientDisconnect, TimeoutError):
            return refuse(400, Code.MALFORMED)
        except TooMany as too_many:
            return refuse(429, Code.RATE_LIMITED, too_many.wait_ms)
        except Busy:
            return refuse(503, Code.OVERLOADED, RETRY_MS)
        except (Away, Refused, StoreAway):
            return refuse(503, Code.UNAVAILABLE, RETRY_MS)

    def _allow(self, request: Request, email: str) -> None:
        sockets, forwarded = self._sockets, request.headers.getlist("X-Forwarded-For")
        address = sockets.address_of(request.client.host if request.client else "", forwarded)
        wait_ms = self._by_address.wait_ms(address, sockets.now_ms())
        wait_ms = wait_ms or self._by_email.wait_ms((address, email.casefold()), sockets.now_ms())
        if wait_ms:
            raise TooMany(wait_ms)

    async def _let_in(self, whom: Ticket | None) -> Response:
        if whom is None:
            return refuse(401, Code.UNAUTHENTICATED)
        ticket = await tickets.issue(self._redis, whom, self._entropy)
        return answer(LoggedIn(ticket, AGENT_PATH, whom.agent))

    async def _find_kept(self, email: str) -> Found | None:
        config, agent = await self._config.read(partial(accounts.of_login, email=email)) or (None, None)
        return Found(Ticket(config.cell, config.account, agent.id), agent) if config and agent else None

    async def _find(self, email: str) -> Found | None:
        entry = await self._redis.call(None, "HGET", LOGINS, email.lower())
        if entry is None:
            # A Redis that lost its newest data knows fewer names than there are: nobody is refused for that.
            if await self._config.read(partial(accounts.has_login, email=email)):
                raise Away("Redis has lost the login")
            return None
        cell, account, agent_id = entry.decode().split(" ")
        whom = Ticket(CellName(cell), AccountId(account), AgentId(agent_id))
        stored = await self._redis.call(whom.cell, "HGET", Keys(whom.cell).config(whom.account), "bytes")
        if stored is None:
            raise Away("Redis has lost the account's configuration")
        agents = CONFIG_DECODER.decode(stored).agents
        agent = next((agent for agent in agents if agent.id == whom.agent), None)
        return Found(whom, agent) if agent else None
