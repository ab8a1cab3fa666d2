"""`/preview`: a page that shows a chatflow as phones would, for whoever holds a preview token.

Invariant: the token is in the address's fragment, which no browser sends, in a header and in a frame; never in a URL
that reaches a server, and never in a log.
"""

import re
from functools import cache
from importlib import resources
from typing import Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.previewing import preview_at
from gateway.public.answers import answer, refuse
from gateway.public.body import TooLong, body_of, is_json
from gateway.rehearsal import Act, play
from gateway.services import Services
from gateway.sockets import Sockets
from gateway.throttle import Buckets
from protocol.bus.config import AccountConfig
from protocol.wire.codes import Code
from store.redis.faults import Away, Refused
from store.sql.database import StoreAway
from store.sql.queries.previews import Preview

MAX_BODY_BYTES = 16_384
MAX_TOKEN_CHARS = 128
RETRY_MS = 1_000
_TYPES: Final = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_FOR_READERS: Final = re.compile(rb"^ */\*(?s:.*?)\*/\n+|^ +| +// .*$", re.MULTILINE)
_RULES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _RULES,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
FILES: Final = (
    "preview.css", "preview.js", "screen.js", "talk.js", "cards.js", "help.js", "elements.js", "samples.js",
    "visitor.js", "outbox.js", "files.js", "typing.js",
)  # fmt: skip


class PreviewDesk:
    """The page, its files, and the agent's part in what is tried out there, with its allowances."""

    def __init__(self, sockets: Sockets, services: Services) -> None:
        self._sockets, self._services = sockets, services
        rules = sockets.rules
        self._acts = Buckets(rules.company_messages_per_minute, rules.company_messages_burst)
        self._guesses = Buckets(rules.key_guesses_per_minute, rules.key_guesses_burst)

    def routes(self) -> list[Route]:
        """Return what is served."""
        return [
            Route("/preview", _page, methods=["GET"]),
            Route("/preview/{name}", _file, methods=["GET"]),
            Route("/v1/preview/acts", self.act, methods=["POST"]),
        ]

    async def act(self, request: Request) -> Response:
        """Answer 200 once the agent has done it; 400, 401, 409, 413, 415, 429 or 503 with a refusal."""
        if not is_json(request):
            return refuse(415, Code.MALFORMED)
        try:
            found = await self._whose(request)
            if isinstance(found, Response):
                return found
            act = msgspec.json.decode(await body_of(request, MAX_BODY_BYTES), type=Act)
            refusal = await play(self._services, *found, act)
        except TooLong:
            return refuse(413, Code.TOO_LARGE)
        except (msgspec.DecodeError, UnicodeDecodeError, ClientDisconnect, TimeoutError):
            return refuse(400, Code.MALFORMED)
        except (Away, Refused, StoreAway):
            return refuse(503, Code.UNAVAILABLE, RETRY_MS)
        return answer({"done": True}) if refusal is None else refuse(409, refusal)

    async def _whose(self, request: Request) -> tuple[Preview, AccountConfig] | Response:
        sockets = self._sockets
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        is_token = scheme.lower() == "bearer" and len(token) <= MAX_TOKEN_CHARS
        found = await preview_at(self._services, token) if is_token else None
        if found is not None:
            wait_ms = self._acts.wait_ms(found[0].id, sockets.now_ms())
            return refuse(429, Code.RATE_LIMITED, wait_ms) if wait_ms else found
        forwarded = request.headers.getlist("X-Forwarded-For")
        address = sockets.address_of(request.client.host if request.client else "", forwarded)
        wait_ms = self._guesses.wait_ms(address, sockets.now_ms())
        return refuse(429, Code.RATE_LIMITED, wait_ms) if wait_ms else refuse(401, Code.UNAUTHENTICATED)


async def _page(_: Request) -> Response:
    return _response("preview.html")


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    return _response(name) if name in FILES else refuse(404, Code.NOT_FOUND)


def _response(name: str) -> Response:
    media = _TYPES[name.rpartition(".")[2]]
    return Response(_bytes(name), 200, dict(_HEADERS), f"{media}; charset=utf-8")


@cache
def _bytes(name: str) -> bytes:
    """Return a file without what only its readers need: comments and indentation."""
    return _FOR_READERS.sub(b"", (resources.files("gateway.public.pages") / name).read_bytes())
