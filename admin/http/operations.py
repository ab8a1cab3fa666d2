"""An operation: one thing that can be asked for, with all that routes, checks and the description need of it.

Invariant: whatever an operation answers is in its `answers` or a problem whose status is in `problems`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request

from admin.access.scopes import Scope
from admin.http.problems import UNGUARDED, Problem
from admin.http.replies import Reply, check_match
from admin.workspace.readers import Reader, Schema
from protocol.ids import AccountId


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `actor` is what the audit log calls them; `account` "" is the installation itself.

    `user` and `role`: who that is, or who made the key, which may no more than they; "": a key of nobody's.
    `keeping` comes of their credential: what answers to them are kept by (admin.keeping).
    """

    account: AccountId
    actor: str
    scopes: frozenset[Scope]
    user: str = ""
    role: str = ""
    keeping: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query. `schema` has a `type` of string, integer or boolean."""

    name: str
    schema: Schema
    about: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read: path and query values, and the body (None without one) as its type or reader made it.

    `plain` is the body as JSON.
    """

    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    plain: Any
    if_match: str | None
    idempotency_key: str | None
    request: Request

    def guard(self, present: Any, wanted: Any = None) -> None:
        """Go on only if `present`, the thing as it is now, is what the caller saw; raises Problem.

        `wanted`: what of it the caller wants otherwise, if that is not the body.
        """
        if self.if_match is None:
            raise Problem(UNGUARDED, "send If-Match with the ETag that you read, or * to write over whatever there is")
        check_match(self.if_match, present, self.plain if wanted is None else wanted)


Run = Callable[[Call], Awaitable[Reply]]
Body = Reader[Any] | type[msgspec.Struct]


@dataclass(frozen=True, slots=True)
class Operation:
    """`path` is below /api/v1. `scope` None: whoever is known; `open`: anybody. `answer`: what a good one holds.

    `answer` None: nothing. `guarded`: it needs If-Match. `once`: it takes an Idempotency-Key. `media`: of the answer,
    if it is no JSON. `bytes_of`: the media types of a body that is no JSON either. `or_nothing`: it may also answer
    that nothing is left. `problems`: beyond those that every operation has.
    """

    method: str
    path: str
    name: str
    summary: str
    run: Run
    scope: Scope | None = None
    body: Body | None = None
    answer: Schema | Any = None
    status: int = 200
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    tag: str = ""
    open: bool = False
    guarded: bool = False
    once: bool = False
    media: str = "application/json"
    body_optional: bool = field(default=False)
    bytes_of: tuple[str, ...] = ()
    or_nothing: bool = False
