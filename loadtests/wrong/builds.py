"""The wrong builds: which attribute of the product becomes what.

Invariant: `planted` leaves everything as it was. A patch that no longer fits the product raises, so that a wrong build
cannot become right unnoticed.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import update

import gateway.driver
from engine.core import consent, speaking
from engine.core.ledger import FRESH, Ledger
from gateway.core.actions import ReadLog
from gateway.core.gate import Gate
from gateway.core.resume import Merged, Place, Reader
from gateway.reads import FAULTS, Reads
from protocol.bus.records import Commit
from protocol.ids import AgentId, CellName
from routing.core import evolve as roster_evolve
from routing.core import holding
from routing.core.presence import Member
from routing.core.queue import Talking
from store.redis import scripts
from store.redis.script import Script
from store.sql import bulk, tables
from store.sql.queries import commits
from workers.scribe import Scribe

Patch = tuple[object, str, Any]
"""Whose attribute, its name, its wrong value."""


@dataclass(frozen=True, slots=True)
class Build:
    """`lacks`: in the reader's words, what was taken out. `spare`: what else stands in the way of harm.

    `seed`: one that simulation finds bad; 0 if it takes many, and then a test of `caught_by` must fail on it.
    """

    lacks: str
    patches: Callable[[], list[Patch]]
    caught_by: str
    seed: int = 1
    spare: str = ""


def plant(name: str) -> list[Patch]:
    """Make the product the wrong build `name` for good; return how it was."""
    patches = BUILDS[name].patches()
    before = [(owner, attribute, getattr(owner, attribute)) for owner, attribute, _ in patches]
    for owner, attribute, value in patches:
        setattr(owner, attribute, value)
    return before


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Make the product the wrong build `name`, for as long as the block runs."""
    before = plant(name)
    try:
        yield
    finally:
        for owner, attribute, value in before:
            setattr(owner, attribute, value)


def _edited(script: Script[Any], *edits: tuple[str, str]) -> list[Patch]:
    source = script.source
    for right, wrong in edits:
        assert source.count(right) == 1, f"{script.name}.lua no longer says {right!r}"
        source = source.replace(right, wrong)
    sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    return [(script, "source", source), (script, "sha", sha)]


def _script(name: str) -> Script[Any]:
    return next(script for script in scripts.ALL if script.name == name)


def _dedupe_off() -> list[Patch]:
    return [(Ledger, "check", lambda _self, _n, _id: FRESH)]


def _owner_off() -> list[Patch]:
    not_mine = "if redis.call('HGET', KEYS[{}], 'owner') ~= ARGV[1] then return 0 end"
    return [
        *_edited(_script("commit"), ("if now[i] ~= ARGV[i] then", "if i > 1 and now[i] ~= ARGV[i] then")),
        *_edited(_script("renew"), (not_mine.format(2), "")),
        *_edited(_script("tick"), ("if is[1] ~= ARGV[1] or is[2]", "if is[2]")),
        *_edited(_script("trying"), (not_mine.format(1), "")),
    ]


def _cursor_off() -> list[Patch]:
    return _edited(_script("commit"), ("if now[4] ~= ARGV[4] or now[5] ~= ARGV[6] then", "if false then"))


def _naive_resume() -> list[Patch]:
    async def read_then_subscribe(driver: Reads, asked: ReadLog) -> None:
        while not driver.gone:
            try:
                await once(driver, asked)
                return
            except FAULTS:
                await asyncio.sleep(0.25)

    async def once(driver: Reads, asked: ReadLog) -> None:
        page = await driver.services.logs.page(driver.where(asked.conversation), asked.from_seq)
        if await driver.hearing.ready(asked.conversation):
            driver.tell_session(lambda session: _without_reads(session.log_read(asked.conversation, asked.turn, page)))

    def take(self: Reader, page: Any) -> Merged:
        entries = [entry for entry in page.entries if entry.seq > self.place.seq]
        if entries:
            self.place = Place(entries[-1].seq, entries[-1].id)
        self.epoch, self.reading = page.epoch, False
        return Merged(entries, self.place)

    def hinted(self: Reader, hints: list[Any]) -> list[Any]:
        self.place = Place(hints[-1].seq, hints[-1].id)
        return hints

    return [
        (gateway.driver, "read_log", read_then_subscribe),
        (Reader, "take", take),
        (Reader, "hinted", hinted),
        (Reader, "behind", lambda _self, _seq, _epoch: False),
    ]


def _without_reads(actions: list[Any]) -> list[Any]:
    return [action for action in actions if not isinstance(action, ReadLog)]


def _gate_off() -> list[Patch]:
    return [(Gate, "is_open", lambda _self, _chatflow: True)]


def _consent_off() -> list[Patch]:
    def nothing(*_args: Any, **_options: Any) -> list[Any]:
        return []

    return [*_gate_off(), (consent, "before_message", nothing), (speaking, "before_message", nothing)]


