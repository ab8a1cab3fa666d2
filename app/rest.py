"""The REST API as a gateway serves it: the office over both sides of SQL, and what only the gateway can tell.

Invariant: neither knows the other; what one asks of the other goes through here.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.routing import Route

from admin.api import Ports, api_routes
from admin.http.problems import RATE_LIMITED, UNAVAILABLE, Problem
from admin.office import Office
from admin.resources.session import Proved
from gateway.commanding import command
from gateway.doors import Turned
from gateway.gateway import Gateway
from gateway.passwords import Busy
from gateway.public.login import TooMany
from protocol.bus.commands import Asked, Origin
from protocol.bus.records import Outcome
from protocol.ids import CellName
from store.sql.database import Databases


def rest_pages(
    gateway: Gateway, databases: Databases, cells: int, entropy: Callable[[int], bytes], now_ms: Callable[[], int]
) -> list[Route]:
    """Return what `gateway`, of an installation with `cells`, serves for those who administer."""

    async def prove(request: Request, email: str, password: str) -> Proved | None:
        try:
            whom = await gateway.logins.prove(request, email, password, published=False)
        except TooMany as too_many:
            wait_s = str(-(-too_many.wait_ms // 1000))
            raise Problem(RATE_LIMITED, "too many tries", headers={"Retry-After": wait_s}) from None
        except Busy:
            raise Problem(UNAVAILABLE, "too many log in at once", headers={"Retry-After": "1"}) from None
        return None if whom is None else Proved(whom.account, whom.agent)

    async def put(cell: CellName, make: Callable[[Origin], Asked]) -> Outcome:
        try:
            return await command(gateway.hub.services, cell, make)
        except Turned as turned:
            wait_s = str(-(-(turned.refusal.retry_after_ms if turned.refusal else 0) // 1000) or 1)
            raise Problem(UNAVAILABLE, "the cell takes nothing now", headers={"Retry-After": wait_s}) from None

    office = Office(databases.config, databases.record, cells, entropy, now_ms)
    return api_routes(office, Ports(prove, put, gateway.images, gateway.bucket))
