"""Configurations and jobs in SQL, on SQLite and on PostgreSQL."""

from functools import partial

import msgspec
import pytest

from protocol.bus.config import AccountConfig, Agent, App
from protocol.ids import AccountId, AgentId, AppKey, CellName
from store.sql.database import Database, Databases
from store.sql.queries import accounts, jobs, publications
from tests.kit.commits import NOW_MS, job

NORDVIK, FJORD = AccountId("nordvik"), AccountId("fjord")


@pytest.fixture
def config(databases: Databases) -> Database:
    return databases.config


def version(number: int, *, account: AccountId = NORDVIK, cell: str = "c00", app: str = "") -> AccountConfig:
    agent = Agent(AgentId("kari"), "Kari", f"Kari@{account}.example", "$argon2id$")
    app_key = AppKey(app or f"app_{account}")
    return AccountConfig(
        account, account, number, CellName(cell), b"k" * 32, [App(app_key, "App")], [], [agent], [], []
    )


async def publish(config: Database, *configs: AccountConfig) -> None:
    await config.transact(partial(publications.publish, configs=configs, now_ms=NOW_MS))


async def take(config: Database, *, now_ms: int = NOW_MS, limit: int = 10) -> list[jobs.TakenJob]:
    return await config.transact(partial(jobs.take, side="config", now_ms=now_ms, lease_ms=1_000, limit=limit))


async def test_the_last_version_is_present(config: Database) -> None:
    """Of an account there is one present configuration."""
    await publish(config, version(1))
    await publish(config, version(2))
    assert await config.read(lambda c: accounts.config(c, NORDVIK)) == version(2)
    assert await config.read(lambda c: accounts.config(c, FJORD)) is None
    assert await config.read(accounts.count) == 1


async def test_a_cells_accounts_are_found(config: Database) -> None:
    """A recovery begins with the configurations of its cell."""
    fjord = version(1, account=FJORD, cell="c01")
    await publish(config, version(1), fjord)
    assert await config.read(lambda c: accounts.in_cell(c, CellName("c01"))) == [fjord]
    assert await config.read(accounts.cells_in_use) == {"c00": 1, "c01": 1}


async def test_each_version_comes_with_its_job(config: Database) -> None:
    """The job names what the version gave up."""
    await publish(config, version(1))
    await publish(config, version(2, app="app_new"))
    payloads = [publications.WITHDRAWN_DECODER.decode(taken.payload) for taken in await take(config)]
    assert [gone.app_keys for gone in payloads] == [[], ["app_nordvik"]]


async def test_nothing_is_published_over_what_changed_meanwhile(config: Database) -> None:
    """Of two that looked at the same time the second must look again."""
    survey = await config.transact(partial(publications.survey, named=[NORDVIK], cells=8))
    publishing = partial(publications.publish_all, on=survey, now_ms=NOW_MS)
    assert await config.transact(partial(publishing, configs=[version(1)]))
    other = msgspec.structs.replace(version(1), name="Other")
    assert not await config.transact(partial(publishing, configs=[other]))
    assert await config.read(lambda c: accounts.config(c, NORDVIK)) == version(1)


async def test_the_number_of_cells_is_fixed_at_first(config: Database) -> None:
    """Later wishes do not count: accounts live in cells by name."""
    surveys = [await config.transact(partial(publications.survey, named=[], cells=cells)) for cells in (4, 16)]
    assert [survey.cells for survey in surveys] == [4, 4]


async def test_a_taken_job_is_nobody_elses_until_its_lease_ends(config: Database) -> None:
    """Then it is due again, one attempt further."""
    await publish(config, version(1))
    assert [taken.attempts for taken in await take(config)] == [1]
    assert await take(config, now_ms=NOW_MS + 999) == []
    assert [taken.attempts for taken in await take(config, now_ms=NOW_MS + 1_000)] == [2]


async def test_jobs_are_taken_oldest_first(config: Database) -> None:
    """What is not due yet is left alone."""
    for name, due_ms in (("late", 2), ("never", 900), ("early", 1)):
        await config.transact(partial(jobs.add, side="config", job=job(name), due_ms=NOW_MS + due_ms))
    assert [taken.id for taken in await take(config, now_ms=NOW_MS + 5, limit=1)] == ["early"]
    assert [taken.id for taken in await take(config, now_ms=NOW_MS + 5)] == ["late"]


async def test_a_done_job_is_not_brought_back_by_a_late_failure(config: Database) -> None:
    """Two workers may do one job; if one did it, it is done."""
    await config.transact(partial(jobs.add, side="config", job=job("job"), due_ms=NOW_MS))
    await config.transact(partial(jobs.done, side="config", job_id="job", now_ms=NOW_MS))
    await config.transact(partial(jobs.failed, side="config", job_id="job", due_ms=NOW_MS, error="late"))
    assert await take(config, now_ms=NOW_MS + 10) == []
    assert await config.read(partial(jobs.waiting, side="config")) == 0
