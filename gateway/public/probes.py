"""`/healthz`, `/readyz` and `/metrics`: how this process is, for whoever runs it.

Invariant: asking costs no I/O; figures are for the inside only, so `/metrics` answers private addresses alone.
"""

import ipaddress

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gateway.counts import Gauges
from gateway.ports import Sessions
from gateway.public.answers import answer
from gateway.sockets import Sockets


class Probes:
    """The endpoints that watch a gateway."""

    def __init__(self, sockets: Sockets, sessions: Sessions, gauges: Gauges) -> None:
        self._sockets, self._sessions = sockets, sessions
        self._own = CollectorRegistry()
        self._own.register(sockets.counts)
        self._own.register(gauges)

    async def health(self, _: Request) -> Response:
        """200 while the process turns its loop."""
        return answer({"alive": True})

    async def readiness(self, _: Request) -> Response:
        """200 when a `hello` would be served; 503 while it would not, or while draining."""
        draining, ready = self._sockets.doorway.is_draining, self._sessions.ready
        served = ready and not draining
        return answer(
            {"ready": served, "draining": draining, "sockets": len(self._sockets.open)}, 200 if served else 503
        )

    async def metrics(self, request: Request) -> Response:
        """Prometheus' text, this process's own and its libraries'."""
        if not _is_inside(request):
            return PlainTextResponse("Not Found", 404)
        return Response(generate_latest(self._own) + generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


def _is_inside(request: Request) -> bool:
    """Whether the asker is on a private network and came without a proxy."""
    if request.client is None or "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_private
    except ValueError:
        return False


async def welcome(_: Request) -> Response:
    """Say what this is to a person with a browser."""
    return PlainTextResponse(
        "Samtale gateway. Sockets: /v1/mobile and /v1/agent (protocol/SPEC.md). REST: /api/v1/docs.\n"
    )
