"""A backup is made while people talk, everything is lost, and the backup is put back."""

import asyncio
import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import samtale

from app.demo.traces import files_with, places_with
from app.settings import Settings
from protocol.ids import CellName
from store.redis.address import parse
from store.redis.connection import dial
from store.redis.keys import Keys
from store.sql.migrate import migrate
from tests.integration.test_erasure import SAID, SUBJECT, customer, is_stored
from tests.kit.commands import run_samtale
from tests.kit.living import all_ended, descendants
from tests.kit.persons import Desk, Phone, soon
from tests.kit.samtale_servers import Installation, RunningSamtale
from tests.kit.sql_servers import Postgres

pytestmark = pytest.mark.xdist_group("backup")

FILE = b"what the meter says"


class Place:
    """Where an installation is, is lost, and is made anew."""

    def __init__(self, folder: Path, postgres: Postgres | None) -> None:
        self._folder, self._postgres = folder, postgres
        self.settings = {"erased_list": str(folder / "elsewhere/erased.jsonl")}
        self.backup = str(folder / "backup")
        self.begin("first")

    def begin(self, name: str) -> None:
        """Be a new, empty machine; reached where the one before was."""
        port = self.installation.port if name != "first" else None
        if self._postgres is not None:
            self.settings["database_url"] = self._postgres.new_database()
        self.installation = Installation(self._folder / name, **self.settings)
        self.installation.environment["PATH"] = self._path(self.installation.environment["PATH"])
        self.installation.port = port or self.installation.port

    def _path(self, path: str) -> str:
        return path if self._postgres is None else f"{self._postgres.binaries}:{path}"

    @property
    def environment(self) -> dict[str, str]:
        """What `samtale` must be told to work on it."""
        return self.installation.environment | {"SAMTALE_DATA": str(self.installation.data)}

    async def samtale(self, *arguments: str) -> str:
        """Run a command on it, which must succeed; return what it said."""
        ended = await run_samtale(*arguments, environment=self.environment)
        assert ended.status == 0, ended.err
        return ended.out

    async def refused(self, *arguments: str) -> str:
        """Run a command on it, which must refuse; return why."""
        ended = await run_samtale(*arguments, environment=self.environment)
        assert ended.status == 2, ended.out
        return ended.err

    async def start(self) -> RunningSamtale:
        """Start it, and return it running."""
        self.server = await self.installation.start()
        return self.server

    async def lose(self) -> None:
        """Lose the whole machine at once."""
        below = list(descendants(self.server.pid))
        await self.installation.kill()
        await all_ended(below)
        shutil.rmtree(self.installation.data)
        self.begin("second")

    async def holds(self, text: str) -> list[str]:
        """Return where the installation holds `text`: in files, keys, rows, and in PostgreSQL's pages."""
        found = await places_with(self.settings_now(), text)
        if self._postgres is not None:
            self._postgres.run("CHECKPOINT")
            found += files_with(self._postgres.tables_of(self.settings["database_url"]), text)
        return found

    def settings_now(self) -> Settings:
        """Return what its processes are set to."""
        known = {"data": self.installation.data, "database_url": self.settings.get("database_url")}
        return Settings(**{name: value for name, value in known.items() if value is not None})


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    postgres = request.getfixturevalue("postgres") if request.param == "postgres" else None
    return Place(tmp_path, postgres)


async def test_a_redis_that_holds_something_does_not_fit(tmp_path: Path, valkey_url: str) -> None:
    """It would be newer or older than what is restored; nothing is touched."""
    place = Place(tmp_path, None)
    for side in ("config", "record"):
        place.installation.data.mkdir(exist_ok=True)
        migrate(f"sqlite:///{place.installation.data}/{side}.db", side)  # type: ignore[arg-type]
    place.installation.environment["SAMTALE_REDIS_URL"] = valkey_url
    await place.samtale("backup", place.backup)
    shutil.rmtree(place.installation.data)
    line = await dial(parse(valkey_url))
    await line.call("HSET", Keys(CellName("c03")).cell, "epoch", 1)
    line.abort()
    why = await place.refused("restore", place.backup, "--nobody-erased")
    assert "Redis holds cell c03: empty it" in why
    assert not (place.installation.data / "record.db").exists()


async def talk_on(phone: Phone, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await soon(phone.client.send("and on"))
        await asyncio.sleep(0.02)


async def test_what_was_said_is_back_and_who_was_erased_is_not(place: Place) -> None:
    """Made while others talk, put back on a new machine: phones go on where they were, with what they said since."""
    place.settings |= {"visitor_messages_per_minute": "60000", "visitor_message_burst": "6000"}
    place.begin("first")
    server = await place.start()
    phone, desk, person = Phone(server.url), Desk(server.url), customer(server.url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(place.installation.stop)
        for each in (phone, desk):
            await stack.enter_async_context(each.client)
            await each.told(samtale.Connected)
        chat = await talked(phone, desk)
        other, stop = Phone(server.url), asyncio.Event()
        async with person.client, other.client:
            await other.told(samtale.Connected)
            await person.told(samtale.Connected)
            await soon(person.client.send(SAID))
            await is_stored(place.settings_now(), SAID)
            talking = asyncio.create_task(talk_on(other, stop))
            said = await place.samtale("backup", place.backup)
            assert "everything is in it that was acknowledged before it began" in said
            await soon(phone.client.send("after the backup"))
            await place.samtale("contact", "erase", SUBJECT, "--account", "fjord")
            stop.set()
            await talking
        assert await place.holds(SAID) == []

        since = len(phone.heard)
        await place.lose()
        said = await place.samtale("restore", place.backup)
        assert "2 erasures are done again" in said  # the contact's, and the visitor's
        server = await place.start()
        stack.push_async_callback(place.installation.stop)
        assert await place.holds(SAID) == []
        await phone.told(samtale.Connected, since)
        await went_on(phone, server, chat)
        assert "0 differ from what is stored" in await place.samtale("replay")


async def talked(phone: Phone, desk: Desk) -> str:
    """Words both ways and a file."""
    await soon(phone.client.send("hello"))
    await desk.takes(phone.conversation)
    await soon(desk.client.send(phone.conversation, "good morning"))
    await soon(await phone.client.send_file(FILE, name="meter.txt", type_="text/plain"))
    return phone.conversation


async def went_on(phone: Phone, server: RunningSamtale, chat: str) -> None:
    """The phone offered again what the backup had not; a desk reads the whole of it, and the file."""
    desk = Desk(server.url)
    async with desk.client:
        await desk.told(samtale.Connected)
        desk.client.follow(chat)
        await desk.hears("after the backup")
        await soon(phone.client.send("and on"))
        await desk.hears("and on")
        texts = desk.texts(chat)
        assert [texts[0], texts[1], *texts[-2:]] == ["hello", "good morning", "after the backup", "and on"]
        [sent] = [body.content for body in bodies(desk, chat) if isinstance(body.content, samtale.Files)]
        assert await desk.client.download(chat, sent.files[0].id) == FILE


def bodies(desk: Desk, chat: str) -> list[samtale.Message]:
    return [entry.body for entry in desk.log(chat) if isinstance(entry.body, samtale.Message)]
