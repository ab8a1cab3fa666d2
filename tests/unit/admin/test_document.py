"""An account as a document, read and compiled again."""

import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from msgspec.structs import replace

from admin.workspace import Means, apply
from admin.workspace.apply import draft_of, plan
from admin.workspace.document import account_document
from protocol.bus.config import AccountConfig
from store.sql import tables
from store.sql.database import DirectDatabase
from store.sql.queries import accounts, publications

EVERYTHING = (Path(__file__).parent / "everything.yaml").read_text(encoding="utf-8")
EXAMPLE = (resources.files("app.examples") / "workspace.yaml").read_text(encoding="utf-8")
DESK = (resources.files("app.demo") / "desk.yaml").read_text(encoding="utf-8")


@pytest.fixture(params=[EVERYTHING, EXAMPLE, DESK], ids=["everything", "example", "desk"])
def database(request: pytest.FixtureRequest) -> Iterator[DirectDatabase]:
    opened = DirectDatabase("sqlite://")
    opened.run(tables.CONFIG.create_all)
    apply(request.param, opened, Means(1, os.urandom, lambda: 0))
    yield opened
    opened.engine.dispose()


def again(database: DirectDatabase, config: AccountConfig) -> AccountConfig:
    survey = database.run(lambda sql: publications.survey(sql, [config.account], 1))
    [applied] = plan(draft_of(account_document(config)), survey, os.urandom)
    return applied.after


def test_a_document_compiles_to_the_configuration_it_came_from(database: DirectDatabase) -> None:
    """Not even the version moves."""
    for config in database.run(accounts.all_of_them):
        assert again(database, config) == config


def test_an_account_may_have_nothing_yet(database: DirectDatabase) -> None:
    """Over REST an account begins with a name."""
    [config, *_] = database.run(accounts.all_of_them)
    bare = replace(config, apps=[], inboxes=[], rules=[], agents=[], teams=[], chatflows=[], past=[])
    survey = database.run(lambda sql: publications.survey(sql, [], 1))
    [applied] = plan(draft_of(account_document(bare)), survey, os.urandom)
    assert (applied.before, applied.after.chatflows, applied.after.version) == (None, [], 1)
