"""Operations as routes: who asks, may they, what did they ask, and whatever comes of it as an answer.

Invariant: everything goes through `_answer`; what it does not expect is a bug, logged without what was sent, and 500.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from admin.access.callers import Callers
from admin.http.operations import Caller, Operation
from admin.http.problems import FORBIDDEN, NOT_ALLOWED, NOT_FOUND, UNAVAILABLE, Problem
from admin.http.reading import read_call
from admin.http.replies import Reply
from protocol.ids import AccountId
from store.redis.faults import Away, Refused
from store.sql.database import StoreAway

ROOT = "/api/v1"
RETRY_S = "1"
NOBODY = Caller(AccountId(""), "", frozenset())
Answering = Callable[[Request], Awaitable[Response]]


def routes(operations: Iterable[Operation], callers: Callers) -> list[Route]:
    """Return a route for each path, with all of its methods; and one for every other path below the root."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        methods = by_path.setdefault(operation.path, {})
        assert operation.method not in methods, f"{operation.method} {operation.path} is there twice"
        methods[operation.method] = operation
    # A path without a variable comes before one that would take its last step for a name.
    ordered = sorted(by_path.items(), key=lambda item: [(step.startswith("{"), step) for step in item[0].split("/")])
    found = [_route(path, methods, callers) for path, methods in ordered]
    return [*found, Route(f"{ROOT}/{{rest:path}}", _nothing_here, methods=None)]


def _route(path: str, methods: dict[str, Operation], callers: Callers) -> Route:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" and "HEAD" not in methods else request.method
        if method not in methods:
            allowed = ", ".join(sorted(methods))
            return Problem(NOT_ALLOWED, f"there are: {allowed}", headers={"Allow": allowed}).response()
        return await _answer(methods[method], request, callers)

    return Route(ROOT + path, _any_method(endpoint), methods=None)


def _any_method(endpoint: Answering) -> Any:
    """Return the endpoint as an application: Starlette asks those for no method of their own."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        response = await endpoint(Request(scope, receive))
        await response(scope, receive, send)

    return _Application(application)


class _Application:
    def __init__(self, run: Any) -> None:
        self._run = run

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._run(scope, receive, send)


async def _nothing_here(_: Request) -> Response:
    return Problem(NOT_FOUND, f"nothing is served here: see {ROOT}/docs").response()


async def _answer(operation: Operation, request: Request, callers: Callers) -> Response:
    try:
        caller = NOBODY if operation.open else await callers.who(request)
        if operation.scope is not None and operation.scope not in caller.scopes:
            raise Problem(FORBIDDEN, f"this needs {operation.scope}")
        if not operation.open and (operation.scope == "accounts.edit") != (caller.account == ""):
            raise Problem(FORBIDDEN, "a key of the installation makes accounts; for all else take one of the account")
        return _response(operation, await operation.run(await read_call(operation, request, caller)))
    except Problem as problem:
        return problem.response()
    except (StoreAway, Away, Refused):
        detail = "what keeps or does this does not answer; try again"
        return Problem(UNAVAILABLE, detail, headers={"Retry-After": RETRY_S}).response()


def _response(operation: Operation, reply: Reply) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **reply.headers}
    if reply.etag:
        headers["ETag"] = reply.etag
    if reply.body is None:
        return Response(None, 204 if reply.status == 200 else reply.status, headers)
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, headers, operation.media)
    if isinstance(reply.body, AsyncIterator):
        return StreamingResponse(reply.body, reply.status, headers, operation.media)
    return Response(msgspec.json.encode(reply.body), reply.status, headers, operation.media)
