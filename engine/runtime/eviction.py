"""Letting go of what nobody has needed for long, once SQL has it.

Invariant: only values whose last commit SQL has leave Redis, by a commit that checks that they are still so. A visitor
stays as long as one of their conversations may go on; a conversation, until no message can reopen it and no survey of
it be answered.
"""

from dataclasses import dataclass

from engine.core.beside import survey_until_ms
from engine.core.phases import Closed
from engine.runtime.batch import Batch
from engine.runtime.memory import Memory
from engine.runtime.stored import HeldConversation, HeldVisitor
from engine.runtime.surroundings import EngineSettings
from protocol.bus.records import CurrentConversation, VisitorRecord
from protocol.ids import AccountId, ConversationId, VisitorId
from store.redis.connection import Connection
from store.redis.keys import Keys

AT_ONCE = 200
LOOK_AGAIN_MS = 3_600_000  # at a value of which nothing says when it will be idle


@dataclass(frozen=True, slots=True)
class Look:
    """What was found of an idle value. `account` None: it stays, to be looked at again at `again_ms`."""

    account: AccountId | None
    again_ms: int = 0


async def stored(line: Connection, keys: Keys) -> int:
    """Return the commit_no up to which SQL has the cell."""
    return int(await line.call("HGET", keys.cell, "stored") or 0)


async def sweep(line: Connection, keys: Keys, memory: Memory, batch: Batch, settings: EngineSettings) -> bool:
    """Put into `batch` what may leave; True if there is more to look at. `batch.at_ms` is now."""
    memory.stored = await stored(line, keys)
    before_ms = batch.at_ms - round(settings.late_s * 1000)
    idle = await line.call("ZRANGEBYSCORE", keys.active, "-inf", before_ms, "LIMIT", 0, AT_ONCE)
    members = [member.decode().partition(":") for member in idle]
    await memory.hold([(kind, id_) for kind, _, id_ in members])
    for kind, _, id_ in members:
        if kind == "conversation":
            look = at_conversation(memory.held_conversation(ConversationId(id_)), memory.stored, before_ms)
        else:
            look = at_visitor(memory.held_visitor(VisitorId(id_)), memory.stored, before_ms, settings)
        if look.account is not None:
            batch.evicted.append((kind, id_, look.account))
        else:
            batch.postponed[f"{kind}:{id_}"] = look.again_ms or before_ms + LOOK_AGAIN_MS
    return len(idle) == AT_ONCE


def at_conversation(held: HeldConversation, stored_no: int, now_ms: int) -> Look:
    """Judge a conversation at `now_ms`: it leaves when it is closed for good, and rated for good, and SQL has it."""
    state = held.state
    if state is None:
        return Look(AccountId(""))
    if not isinstance(state.phase, Closed):
        return Look(None)
    if state.phase.erased:
        return Look(None, now_ms + 1_000) if held.head.commit_no > stored_no else Look(state.account)
    needed_until_ms = max(state.phase.at_ms + state.terms.reopen_window_s * 1000, survey_until_ms(state.beside))
    if now_ms < needed_until_ms:
        return Look(None, needed_until_ms)
    return Look(None, now_ms + 1_000) if held.head.commit_no > stored_no else Look(state.account)


def at_visitor(held: HeldVisitor, stored_no: int, now_ms: int, settings: EngineSettings) -> Look:
    """Judge a visitor at `now_ms`: they leave when long unseen, with nothing that may go on, and SQL has them."""
    record = held.record
    if record is None:
        return Look(AccountId(""))
    if any(current.closed_at_ms is None for current in record.current.values()):
        return Look(None)
    idle_ms = max(record.seen_at_ms + round(settings.visitor_idle_s * 1000), *_ends(record))
    if now_ms < idle_ms:
        return Look(None, idle_ms)
    return Look(None, now_ms + 1_000) if held.commit_no > stored_no else Look(record.account)


def _ends(record: VisitorRecord) -> list[int]:
    """Return when each of the visitor's closed conversations can no longer be reopened, nor rated."""
    closed = (current for current in record.current.values() if current.closed_at_ms is not None)
    return [0, *(max(_reopens_until_ms(each), each.survey_until_ms) for each in closed)]


def _reopens_until_ms(current: CurrentConversation) -> int:
    return (current.closed_at_ms or 0) + current.reopen_window_s * 1000
