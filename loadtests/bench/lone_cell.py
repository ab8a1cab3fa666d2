"""One cell over a real Valkey and real SQL, without gateways: commands are put straight into its inbox.

Invariant: what is put is what gateways put (packs of commands under numbered origins); what comes of it is read from
the logs afterwards and judged as any reader's story.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import structlog

from app.settings import Settings
from app.stores import boot_ms, databases, now_ms
from engine.runtime.engine import Engine
from engine.runtime.inbox import Cursor, parse_cursor
from engine.runtime.surroundings import EngineSettings, Surroundings
from loadtests.bench.account import ACCOUNT, APP, CELL, FLOW, account, agent_id
from loadtests.checker.stories import Reader, Verdict
from loadtests.lean.frames import TEXT_CHARS, Heard, number_in
from protocol.bus.commands import COMMAND_ENCODER, Admit, AgentArrives, AnyCommand, Origin, VisitorSends
from protocol.bus.config import AccountConfig
from protocol.ids import (
    ConversationId,
    DeviceId,
    Incarnation,
    SessionId,
    VisitorId,
    conversation_id,
)
from routing.core.roster import RosterDecider
from store.redis import scripts
from store.redis.connection import Connection, dial
from store.redis.keys import Keys
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from store.sql.migrate import migrate
from store.sql.queries import publications

PACK = 16  # commands that a busy gateway puts in one turn of its loop
AGENTS = 20
PRESENT_MS = 3_600_000
POLL_S = 0.02
_GATEWAY = Incarnation("gw_bench")
_EVENT = msgspec.msgpack.Decoder(Heard)


class LoneCell:
    """The cell, with `conversations` visitors' first conversations. Messages are numbered from 1 in each."""

    def __init__(self, valkey: EmbeddedValkey, stores: Databases, line: Connection, conversations: int) -> None:
        self.keys = Keys(CELL)
        self.line = line
        self.sent = 0  # messages per conversation
        self._valkey, self._stores = valkey, stores
        self._config = _account(conversations)
        self._visitors = [VisitorId(f"vis_{number:06d}") for number in range(conversations)]

    @property
    def valkey_pid(self) -> int:
        return self._valkey.pid

    @property
    def surroundings(self) -> Surroundings:
        """Return the surroundings of an engine as the application gives them."""
        return Surroundings(
            settings=EngineSettings([CELL]),
            dial=lambda _: dial(self._valkey.address),
            databases=self._stores,
            roster=RosterDecider(),
            entropy=os.urandom,
            now_ms=now_ms,
            boot_ms=boot_ms,
            log=structlog.get_logger(),
        )

    async def open(self) -> None:
        """Let an engine make the cell, everybody arrive and each visitor say a first word."""
        await self._stores.config.transact(lambda sql: publications.publish(sql, [self._config], now_ms()))
        async with self.engine():
            await scripts.presence(self.line, CELL, _GATEWAY, PRESENT_MS, first=True)
            await self.decided(await self.put(map(_arrives, range(AGENTS))))
            await self.decided(await self.put(map(_admit, self._visitors)))
            await self.forget()
            await self.decided(await self.fill(1))
        await self.forget()

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[None]:
        """Let an engine work in this process until it is left, then stop it cleanly."""
        working = Engine(self.surroundings)
        task = asyncio.create_task(working.run())
        try:
            await self.decided(Cursor("0-0", 0))
            yield
        finally:
            working.stop()
            await task

    async def fill(self, messages: int) -> Cursor:
        """Put `messages` more of every visitor into the inbox, in turn; return the cursor after the last."""
        first = self.sent + 1
        self.sent += messages
        numbers = range(first, self.sent + 1)
        return await self.put(self._sends(visitor, number) for number in numbers for visitor in self._visitors)

    async def put(self, commands: Iterator[AnyCommand]) -> Cursor:
        """Put `commands` into the inbox, packed; return the cursor after the last."""
        last, size, packed = b"0-0", 0, list(commands)
        for start in range(0, len(packed), PACK * 512):
            entries = [packed[at : at + PACK] for at in range(start, min(start + PACK * 512, len(packed)), PACK)]
            for pack in entries:
                answer = self.line.send("XADD", self.keys.inbox, "*", "p", COMMAND_ENCODER.encode(pack))
                size = len(pack)
            last = await answer
        return Cursor(last.decode(), size)

    async def decided(self, cursor: Cursor) -> None:
        """Wait until the cell is open and its owner has decided everything up to `cursor`."""
        wanted = _order(cursor)
        while True:
            status, at = await self.line.call("HMGET", self.keys.cell, "status", "cursor")
            if status == b"ready" and _order(parse_cursor((at or b"0-0:0").decode())) >= wanted:
                return
            await asyncio.sleep(POLL_S)

    async def forget(self) -> None:
        """Let go of the outbox, as is done all the time where a scribe works."""
        epoch, commit_no = map(int, await self.line.call("HMGET", self.keys.cell, "epoch", "commit_no"))
        await scripts.trim(self.line, CELL, epoch, commit_no)

    async def verdict(self) -> Verdict:
        """Judge the logs: every message of every visitor, once, in order."""
        found = Verdict()
        for visitor in self._visitors:
            reader = Reader()
            for _, fields in await self.line.call("XRANGE", self.keys.log(self._conversation(visitor)), "-", "+"):
                event = _EVENT.decode(fields[1])
                if event.body is not None and event.body.kind == "message":
                    reader.take(number_in(event.body.text))
            found += reader.verdict(self.sent)
        return found

    def _conversation(self, visitor: VisitorId) -> ConversationId:
        return conversation_id(self._config.id_key, visitor, FLOW, 1)

    def _sends(self, visitor: VisitorId, number: int) -> VisitorSends:
        text = f"{number:08d}".ljust(TEXT_CHARS, ".")
        origin = _origin(visitor, number, f"{number:08d}")
        return VisitorSends(ACCOUNT, origin, self._conversation(visitor), visitor, FLOW, text, "en")


def _account(conversations: int) -> AccountConfig:
    return account(AGENTS, capacity=-(-conversations // AGENTS))


def _origin(who: str, number: int, frame_id: str) -> Origin:
    return Origin(_GATEWAY, SessionId(f"ses_{who}"), DeviceId(f"dev_{who}"), number, frame_id)


def _arrives(number: int) -> AgentArrives:
    agent = agent_id(number)
    return AgentArrives(ACCOUNT, _origin(agent, 0, "arrive"), agent)


def _admit(visitor: VisitorId) -> Admit:
    origin = _origin(visitor, 0, "admit")
    return Admit(ACCOUNT, origin, visitor, APP, origin.device, [], b"fresh", False, "other", "bench", "en")


def _order(cursor: Cursor) -> tuple[int, ...]:
    at_ms, _, number = cursor.entry.partition("-")
    return int(at_ms), int(number), cursor.index


@asynccontextmanager
async def lone_cell(conversations: int) -> AsyncIterator[LoneCell]:
    """Start a Valkey with append-only file each second, and SQLite; open the cell."""
    with tempfile.TemporaryDirectory(prefix="samtale-bench-") as scratch:
        settings = Settings(data=Path(scratch), redis_url=None, database_url=None)
        migrate(settings.config_url, "config")
        migrate(settings.record_url, "record")
        valkey, stores = EmbeddedValkey(Path(scratch) / "valkey"), databases(settings)
        await valkey.start()
        line = await dial(valkey.address)
        try:
            cell = LoneCell(valkey, stores, line, conversations)
            await cell.open()
            yield cell
        finally:
            await line.close()
            await stores.close()
            await valkey.stop()
