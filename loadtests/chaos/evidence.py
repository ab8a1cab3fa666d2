"""What the stores hold at the end of a run, as the checker's facts.

Invariant: read when everybody has left; the record is compared with Redis before either is stopped, each conversation
at a moment when both stand still, since deadlines are met whoever is there.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import samtale.journal as told

from app.replay import replay_one
from loadtests.checker.history import Committed, Conversation, Decision, Entry, Epoch, History, Raised
from protocol.ids import AccountId, AgentId, CellName, ConversationId
from routing.core import events as roster_events
from routing.core.roster import RosterDecider
from routing.core.state import Roster
from store.redis.connection import Connection
from store.redis.keys import Keys, cell_names
from store.sql.database import Databases
from store.sql.queries import accounts, audit, cells

QUIET_DEADLINE_S = 60.0
SET_ASIDE = ('"conversation parked"', '"command quarantined"')
"""What engines say when a decider raised; a command that only ended two engines, by kill -9, is no fault of theirs."""
BY_ROUTING = frozenset({"auto", "offer", "last_agent", "owner"})


class NotQuiet(Exception):
    """SQL does not catch up with the cells: nothing can be compared."""


async def until_stored(stores: Databases, connection: Connection, cells_count: int) -> None:
    """Wait until SQL has every commit of every cell; raises NotQuiet."""
    names = cell_names(cells_count)
    behind = names
    try:
        async with asyncio.timeout(QUIET_DEADLINE_S):
            while behind := [name for name in names if not await _stored(stores, connection, name)]:
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise NotQuiet(f"SQL does not catch up with {', '.join(behind)}") from None


async def gather(stores: Databases, connection: Connection, history: History) -> None:
    """Add everything that the stores hold to `history`."""
    for config in await stores.config.read(accounts.all_of_them):
        history.homes[config.account] = config.cell
    for conversation in await stores.record.read(audit.conversation_ids):
        await _conversation(stores, connection, history, conversation)
    for account in await stores.record.read(audit.accounts_with_rosters):
        log = await stores.record.read(lambda sql, of=account: audit.roster_log(sql, of))  # type: ignore[misc]
        history.decisions += _decisions(account, [stored for _, stored in log])
    for cell, epoch, base in await stores.record.read(cells.epochs_of):
        history.epochs.append(Epoch(cell, epoch, base))


def files_with(directory: Path, text: str) -> list[str]:
    """Return the names of the files below `directory` that hold `text`, as UTF-8."""
    wanted = text.encode()
    files = (path for path in directory.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(directory)) for path in files if wanted in path.read_bytes())


def raised(directory: Path) -> Iterator[Raised]:
    """Yield what the engines' logs below `directory` say was set aside because a decider raised."""
    for path in sorted(directory.glob("logs/engine-*.log*")):
        for line in path.read_text(errors="replace").splitlines():
            if any(said in line for said in SET_ASIDE):
                yield Raised(path.name, line[:200])


async def _stored(stores: Databases, connection: Connection, cell: CellName) -> bool:
    epoch, commit_no, status = await connection.call("HMGET", Keys(cell).cell, "epoch", "commit_no", "status")
    position = await stores.record.read(lambda sql: cells.position(sql, cell))
    if position is None or status != b"ready":
        return False
    return (position.epoch, position.commit_no) == (int(epoch or 0), int(commit_no or 0))


async def _conversation(
    stores: Databases, connection: Connection, history: History, conversation: ConversationId
) -> None:
    log, redis_log = await _standing_still(stores, connection, conversation)
    config = await stores.config.read(lambda sql: accounts.config(sql, log.account))
    replayed = await replay_one(stores.record, conversation)
    assert replayed is not None
    history.conversations.append(
        Conversation(
            log.account, conversation, log.visitor, log.cell,
            consent_required=config is not None and config.chatflows[0].consent.mode == "explicit",
            stored=replayed.stored, replayed=replayed.replayed, redis_log=redis_log,
        )
    )  # fmt: skip
    ends = max((stored.seq for stored in log.entries if stored.kind == "erased"), default=0)
    for stored in log.entries:
        history.entries.append(_entry(log, stored, is_erased=stored.seq < ends))
        epoch, commit_no, _ = stored.id.split(".")
        history.commits.append(Committed(log.cell, int(epoch), int(commit_no)))


