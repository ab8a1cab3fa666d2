"""The audit log taken along over REST, however long it is."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from store.sql.database import StoreAway
from store.sql.queries import audit_log
from store.sql.queries.audit_log import Deed
from tests.kit.engines import now_ms
from tests.kit.offices import FJORD, Caller, Desk, desk_in

ENTRIES = 2_500
AT_ONCE = 1_000


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as desk:
        yield desk


@pytest.fixture
async def admin(desk: Desk) -> Caller:
    return await desk.key()


def deeds(count: int, action: str) -> Callable[[Connection], None]:
    def add(sql: Connection) -> None:
        for number in range(count):
            audit_log.add(sql, FJORD, Deed(now_ms(), "terminal", action, f"thing/{number}"))

    return add


class Export:
    """An export as a server sends it on: `then` is done when the first part is sent, and waited for."""

    def __init__(self, then: Callable[[], Awaitable[None]]) -> None:
        self._then = then
        self.status, self.parts, self.is_whole = 0, list[bytes](), False

    async def take(self, desk: Desk, admin: Caller) -> None:
        headers = [(name.lower().encode(), value.encode()) for name, value in admin.headers.items()]
        scope = {"type": "http", "method": "GET", "path": "/api/v1/audit/export", "query_string": b""}
        sent = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> dict[str, Any]:
            return next(sent)

        await desk.app({**scope, "headers": headers, "asgi": {"spec_version": "2.4"}}, receive, self._send)

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.is_whole = not message.get("more_body", False)
        if message["body"]:
            self.parts.append(message["body"])
            if len(self.parts) == 1:
                await self._then()


async def test_an_export_is_read_as_it_is_sent(desk: Desk, admin: Caller) -> None:
    """A thousand entries at a time: what is done while the first ones are on their way is in it too."""
    await desk.office.config.transact(deeds(ENTRIES, "tried.before"))

    async def meanwhile() -> None:
        await desk.office.config.transact(deeds(1, "tried.meanwhile"))

    export = Export(meanwhile)
    await export.take(desk, admin)
    assert (export.status, export.is_whole) == (200, True)
    assert max(part.count(b"\n") for part in export.parts) == AT_ONCE
    entries = [json.loads(line) for line in b"".join(export.parts).splitlines()]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[-1]["action"] == "tried.meanwhile"
    assert (await admin.get("/audit/check")) == {"entries": len(entries), "broken": []}


async def test_an_export_that_cannot_go_on_has_no_end(desk: Desk, admin: Caller) -> None:
    """Whoever reads it is not led to believe that it is all there is."""
    await desk.office.config.transact(deeds(ENTRIES, "tried.before"))

    async def lost() -> None:
        await desk.office.config.transact(lambda sql: sql.execute(text("DROP TABLE audit_entry")))

    export = Export(lost)
    with pytest.raises(StoreAway):
        await export.take(desk, admin)
    assert (export.status, len(export.parts), export.is_whole) == (200, 1, False)


async def test_an_export_that_cannot_begin_is_refused(desk: Desk, admin: Caller) -> None:
    """Before anything of it is sent."""
    await desk.office.config.transact(lambda sql: sql.execute(text("DROP TABLE audit_entry")))
    assert (await admin.ask("GET", "/audit/export")).status_code == 503
