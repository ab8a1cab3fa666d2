"""The engine core: what one engine decides and commits per second, and where that second goes.

Invariant: three ways over the same commands: an engine as it is; the same work of its owner in stages, each timed by
itself; and the very commits of that work sent to Valkey with nothing else done.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from time import perf_counter, process_time

from engine.runtime.batch import Batch
from engine.runtime.commit import Plan, plan
from engine.runtime.deciding import Deciding
from engine.runtime.inbox import Entry, Unreadable, parse_cursor, read_entry
from engine.runtime.memory import Memory
from loadtests.bench.account import CELL
from loadtests.bench.figures import Result
from loadtests.bench.lone_cell import PACK, LoneCell, lone_cell
from loadtests.load.processes import usage
from protocol.bus.commands import AnyCommand
from store.redis import scripts
from store.redis.scripts import Fence

ROUNDS_FIRST = 2  # per conversation, not measured
ROUNDS_LEAST = 2  # an engine that starts loads each conversation once: with the first of its messages
LEASE_MS = 60_000
TOKEN = "bench"


@dataclass(slots=True)
class Stages:
    """CPU seconds spent in each stage of an owner's work."""

    read_s: float = 0.0
    decide_s: float = 0.0
    plan_s: float = 0.0
    plans: list[Plan] = field(default_factory=list)


async def measure(name: str, command: str, conversations: int, messages: int) -> Result:
    """Feed an engine about `messages` from a full inbox of `conversations` open conversations."""
    rounds = max(ROUNDS_LEAST, messages // conversations)
    count = rounds * conversations
    about = f"{count:,} VisitorSends over {conversations:,} open conversations, packs of {PACK}, one engine, one cell"
    result = Result(name, command, about)
    async with lone_cell(conversations) as cell:
        await _whole(result, cell, rounds, count)
        await _staged(result, cell, rounds, count)
        result.verdict = await cell.verdict()
    return result


async def _whole(result: Result, cell: LoneCell, rounds: int, count: int) -> None:
    """An engine that finds the inbox full."""
    warm = await cell.fill(ROUNDS_FIRST)
    async with cell.engine():
        await cell.decided(warm)
    await cell.forget()
    last = await cell.fill(rounds)
    began_s, cpu_s, valkey = perf_counter(), process_time(), usage(cell.valkey_pid)
    async with cell.engine():
        await cell.decided(last)
        wall_s, cpu_s, valkey = perf_counter() - began_s, process_time() - cpu_s, usage(cell.valkey_pid) - valkey
    result.add("decided and committed", count / wall_s, "/s", f"in {wall_s:.2f} s from the engine's start")
    result.add("decided and committed per engine core", count / cpu_s, "/s", "by the engine's own CPU; target 25,000")
    result.add("engine CPU per command", cpu_s * 1e6 / count, "µs")
    result.add("Valkey CPU per command", valkey.cpu_s * 1e6 / count, "µs")


async def _staged(result: Result, cell: LoneCell, rounds: int, count: int) -> None:
    """The same work, one stage at a time."""
    await cell.forget()
    last = await cell.fill(rounds)
    taken = await scripts.take(cell.line, CELL, TOKEN, LEASE_MS)
    assert taken is not None, "the engine was stopped cleanly, so the cell is free"
    stages = Stages()
    fence = Fence(CELL, TOKEN, taken.record.epoch, taken.record.cursor, "", taken.record.commit_no, 0)
    await _decide_all(cell, stages, await _read(cell, stages, taken.record.cursor), fence)
    valkey = usage(cell.valkey_pid)
    commit_s, cpu_s = await _commit_all(cell, stages.plans)
    valkey = usage(cell.valkey_pid) - valkey
    await cell.decided(last)
    await scripts.release(cell.line, CELL, TOKEN)
    for title, spent_s in (("read", stages.read_s), ("decide", stages.decide_s), ("plan", stages.plan_s)):
        result.add(f"{title} only", count / spent_s, "/s", f"{spent_s * 1e6 / count:.1f} µs of CPU each")
    note = f"{count // len(stages.plans)} commands each; {cpu_s * 1e6 / count:.1f} µs of the sender's CPU per command"
    result.add("commit only", count / commit_s, "/s", note)
    result.add("Valkey CPU per command, commit only", valkey.cpu_s * 1e6 / count, "µs")


async def _read(cell: LoneCell, stages: Stages, after: str) -> list[Entry]:
    found = await cell.line.call("XRANGE", cell.keys.inbox, f"({parse_cursor(after).entry}", "+", timeout_s=30.0)
    began_s = process_time()
    entries = [read_entry(entry_id, fields) for entry_id, fields in found]
    stages.read_s = process_time() - began_s
    return entries


async def _decide_all(cell: LoneCell, stages: Stages, entries: list[Entry], fence: Fence) -> None:
    """Decide and plan every entry in batches as full as an owner makes them."""
    around = cell.surroundings
    memory = Memory(CELL, cell.line, around.roster, around.settings)
    deciding = Deciding(memory, around.roster, around.watchdog)
    await memory.prefetch(command for entry in entries for command in _commands(entry))
    size = around.settings.batch_commands // PACK
    for start in range(0, len(entries), size):
        some = entries[start : start + size]
        batch = Batch(fence.epoch, fence.commit_no + 1)
        began_s = process_time()
        batch.commands = sum(len(entry.commands) for entry in some)
        await deciding.decide(batch, some)
        stages.decide_s += process_time() - began_s
        assert not batch.feeds, "talk moves no feed"
        began_s = process_time()
        memory.snapshot_rosters(batch)
        fence = fence._replace(next_cursor=str(some[-1].end), next_commit_no=batch.commit_no)
        planned = plan(fence, batch, memory.heads(batch))
        memory.advance(batch, planned)
        stages.plan_s += process_time() - began_s
        stages.plans.append(planned)
        fence = fence._replace(cursor=fence.next_cursor, commit_no=fence.next_commit_no)


async def _commit_all(cell: LoneCell, plans: list[Plan]) -> tuple[float, float]:
    """Send every plan, as many at a time as an owner does; return the wall and the CPU seconds."""
    under_way: deque[asyncio.Future[str]] = deque()
    most = cell.surroundings.settings.in_flight
    began_s, cpu_s = perf_counter(), process_time()
    for planned in plans:
        if len(under_way) == most:
            assert await under_way.popleft() == "ok"
        under_way.append(scripts.send_commit(cell.line, planned.fence, planned.checks, planned.writes))
        await asyncio.sleep(0)
    for answer in under_way:
        assert await answer == "ok"
    return perf_counter() - began_s, process_time() - cpu_s


def _commands(entry: Entry) -> list[AnyCommand]:
    return [command for command in entry.commands if not isinstance(command, Unreadable)]
