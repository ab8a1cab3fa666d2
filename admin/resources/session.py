"""Logging in from a browser: a cookie that scripts cannot read, and a token that its writes carry.

Invariant: the cookie is bound to this site (SameSite=Strict), and alone changes nothing (OWASP's synchroniser token).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request

from admin.access.callers import COOKIE
from admin.access.scopes import SCOPES
from admin.access.secrets import CSRF_PREFIX, SESSION_PREFIX, hash_of, new_secret
from admin.http.operations import Call, Operation
from admin.http.problems import UNAUTHENTICATED, Problem
from admin.http.replies import Reply
from admin.office import Office
from admin.workspace.readers import Schema
from protocol.ids import AccountId, AgentId
from store.sql.queries import access
from store.sql.queries.access import BrowserSession

LIFE_MS = 12 * 3_600_000


@dataclass(frozen=True, slots=True)
class Proved:
    """Whose e-mail and password these are."""

    account: AccountId
    agent: AgentId


Prove = Callable[[Request, str, str], Awaitable[Proved | None]]  # raises Problem when asked too often


class Login(Struct, forbid_unknown_fields=True):
    """An e-mail and a password."""

    email: Annotated[str, Meta(min_length=3, max_length=254)]
    password: Annotated[str, Meta(min_length=1, max_length=256)]


_SAID: Schema = {
    "type": "object",
    "title": "Session",
    "properties": {
        "account": {"type": "string"},
        "actor": {"type": "string"},
        "role": {"type": "string", "description": "of the user who asks, or who made the key"},
        "scopes": {"type": "array", "items": {"type": "string", "enum": list(SCOPES)}},
    },
    "required": ["account", "actor", "scopes"],
}
_BEGUN: Schema = {
    "type": "object",
    "properties": {
        "account": {"type": "string"},
        "agent": {"type": "string"},
        "csrf_token": {"type": "string", "description": "to be sent as X-CSRF-Token with every write"},
        "ends_at_ms": {"type": "integer"},
    },
    "required": ["account", "agent", "csrf_token", "ends_at_ms"],
}


def operations(office: Office, prove: Prove) -> list[Operation]:
    """Return what can be asked about one's own session."""

    async def begin(call: Call) -> Reply:
        proved = await prove(call.request, call.body.email, call.body.password)
        if proved is None:
            raise Problem(UNAUTHENTICATED, "e-mail and password do not go together")
        now_ms = office.now_ms()
        secret, token = new_secret(SESSION_PREFIX, office.entropy), new_secret(CSRF_PREFIX, office.entropy)
        session = BrowserSession(proved.account, proved.agent, hash_of(token), now_ms + LIFE_MS)
        keep = partial(access.begin_session, session=session, hashed=hash_of(secret), now_ms=now_ms)
        await office.config.transact(keep)
        said = {"account": proved.account, "agent": proved.agent, "csrf_token": token, "ends_at_ms": session.ends_at_ms}
        return Reply(said, 201, headers={"Set-Cookie": _cookie(call.request, secret, LIFE_MS // 1000)})

    async def tell(call: Call) -> Reply:
        caller = call.caller
        role = {"role": caller.role} if caller.role else {}
        return Reply({"account": caller.account, "actor": caller.actor, **role, "scopes": sorted(caller.scopes)})

    async def end(call: Call) -> Reply:
        if cookie := call.request.cookies.get(COOKIE):
            await office.config.transact(partial(access.end_session, hashed=hash_of(cookie)))
        return Reply(None, headers={"Set-Cookie": _cookie(call.request, "", 0)})

    return [
        Operation("POST", "/session", "log_in", "Log in from a browser", begin, body=Login, answer=_BEGUN, status=201,
                  problems=(401, 429), open=True, tag="session"),
        Operation("GET", "/session", "get_session", "Say who asks, and what they may", tell, answer=_SAID,
                  tag="session"),
        Operation("DELETE", "/session", "log_out", "Log out", end, status=204, tag="session"),
    ]  # fmt: skip


def _cookie(request: Request, value: str, max_age_s: int) -> str:
    forwarded = request.headers.get("X-Forwarded-Proto", "")
    secure = "; Secure" if "https" in (request.url.scheme, forwarded) else ""
    return f"{COOKIE}={value}; Path=/api; HttpOnly; SameSite=Strict; Max-Age={max_age_s}{secure}"
