"""People who are erased while they talk, and where a word of theirs still stands when that is done, and when all is over.

Invariant: looked for is what their logs held when it was asked, and what phones had said by then that never were
anybody else's. Nobody says the same words twice.
"""

import asyncio
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import msgspec
import samtale
from sqlalchemy import Connection, select

from admin.people.erasing import erase_visitor
from loadtests.chaos import traffic
from loadtests.checker.history import Remain
from protocol.bus.config import AccountConfig
from protocol.ids import ErasureId, VisitorId
from store.sql import tables
from store.sql.database import StoreAway
from store.sql.queries import audit, erasures
from tests.simulation.world import World

SHARE = 0.15  # of the seeds
DONE_S = 600.0
_LOOK_EVERY_S = 0.1
_OWN = (" says ", " answers ")  # what is said once; all the rest is said by many


@dataclass(slots=True)
class Person:
    """Whose erasure was asked for. `words`: of their logs; `said`: by a phone, as them, stored or not."""

    erasure: ErasureId
    words: set[str]
    said: dict[str, set[str]]
    is_done: bool = False


class Erasures:
    """`found`: what still stood somewhere when an erasure was done, or came back."""

    def __init__(self, world: World, people: traffic.World, configs: list[AccountConfig]) -> None:
        self.asked: list[Person] = []
        self.found: list[Remain] = []
        self._world, self._people, self._configs = world, people, configs
        self._watching: list[asyncio.Task[None]] = []

    async def run(self, for_s: float) -> None:
        """In some seeds, have one or two people erased within `for_s` seconds."""
        chance = self._world.loop.chance
        if chance.random() >= SHARE:
            return
        for _ in range(chance.choice((1, 1, 2))):
            await asyncio.sleep(chance.uniform(0.2, for_s / 2))
            met = sorted({who for said in self._people.said.values() for who, _ in said if who})
            if met:
                await self._ask(VisitorId(chance.choice(met)))

    async def settle(self) -> list[Person]:
        """Wait until all are done, look again, and return those that are not."""
        if self._watching:
            await asyncio.wait(self._watching, timeout=DONE_S)
        for person in self.asked:
            self._look(person, at="the end")
        return [person for person in self.asked if not person.is_done]

    async def _ask(self, visitor: VisitorId) -> None:
        world = self._world
        account, words = world.record.look(partial(_logged, visitor=visitor))
        config = next((each for each in self._configs if each.account == account), None)
        if config is None:
            return  # SQL has not heard of them yet
        said = {name: {text for who, text in all_ if who == visitor} for name, all_ in self._people.said.items()}
        erasure = None
        while erasure is None:
            try:
                now_ms = world.loop.wall_ms()
                erasure = await erase_visitor(world.databases, config, visitor, world.loop.entropy, now_ms)
            except StoreAway:
                await asyncio.sleep(_LOOK_EVERY_S)
        person = Person(erasure.id, words, said)
        self.asked.append(person)
        self._watching.append(asyncio.create_task(self._watch(person)))

    async def _watch(self, person: Person) -> None:
        """Look for what is left at the moment when it is said to be done."""
        find = partial(erasures.of_id, erasure=person.erasure)
        while (erasure := self._world.config.look(find)) is None or erasure.done_at_ms is None:
            await asyncio.sleep(_LOOK_EVERY_S)
        person.is_done = True
        self._look(person, at="done")

    def _look(self, person: Person, *, at: str) -> None:
        """Look for their words. What passes through an inbox as it is done is judged at the end: it is not kept."""
        words = person.words.union(*(said for name, said in person.said.items() if self._is_nobody_else(name)))
        passing = b":inbox" if at == "done" else None
        for where, content in self._everything():
            if passing is not None and where.encode().endswith(passing):
                continue
            self.found += [Remain(f"{word} ({at})", where) for word in sorted(words) if word.encode() in content]

    def _is_nobody_else(self, name: str) -> bool:
        client = self._people.clients[name]
        return isinstance(client, samtale.VisitorClient) and not client.permission.is_identified

    def _everything(self) -> Iterator[tuple[str, bytes]]:
        for key, item in self._world.network.server.data._dict.items():
            yield f"redis {key.decode()}", pickle.dumps(item.value)
        for side, database in (("config", self._world.config), ("record", self._world.record)):
            yield f"sql {side}", database.look(partial(_rows, side=side))


def _logged(connection: Connection, visitor: VisitorId) -> tuple[str, set[str]]:
    """Return a visitor's account, "" if SQL has none, and what was said once in their conversations."""
    rows = tables.conversation.c
    account = connection.scalar(select(tables.visitor.c.account).where(tables.visitor.c.id == visitor)) or ""
    words: set[str] = set()
    for conversation in connection.scalars(select(rows.id).where(rows.visitor == visitor)):
        log = audit.log_of(connection, conversation)
        bodies = (msgspec.msgpack.decode(entry.frame)["body"] for entry in log.entries) if log is not None else ()
        words.update(body.get("text", "") for body in bodies)
    return account, {text for text in words if any(own in text for own in _OWN)}


def _rows(connection: Connection, side: str) -> bytes:
    metadata = tables.CONFIG if side == "config" else tables.RECORD
    values = (value for table in metadata.sorted_tables for row in connection.execute(select(table)) for value in row)
    return b"\n".join(each if isinstance(each, bytes) else str(each).encode() for each in values)
