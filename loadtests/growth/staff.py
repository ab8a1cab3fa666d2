"""The curves of routing: what its decisions cost as the agents of one account grow, and as its queue does.

Invariant: every act leaves the roster as large as it found it, so that it may be repeated; steps of the interpreter are
everybody's and may break the run, microseconds are this machine's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import process_time

from loadtests.bench.office import ACCOUNT, Office
from loadtests.bench.steps import steps_of
from loadtests.growth.curve import Curve, Figure, Spent, counted, figures, interleaved
from protocol.bus.commands import TimerFired
from protocol.bus.effects import Release, Reprioritise
from protocol.ids import AgentId, ConversationId
from routing.core.queue import NORMAL
from routing.core.state import TIMER_OWNER

AGENTS, WAITING = (10, 100, 1_000, 5_000), (10, 100, 1_000, 5_000, 20_000)
RULES = 10
OTHERS_WAITING, OTHER_AGENTS = 500, 100  # beside what grows
COUNTED = 9  # times that steps are counted
MOST = 2.0  # times the steps of the least size, where sizes differ up to two thousandfold: a heap may, a scan may not

Move = Callable[[Office, int], None]


@dataclass(frozen=True, slots=True)
class Act:
    """What is measured, and what makes the roster as large again, which is not."""

    do: Move
    undo: Move | None = None


def _comes(office: Office, number: int) -> None:
    office.seek(f"new{number}", number)


def _goes(office: Office, number: int) -> None:
    office.ask(Release(ACCOUNT, ConversationId(f"new{number}")))


def _ends(office: Office, number: int) -> None:
    """Free an agent, to whom whoever waits longest is assigned."""
    member = office.roster.members[AgentId(f"agent{number % office.agents}")]
    office.ask(Release(ACCOUNT, next(iter(member.conversations))))


def _joins(office: Office, number: int) -> None:
    office.seek(f"next{office.now_ms}", number)


def _pauses(office: Office, number: int) -> None:
    office.set_state(number % office.agents, "away")
    office.set_state(number % office.agents, "available")


def _rises_or_sinks(office: Office, number: int) -> None:
    del number
    newest = next(reversed(office.roster.held.values()))
    office.ask(Reprioritise(ACCOUNT, newest.conversation, "normal" if newest.priority > NORMAL else "high"))


def _places(office: Office, number: int) -> None:
    """Let a place be freed, and then every line have its round of telling places."""
    _ends(office, number)
    due = [(key, line.round) for key, line in office.roster.lines.items() if line.round is not None]
    for key, turn in due:
        office.now_ms = max(office.now_ms, turn.due_ms)
        office.ask(TimerFired(ACCOUNT, TIMER_OWNER, "places", key, turn.generation))


FREE = {"a visitor is assigned at once, every agent free": Act(_comes, _goes)}
FULL = {
    "a visitor joins the queue": Act(_comes, _goes),
    "a place is freed and the next is assigned": Act(_ends, _joins),
    "an agent goes away and comes back": Act(_pauses),
    "a priority changes": Act(_rises_or_sinks),
}
ROUND, SNAPSHOT = "a place is freed, and all are told theirs (once in 10 s)", "a snapshot (once in 1,000 events)"


@dataclass(frozen=True, slots=True)
class Effort:
    """Rounds, each of so many repetitions of every act."""

    rounds: int = 5
    times: int = 100


async def agents(sizes: Sequence[int], effort: Effort, command: str) -> Curve:
    """Measure routing against the agents of one account."""
    full = [Office(size, RULES, OTHERS_WAITING) for size in sizes]
    free = [_all_free(size) for size in sizes]
    lines = await _acts(free, FREE, effort) + await _acts(full, FULL, effort) + await _snapshots(full, effort)
    about = (
        f"{RULES} rules, each agent answers to three; one place each; {OTHERS_WAITING} waiting, but where all are free"
    )
    return Curve("agents", "A decision, as agents grow", "agents of one account", about, command, list(sizes), lines)


async def waiting(sizes: Sequence[int], effort: Effort, command: str) -> Curve:
    """Measure routing against the length of the queue."""
    full = [Office(OTHER_AGENTS, RULES, size) for size in sizes]
    lines = await _acts(full, FULL, effort)
    lines += await _cpu(full, {ROUND: Act(_places, _joins)}, Effort(effort.rounds, 1), judged=False)
    lines += await _snapshots(full, effort)
    about = f"{OTHER_AGENTS} agents, all taken, and {RULES} rules"
    return Curve(
        "waiting", "A decision, as the queue grows", "waiting conversations", about, command, list(sizes), lines
    )


def _all_free(size: int) -> Office:
    office = Office(size, RULES, 0)
    for number in range(size):
        office.ask(Release(ACCOUNT, ConversationId(f"talk{number}")))
    return office


async def _acts(offices: Sequence[Office], acts: dict[str, Act], effort: Effort) -> list[Figure]:
    """Return CPU and steps of each act."""
    steps = [
        counted(f"{name}: steps", "", [_steps(office, act) for office in offices], most=MOST)
        for name, act in acts.items()
    ]
    return await _cpu(offices, acts, effort) + steps


async def _cpu(offices: Sequence[Office], acts: dict[str, Act], effort: Effort, *, judged: bool = True) -> list[Figure]:
    async def once(office: Office) -> Spent:
        return {name: _micros(office, act, effort.times) for name, act in acts.items()}

    taken = await interleaved([partial(once, office) for office in offices], effort.rounds)
    return figures(taken, dict.fromkeys(acts, "µs"), judged=tuple(acts) if judged else (), drawn=judged)


async def _snapshots(offices: Sequence[Office], effort: Effort) -> list[Figure]:
    def freeze(office: Office, _: int) -> None:
        office.decider.freeze(office.roster)

    sizes = [len(office.decider.freeze(office.roster)) / 1024 for office in offices]
    cpu = await _cpu(offices, {SNAPSHOT: Act(freeze)}, Effort(effort.rounds, 1), judged=False)
    return [*cpu, counted("its size", "KiB", sizes, judged=False)]


def _micros(office: Office, act: Act, times: int) -> float:
    spent_s = 0.0
    for number in range(times):
        began_s = process_time()
        act.do(office, number)
        spent_s += process_time() - began_s
        _undo(office, act, number)
    return spent_s * 1e6 / times


def _steps(office: Office, act: Act) -> float:
    counts = []
    for number in range(COUNTED):
        counts.append(steps_of(partial(act.do, office, number)))
        _undo(office, act, number)
    return median(counts)


def _undo(office: Office, act: Act, number: int) -> None:
    if act.undo is not None:
        act.undo(office, number)
