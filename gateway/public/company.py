"""`POST /v1/server/conversations`: the company's own server begins a conversation (SPEC 3.8).

Invariant: the server key comes in its header only and is neither logged nor answered; every refusal says why, but for
a key: whoever guesses learns nothing and guesses slowly.
"""

import msgspec
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.company import Company, Opening, begin, company_of
from gateway.doors import Turned, check_cell
from gateway.public.answers import answer, refuse
from gateway.public.body import TooLong, body_of, is_json
from gateway.services import Services
from gateway.sockets import Sockets
from gateway.throttle import Buckets
from protocol.bus.records import Outcome
from protocol.ids import VisitorId
from protocol.wire.codes import BY_WIRE, Code
from protocol.wire.limits import MAX_FRAME_BYTES
from store.redis.faults import Away, Refused
from store.sql.database import StoreAway

MAX_KEY_CHARS = 512
RETRY_MS = 1_000
_STATUS = {Code.NO_CHATFLOW: 404, Code.UNAVAILABLE: 503, Code.OVERLOADED: 503, Code.RATE_LIMITED: 429}


class Begun(Struct):
    """Where it stands."""

    conversation: str
    visitor: VisitorId
    seq: int
    event: str


class CompanyDesk:
    """The endpoint, with its allowances: messages per app, wrong keys per address."""

    def __init__(self, sockets: Sockets, services: Services) -> None:
        self._sockets, self._services = sockets, services
        rules = sockets.rules
        self._messages = Buckets(rules.company_messages_per_minute, rules.company_messages_burst)
        self._guesses = Buckets(rules.key_guesses_per_minute, rules.key_guesses_burst)

    async def __call__(self, request: Request) -> Response:
        """Answer 201 with where the message stands; 400, 401, 404, 409, 413, 415, 429 or 503 with a refusal."""
        if not is_json(request):
            return refuse(415, Code.MALFORMED)
        try:
            company = await self._whose(request)
            if isinstance(company, Response):
                return company
            opening = msgspec.json.decode(await body_of(request, MAX_FRAME_BYTES), type=Opening)
            return await self._begin(company, opening)
        except TooLong:
            return refuse(413, Code.TOO_LARGE)
        except (msgspec.DecodeError, UnicodeDecodeError, ClientDisconnect, TimeoutError):
            return refuse(400, Code.MALFORMED)
        except Turned as turned:
            wait_ms = turned.refusal.retry_after_ms if turned.refusal is not None else 0
            return refuse(
                503, BY_WIRE[turned.refusal.code] if turned.refusal else Code.UNAVAILABLE, wait_ms or RETRY_MS
            )
        except (Away, Refused, StoreAway):
            return refuse(503, Code.UNAVAILABLE, RETRY_MS)

    async def _whose(self, request: Request) -> Company | Response:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        is_key = scheme.lower() == "bearer" and 0 < len(key) <= MAX_KEY_CHARS
        company = await company_of(self._services, key) if is_key else None
        sockets = self._sockets
        if company is not None:
            wait_ms = self._messages.wait_ms(company.app.key, sockets.now_ms())
            return refuse(429, Code.RATE_LIMITED, wait_ms) if wait_ms else company
        forwarded = request.headers.getlist("X-Forwarded-For")
        address = sockets.address_of(request.client.host if request.client else "", forwarded)
        wait_ms = self._guesses.wait_ms(address, sockets.now_ms())
        return refuse(429, Code.RATE_LIMITED, wait_ms) if wait_ms else refuse(401, Code.UNAUTHENTICATED)

    async def _begin(self, company: Company, opening: Opening) -> Response:
        if bool(opening.tag) == (opening.chatflow is not None):
            return refuse(400, Code.MALFORMED)
        check_cell(company.config.cell, self._services.load, self._services.lease)
        return _told(*await begin(self._services, company, opening))


def _told(visitor: VisitorId, outcome: Outcome) -> Response:
    if not outcome.code:
        return answer(Begun(outcome.conversation, visitor, outcome.seq, outcome.event), 201)
    code = BY_WIRE.get(outcome.code, Code.UNAVAILABLE)
    status = _STATUS.get(code, 409)
    return refuse(status, code, RETRY_MS if status in (429, 503) else 0)
