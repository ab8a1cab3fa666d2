"""The HTTP application of a gateway.

Invariant: a path not listed here is 404; no path takes a credential in its URL, but for the
sealed addresses of single files.
"""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from gateway.counts import Gauges
from gateway.ports import Sessions
from gateway.public.company import CompanyDesk
from gateway.public.login import LoginDesk
from gateway.public.probes import Probes, welcome
from gateway.sockets import Sockets


def public_app(
    sockets: Sockets,
    sessions: Sessions,
    logins: LoginDesk,
    company: CompanyDesk | None,
    gauges: Gauges,
    more: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return all that is served over HTTP, `more` included; without `company`, nothing for companies' servers."""
    for_servers = [Route("/v1/server/conversations", company.__call__, methods=["POST"])] if company is not None else []
    probes = Probes(sockets, sessions, gauges)
    return Starlette(
        routes=[
            Route("/", welcome, methods=["GET"]),
            Route("/healthz", probes.health, methods=["GET"]),
            Route("/readyz", probes.readiness, methods=["GET"]),
            Route("/metrics", probes.metrics, methods=["GET"]),
            Route("/v1/agent/login", logins.__call__, methods=["POST"]),
            *for_servers,
            *more,
        ]
    )
