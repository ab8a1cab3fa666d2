"""Who may ask for what over REST, asked of every operation that there is: nobody, keys, roles, browsers.

Invariant: nothing is sent that could be done, so an answer says only whether the caller would have been let in.
"""

import re
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from admin.access.callers import COOKIE, CSRF_HEADER
from admin.access.scopes import SCOPES, Scope
from admin.http.operations import Operation
from protocol.ids import AccountId
from tests.kit.offices import FJORD, Caller, Desk, desk_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROLES = ("owner", "admin", "supervisor", "agent")
MAY: dict[Scope, tuple[str, ...]] = {
    "settings.read": ROLES,
    "contacts.read": ROLES,
    "conversations.read": ROLES,
    "notes.read": ROLES,
    "contacts.edit": ("owner", "admin", "supervisor"),
    "conversations.edit": ("owner", "admin", "supervisor"),
    "reports.read": ("owner", "admin", "supervisor"),
    "settings.edit": ("owner", "admin"),
    "staff.edit": ("owner", "admin"),
    "chatflows.edit": ("owner", "admin"),
    "chatflows.publish": ("owner", "admin"),
    "audit.read": ("owner", "admin"),
    "contacts.erase": ("owner",),
    "keys.edit": ("owner",),
    "accounts.edit": (),
}
UNKNOWN, FORBIDDEN = 401, 403


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """Fjord has a user of each role, and one that was granted what their role has not."""
    folder: Path = tmp_path_factory.mktemp("office")
    async with desk_in(folder) as desk:
        everything = await desk.key()
        for role in ROLES:
            await everything.post("/users", user(role, role))
        await everything.post("/users", user("granted", "agent", ["chatflows.edit"]))
        yield desk


def user(name: str, role: str, permissions: list[str] | None = None) -> dict[str, Any]:
    said = {"id": name, "name": name, "email": f"{name}@fjord.example", "password": f"{name}-{name}", "role": role}
    return said | ({"permissions": permissions} if permissions else {})


async def browser(desk: Desk, name: str) -> Caller:
    """Log a user in from a browser."""
    login = {"email": f"{name}@fjord.example", "password": "right"}
    answer = await desk.http.post("/api/v1/session", json=login)
    desk.http.cookies.clear()  # the client is everybody's
    cookie = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]
    return Caller(desk.http, {"Cookie": f"{COOKIE}={cookie.value}", CSRF_HEADER: answer.json()["csrf_token"]})


def closed(desk: Desk) -> list[Operation]:
    """Return what not just anybody may ask for; logging out comes last, for it ends the session."""
    return sorted((one for one in desk.operations.values() if not one.open), key=lambda one: one.name == "log_out")


async def ask(caller: Caller, operation: Operation) -> Any:
    return await caller.ask(operation.method, re.sub(r"{\w+}", "nothing", operation.path))


async def let_in(desk: Desk, caller: Caller) -> set[str]:
    """Return the names of what the caller may ask for."""
    statuses = {one.name: (await ask(caller, one)).status_code for one in closed(desk)}
    assert not [name for name, status in statuses.items() if status == UNKNOWN or status >= 500], statuses
    return {name for name, status in statuses.items() if status != FORBIDDEN}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer samk_nobodys"},
        {"Authorization": "Basic c2lyaTpzaXJpLXNpcmk="},
        {"Cookie": f"{COOKIE}=sams_nobodys"},
    ],
    ids=["nothing", "an unknown key", "a password", "an unknown session"],
)
async def test_who_is_not_known_is_told_so_everywhere(desk: Desk, headers: dict[str, str]) -> None:
    """The same problem, whatever was asked for."""
    stranger = Caller(desk.http, headers)
    for operation in closed(desk):
        answer = await ask(stranger, operation)
        assert (answer.status_code, answer.headers["Content-Type"]) == (UNKNOWN, "application/problem+json"), operation
        assert answer.json()["type"] == "/api/v1/docs#unauthenticated"


async def test_only_logging_in_is_open(desk: Desk) -> None:
    """To everybody."""
    assert [one.name for one in desk.operations.values() if one.open] == ["log_in"]


async def test_a_key_that_may_all_else_may_not_do_this(desk: Desk) -> None:
    """What is missing is named."""
    for operation in closed(desk):
        if operation.scope is None:
            continue
        account = AccountId("") if operation.scope == "accounts.edit" else FJORD
        key = await desk.key([scope for scope in SCOPES if scope != operation.scope], account)
        answer = await ask(key, operation)
        assert (answer.status_code, answer.json()["detail"]) == (FORBIDDEN, f"this needs {operation.scope}"), operation


async def test_one_scope_is_enough(desk: Desk) -> None:
    """For what it is needed for; what needs none is for every key."""
    for scope in MAY:
        key = await desk.key([scope], AccountId("") if scope == "accounts.edit" else FJORD)
        free = set() if scope == "accounts.edit" else {one.name for one in closed(desk) if one.scope is None}
        assert await let_in(desk, key) == free | {one.name for one in closed(desk) if one.scope == scope}


async def test_a_key_of_the_installation_reaches_accounts_alone(desk: Desk) -> None:
    """And one of an account none of them, whatever its scopes say."""
    accounts = {one.name for one in closed(desk) if one.scope == "accounts.edit"}
    assert accounts
    assert await let_in(desk, await desk.key(SCOPES, AccountId(""))) == accounts
    assert await let_in(desk, await desk.key(SCOPES, FJORD)) == {one.name for one in closed(desk)} - accounts


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_what_is_documented_of_it(desk: Desk, role: str) -> None:
    """Neither less nor more."""
    assert set(MAY) == set(SCOPES)
    documented = {one.name for one in closed(desk) if one.scope is None or role in MAY[one.scope]}
    assert await let_in(desk, await browser(desk, role)) == documented


async def test_what_was_granted_comes_on_top_of_the_role(desk: Desk) -> None:
    """Of an agent who may edit chatflows."""
    there = {one.name for one in closed(desk) if one.scope == "chatflows.edit"}
    agent, granted = await browser(desk, "agent"), await browser(desk, "granted")
    assert await let_in(desk, granted) == there | await let_in(desk, agent)


@pytest.mark.parametrize("token", [None, "", "samc_nobodys", "another's"])
async def test_a_cookie_alone_writes_nothing(desk: Desk, token: str | None) -> None:
    """It reads; a write carries its own session's token."""
    other = (await browser(desk, "owner")).headers[CSRF_HEADER]
    cookie = {"Cookie": (await browser(desk, "owner")).headers["Cookie"]}
    given = {} if token is None else {CSRF_HEADER: other if token == "another's" else token}
    let = await let_in(desk, Caller(desk.http, cookie | given))
    accounts = {one.name for one in closed(desk) if one.scope == "accounts.edit"}
    assert let == {one.name for one in closed(desk) if one.method == "GET"} - accounts


async def test_who_has_logged_out_is_not_known(desk: Desk) -> None:
    """The cookie is worth nothing then."""
    owner = await browser(desk, "owner")
    assert (await owner.ask("DELETE", "/session")).status_code == 204
    desk.http.cookies.clear()
    assert (await owner.ask("GET", "/session")).status_code == UNKNOWN