async def _standing_still(
    stores: Databases, connection: Connection, conversation: ConversationId
) -> tuple[audit.StoredLog, tuple[str, ...]]:
    """Return a conversation as the record has it, and its log's event ids in Redis, at one moment; raises NotQuiet."""
    try:
        async with asyncio.timeout(QUIET_DEADLINE_S):
            while True:
                log = await stores.record.read(lambda sql: audit.log_of(sql, conversation))
                assert log is not None, "ids come from the record"
                redis_log = await _log_in_redis(connection, log)
                if await _stored(stores, connection, log.cell):
                    again = await stores.record.read(lambda sql: audit.log_of(sql, conversation))
                    if again == log:
                        return log, redis_log
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise NotQuiet(f"SQL does not catch up with {conversation}") from None


async def _log_in_redis(connection: Connection, log: audit.StoredLog) -> tuple[str, ...]:
    """Return what a log still holds words of: a rebuilt one has tombstones in it, others have them beside it."""
    found = await connection.call("XRANGE", Keys(log.cell).log(log.id), "-", "+")
    entries = (dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in found)
    whole = (entry for entry in entries if not msgspec.msgpack.decode(entry[b"e"])["body"].get("redacted"))
    return tuple(entry[b"i"].decode() for entry in whole)


def _entry(log: audit.StoredLog, stored: audit.StoredEvent, *, is_erased: bool) -> Entry:
    body = msgspec.msgpack.decode(stored.frame)["body"]
    shown = msgspec.msgpack.decode(stored.visitor_frame)["body"] if stored.visitor_frame else None
    return Entry(
        log.account, log.id, stored.seq, stored.id, stored.kind, told.digest_of(body), stored.device, stored.n,
        stored.send_id,
        agent=body.get("agent", {}).get("id", ""),
        audience="staff" if stored.is_hidden else "all",
        answer=_answer(stored.kind, body),
        shown=told.digest_of(shown) if shown is not None else "",
        redacted=body.get("redacted", False),
        role=body.get("by", {}).get("role", "") if stored.kind == "message" else "",
        is_made="content" in body,
        ask=body.get("ask", 0),
        visitor=body.get("visitor", "") if stored.kind in ("started", "merged") else "",
        erased=is_erased,
    )  # fmt: skip


def _answer(kind: str, body: dict[str, Any]) -> str:
    """Return the answer of a consent to process, or why a conversation ended."""
    if kind == "closed":
        return str(body["reason"])
    return str(body["answer"]) if kind == "consent" and body["purpose"] == "process" else ""


def _decisions(account: str, log: list[bytes]) -> Iterator[Decision]:
    """Play a roster's log again and look at the load of whoever was just chosen.

    An offer counts when it is made: taken later it adds nothing, though a visitor's return filled the hands meanwhile.
    """
    decider = RosterDecider()
    roster = Roster(AccountId(account))
    for stored in log:
        event = decider.decode_event(stored)
        match event:
            case roster_events.ConversationOffered(agent=agent):
                by_routing = True
            case roster_events.ConversationAssigned(agent=agent, how=how):
                by_routing = how in BY_ROUTING and not roster.members[agent].offers.keys() & {event.offer}
            case _:
                decider.evolve(roster, event)
                continue
        decider.evolve(roster, event)
        yield _load(roster, account, agent, by_routing=by_routing)


def _load(roster: Roster, account: str, agent: str, *, by_routing: bool) -> Decision:
    member = roster.members[AgentId(agent)]
    return Decision(account, roster.seq, agent, member.load, member.capacity, by_routing)
