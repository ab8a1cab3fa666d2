"""The REST API asked as its own description says, and as it does not, by schemathesis: no surprise comes back.

Invariant: every scenario begins with the same installation, and the same seed tells the same scenarios.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from protocol.ids import AccountId
from tests.kit.offices import FJORD, Caller, Desk, desk_in
from tests.kit.sql_servers import Postgres

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SETTINGS = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Installation:
    """The API as an ASGI application: made when it is started, and put back as it then was as often as is wanted."""

    desk: Desk
    admin: Caller
    root: Caller

    def __init__(self, folder: Path, urls: tuple[str, str] | None = None) -> None:
        self._folder, self._urls, self._random = folder, urls, Random(0)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self.desk.app(scope, receive, send)
            return
        await receive()
        async with desk_in(self._folder, self._random.randbytes, self._urls) as self.desk:
            self.admin = await self.desk.key(account=FJORD)
            self.root = await self.desk.key(["accounts.edit"], AccountId(""))
            names = ("config.db", "record.db") if self._urls is None else ()
            self._kept = {name: _copied(self._folder / name) for name in names}
            await send({"type": "lifespan.startup.complete"})
            await receive()
        for kept in self._kept.values():
            kept.close()
        await send({"type": "lifespan.shutdown.complete"})

    def put_back(self) -> None:
        """Be as in the beginning, if that is in files."""
        self._random.seed(1)  # 0 made what there is
        for name, kept in self._kept.items():
            with closing(sqlite3.connect(self._folder / name)) as present:
                kept.backup(present)

    def headers(self, case: schemathesis.Case) -> dict[str, str]:
        """Return what proves who asks `case`: the installation itself only where nobody else may."""
        caller = self.root if case.operation.path.startswith("/accounts") else self.admin
        return caller.headers


def _copied(file: Path) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    with closing(sqlite3.connect(file)) as original:
        original.backup(copy)
    return copy


def said(body: Any) -> Any:
    """Return a body whose texts can be typed: without control characters, for which all of it would be refused."""
    match body:
        case str():
            return "".join(letter for letter in body if letter.isprintable())
        case dict():
            return {said(name): said(value) for name, value in body.items()}
        case list():
            return [said(each) for each in body]
    return body


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)  # which schemathesis starts, and stops after the test


@pytest.fixture
def described(installation: Installation) -> Any:
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", installation)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_operation_answers_as_described(described: Any, installation: Installation, mode: GenerationMode) -> None:
    """Whether it is asked for what it takes or for what it does not."""
    asked = set()
    for found in described.get_all_operations():
        operation = found.ok()

        installation.put_back()

        @settings(SETTINGS, max_examples=4)
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=installation.headers(case), checks=CHECKS)
            asked.add(case.operation.definition.raw["operationId"])

        ask()
    assert asked == set(installation.desk.operations)


def test_postgresql_answers_as_described(tmp_path: Path, postgres: Postgres) -> None:
    """Every operation, asked once for what it takes and once for what it does not, one after the other."""
    url = postgres.new_database()
    installation = Installation(tmp_path, (url, url))
    described = schemathesis.openapi.from_asgi("/api/v1/openapi.json", installation)
    asked = set()
    for found in described.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:

            @settings(SETTINGS, max_examples=1)
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case) -> None:
                case.call_and_validate(headers=installation.headers(case), checks=CHECKS)
                asked.add(case.operation.definition.raw["operationId"])

            ask()
    assert asked == set(installation.desk.operations)


def test_no_sequence_of_requests_is_answered_otherwise(described: Any, installation: Installation) -> None:
    """Things that were made are read, changed and removed, in any order."""

    class Machine(described.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            installation.put_back()

        def before_call(self, case: schemathesis.Case) -> None:
            if "If-Match" in (case.headers or {}):
                case.headers["If-Match"] = "*"
            case.body = said(case.body)

        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {"headers": installation.headers(case)}

        def validate_response(self, response: Any, case: schemathesis.Case, **_: Any) -> None:
            case.validate_response(response, checks=CHECKS)

    Machine.run(settings=settings(SETTINGS, max_examples=50, stateful_step_count=15))
