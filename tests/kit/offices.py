"""The REST API over real SQL, and callers with keys of every kind.

Invariant: what is asked goes through the whole of it, as a server would hand it over.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request

from admin.access.callers import CSRF_HEADER
from admin.access.scopes import INSTALLATION, SCOPES, Scope
from admin.access.secrets import KEY_PREFIX, hash_of, new_secret
from admin.api import Ports, api_routes, operations
from admin.http.operations import Operation
from admin.office import Office
from admin.resources.session import Proved
from admin.workspace import apply_text
from protocol.ids import AccountId, AgentId
from store.files.brand import BrandImages
from store.files.bucket import Bucket
from store.sql.database import Databases, SqlDatabase
from store.sql.migrate import migrate
from store.sql.queries import access, accounts
from store.sql.queries.access import Key
from tests.kit.engines import now_ms
from tests.kit.lone_cells import LoneCells

FJORD, NORDVIK = AccountId("fjord"), AccountId("nordvik")
EXAMPLE = (resources.files("app.examples") / "workspace.yaml").read_text(encoding="utf-8")
ALL: tuple[Scope, ...] = tuple(scope for scope in SCOPES if scope not in INSTALLATION)


@dataclass
class Caller:
    """Somebody who asks. `ask` returns the answer, whatever it is; the others insist on a good one."""

    http: httpx2.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content: dict[str, Any] = {} if body is None else {"json": body}
        return await self.http.request(method, f"/api/v1{path}", headers=self.headers | named, **content)

    async def good(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = await self.ask(method, path, body, **headers)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def get(self, path: str) -> Any:
        return await self.good("GET", path)

    async def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return await self.good("POST", path, body, **headers)

    async def put(self, path: str, body: Any, if_match: str = "*") -> Any:
        return await self.good("PUT", path, body, If_Match=if_match)

    async def patch(self, path: str, body: Any, if_match: str = "*") -> Any:
        return await self.good("PATCH", path, body, If_Match=if_match)


@dataclass
class Desk:
    """The API, what it keeps, and callers."""

    office: Office
    http: httpx2.AsyncClient
    app: Starlette
    operations: dict[str, Operation]
    cells: LoneCells

    async def key(self, scopes: Iterable[Scope] = ALL, account: AccountId = FJORD) -> Caller:
        """Return a caller with an API key that may do `scopes`."""
        secret = new_secret(KEY_PREFIX, self.office.entropy)
        key = Key(
            f"key_{self.office.entropy(6).hex()}", account, "test", tuple(scopes), now_ms(), "terminal", None, None
        )
        await self.office.config.transact(lambda sql: access.add_key(sql, key, hash_of(secret)))
        return Caller(self.http, {"Authorization": f"Bearer {secret}"})

    async def user(self, name: str, role: str, inbox: str) -> Caller:
        """Return a new user of Fjord's who works in one inbox, logged in from a browser."""
        admin, email = await self.key(), f"{name}@fjord.example"
        user = {"id": name, "name": name, "email": email, "password": f"{name}-{name}", "role": role}
        await admin.post("/users", user)
        there = await admin.get(f"/inboxes/{inbox}")
        await admin.patch(f"/inboxes/{inbox}", {"agents": [*there["agents"], name]})
        answer = await self.http.post("/api/v1/session", json={"email": email, "password": "right"})
        self.http.cookies.clear()  # the client is everybody's
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return Caller(self.http, {"Cookie": cookie, CSRF_HEADER: answer.json()["csrf_token"]})


@asynccontextmanager
async def desk_in(
    folder: Path, entropy: Callable[[int], bytes] = os.urandom, urls: tuple[str, str] | None = None
) -> AsyncIterator[Desk]:
    """Serve the API of an installation that has the example workspace, in `folder` or in the databases at `urls`."""
    config, record = urls or (f"sqlite:///{folder}/config.db", f"sqlite:///{folder}/record.db")
    migrate(config, "config")
    migrate(record, "record")
    apply_text(config, EXAMPLE, cells=2)
    databases = Databases(SqlDatabase(config), SqlDatabase(record))
    office = Office(databases.config, databases.record, 2, entropy, now_ms)

    async def prove(_: Request, email: str, password: str) -> Proved | None:
        """Know everybody by `right`: hashing is the gateway's, and tested there."""
        for found in await databases.config.read(accounts.all_of_them):
            for agent in found.agents:
                if agent.email == email and password == "right":
                    return Proved(found.account, AgentId(agent.id))
        return None

    bucket = Bucket("memory:")
    images = BrandImages(bucket, folder / "scratch", os.urandom)
    cells = LoneCells(databases, now_ms)
    ports = Ports(prove, cells.put, images, bucket)
    app = Starlette(routes=api_routes(office, ports))
    table = {operation.name: operation for operation in operations(office, ports)}
    transport = httpx2.ASGITransport(app)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://samtale.test") as http:
            yield Desk(office, http, app, table, cells)
    finally:
        await databases.close()