def _scribe_unfenced() -> list[Patch]:
    def apply(connection: SqlConnection, cell: CellName, commits: list[Commit]) -> bool:
        connection.execute(
            update(tables.cell).where(tables.cell.c.cell == cell).values(commit_no=commits[-1].commit_no)
        )
        _write(connection, cell, commits)
        return True

    write = bulk.write

    def over_whatever_is_there(connection: SqlConnection, table: Any, rows: Any, conflict: Any = "fail") -> None:
        write(connection, table, rows, "replace" if conflict == "fail" else conflict)

    _write = commits._write
    return [(commits, "apply", apply), (commits, "write", over_whatever_is_there)]


def _trim_ahead() -> list[Patch]:
    read = Scribe._read

    async def read_and_trim(self: Any, connection: Any, epoch: int, after: int, count: int) -> Any:
        batch, size_bytes = await read(self, connection, epoch, after, count)
        if batch:
            await scripts.trim(connection, self._cell, epoch, batch[-1].commit_no)
        return batch, size_bytes

    return [(Scribe, "_read", read_and_trim)]


def _capacity_by_increments() -> list[Patch]:
    taken: dict[int, tuple[Member, int]] = {}  # by identity, which the member beside it keeps from being used again
    take_hold, let_go = holding._take_hold, holding._let_go

    def count(member: Member, by: int) -> None:
        taken[id(member)] = (member, taken.get(id(member), (member, 0))[1] + by)

    def count_up(roster: Any, held: Any, phase: Any) -> AgentId | None:
        agent = take_hold(roster, held, phase)
        if agent is not None:
            count(roster.members[agent], 1)
        return agent

    def count_down(roster: Any, held: Any) -> AgentId | None:
        agent = let_go(roster, held)
        if agent is not None and isinstance(held.phase, Talking):  # an offer that came to nothing was not thought of
            count(roster.members[agent], -1)
        return agent

    full = property(lambda self: taken.get(id(self), (self, 0))[1] >= self.capacity)
    return [(holding, "_take_hold", count_up), (holding, "_let_go", count_down), (Member, "full", full)]


def _turn_on_acceptance() -> list[Patch]:
    def only_if_taken(roster: Any, event: Any, key: str) -> None:
        if getattr(event, "offer", None) is not None and hasattr(event, "how") and key in roster.lines:
            ring = roster.lines[key].ring
            if event.agent in ring:
                ring.turn(event.agent)

    return [(roster_evolve, "_use_turn", only_if_taken)]


BUILDS: dict[str, Build] = {
    "dedupe_off": Build("ledgers call every frame new", _dedupe_off, "tests/unit/engine/test_ledger.py"),
    "owner_off": Build(
        "commits, renewals and ticks are taken from anybody",
        _owner_off,
        "tests/contract/test_scripts_owner.py",
        seed=0,
        spare="two owners commit in turn, but each commit still expects cursor and commit_no, so what one decided on "
        "a state that the other has changed is refused. Logs stay whole; simulation sees that a stranger's commit "
        "was taken, clients cannot.",
    ),
    "cursor_off": Build(
        "commits are taken wherever the cell stands",
        _cursor_off,
        "tests/contract/test_scripts_commit.py",
        seed=0,
        spare="a commit also checks the head of every value it touches, and the outbox takes no commit_no twice; one "
        "that comes late or twice is refused by these.",
    ),
    "naive_resume": Build(
        "history is read first, then subscribed; positions are not looked at",
        _naive_resume,
        "tests/laws/test_resume.py",
        spare="the SDK ignores repeats and resumes at gaps, so apps see neither; the watch over its lines does.",
    ),
    "gate_off": Build("gateways let words pass before consent", _gate_off, "tests/unit/gateway/test_gate.py"),
    "consent_off": Build(
        "neither gateways nor deciders wait for consent", _consent_off, "tests/unit/gateway/test_gate.py"
    ),
    "scribe_unfenced": Build(
        "SQL takes commits wherever it stands, over what is there",
        _scribe_unfenced,
        "tests/contract/test_sql_commits.py",
        seed=0,
    ),
    "capacity_counted": Build(
        "an agent's load is counted up and down, and an offer that lapses is not counted down",
        _capacity_by_increments,
        "tests/unit/routing/test_offers.py",
        seed=0,
    ),
    "turn_on_acceptance": Build(
        "an offer that expires or is declined uses no turn",
        _turn_on_acceptance,
        "tests/unit/routing/test_offers.py",
        seed=0,
        spare="everybody is still asked, only not in fair turns: no history shows that but the roster's own.",
    ),
    "trim_ahead": Build("scribes trim Redis before SQL has it", _trim_ahead, "tests/integration/test_scribe_copies.py"),
}
