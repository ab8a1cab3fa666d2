"""What administrators do to people reaches the cell: a consent taken back, conversations that were kept for too long."""

import asyncio
import os
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import samtale
from sqlalchemy import update

from admin.people import withdrawing
from app.demo.traces import places_with
from app.settings import Settings
from app.stores import databases, now_ms
from protocol.ids import AccountId
from store.sql import tables
from store.sql.database import Databases
from store.sql.queries import accounts, contacts, erasures, jobs, whom
from tests.integration.test_erasure import customer, is_stored
from tests.kit.commands import run_samtale
from tests.kit.persons import Desk, Phone, soon
from tests.kit.samtale_servers import RunningSamtale

pytestmark = pytest.mark.xdist_group("people")

FJORD = AccountId("fjord")
OLD, FRESH = "canaryold4711", "canaryfresh4711"


@asynccontextmanager
async def stores_of(server: RunningSamtale) -> AsyncIterator[Databases]:
    stores = databases(Settings(data=server.data))
    try:
        yield stores
    finally:
        await stores.close()


async def test_a_consent_is_taken_back_by_an_administrator(samtale_server: RunningSamtale) -> None:
    """The visitor's open conversation ends, as if they had said so themselves."""
    phone = customer(samtale_server.url)
    async with stores_of(samtale_server) as stores, phone.client:
        await phone.told(samtale.Connected)
        await soon(phone.client.send("hello"))
        config = await stores.config.read(partial(accounts.config, account=FJORD))
        assert config is not None
        async with asyncio.timeout(120):
            while not (found := await stores.record.read(partial(contacts.named, account=FJORD, who="customer-17"))):
                await asyncio.sleep(0.1)
        whose = await stores.record.read(partial(whom.known_as, account=FJORD, contact=found[0].id))
        job = withdrawing.withdrawal(config, whose, "process", os.urandom)
        await stores.config.transact(lambda sql: jobs.add(sql, "config", job, now_ms()))
        closed = await phone.reads(phone.conversation, samtale.Closed)
    assert closed.body.reason == "consent_withdrawn"


async def test_a_person_is_exported_by_their_companys_name_of_them(
    samtale_server: RunningSamtale, tmp_path: Path
) -> None:
    """The zip says what they could read; whoever is not there is said so."""
    phone, file = customer(samtale_server.url), tmp_path / "customer.zip"
    async with phone.client:
        await phone.told(samtale.Connected)
        await soon(phone.client.send("what do you keep of me?"))
    await is_stored(Settings(data=samtale_server.data), "what do you keep of me?")
    asked = ("contact", "export", "customer-17", str(file), "--account", "fjord")
    async with asyncio.timeout(120):
        while not holds(file, f"conversations/{phone.conversation}.txt", "Visitor: what do you keep of me?"):
            ended = await run_samtale(*asked, environment=samtale_server.environment)
            assert ended.status in (0, 2), ended.err
    missing = await run_samtale(
        "contact", "erase", "nobody@x.example", "--account", "fjord", environment=samtale_server.environment
    )
    assert (missing.status, missing.err) == (2, "samtale: fjord has no contact\n")


def holds(file: Path, name: str, text: str) -> bool:
    """Whether an export has come to hold it: scribes copy a moment later."""
    if not file.exists() or not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return name in archive.namelist() and text in archive.read(name).decode()


async def test_what_was_kept_for_too_long_is_erased(samtale_server: RunningSamtale) -> None:
    """And nothing else: neither what closed a moment ago, nor the visitors."""
    settings = Settings(data=samtale_server.data)
    old, fresh = (Phone(samtale_server.url, app_key="app_fjord", tag="desk") for _ in range(2))
    desk = Desk(samtale_server.url, "siri@fjord.example", "siri-siri")
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(stores_of(samtale_server))
        for person, client in ((old, old.client), (fresh, fresh.client), (desk, desk.client)):
            await stack.enter_async_context(client)
            await person.told(samtale.Connected)
        for phone, word in ((old, OLD), (fresh, FRESH)):
            await soon(phone.client.send(word))
            await soon(phone.client.close())
            await is_stored(settings, word)
        await aged(stores, old.conversation)
        await stores.config.transact(partial(erasures.keep_days, account=FJORD, days=30))
        await stores.config.transact(partial(erasures.look_again, now_ms=now_ms(), every_ms=1))
        done = await retained(stores)
        assert (done.counts.conversations, done.counts.visitors) == (1, 0)
        assert await places_with(settings, OLD) == []
        await is_stored(settings, FRESH)
        await soon(old.client.send("again"))
    replayed = await run_samtale("replay", environment=samtale_server.environment)
    assert "0 differ from what is stored" in replayed.out


async def aged(stores: Databases, conversation: str) -> None:
    """Let SQL believe that a conversation closed long ago, once it has it as closed."""
    rows = tables.conversation
    long_ago = update(rows).where(rows.c.id == conversation, rows.c.status == "closed").values(closed_at_ms=1)
    async with asyncio.timeout(120):
        while not await stores.record.transact(lambda sql: sql.execute(long_ago).rowcount):
            await asyncio.sleep(0.1)


async def retained(stores: Databases) -> erasures.Erasure:
    """The erasure that a retention made, once it did."""
    async with asyncio.timeout(120):
        while True:
            found = await stores.config.read(partial(erasures.newest, account=FJORD, limit=5))
            if done := [each for each in found if each.why == "retention"]:
                return done[0]
            await asyncio.sleep(0.1)
