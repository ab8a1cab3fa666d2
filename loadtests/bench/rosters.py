"""What routing costs in one large roster, against a small one: a decision, a change of the queue, and neither scans.

Invariant: microseconds are this machine's; the interpreter's steps are everybody's, and they decide the verdict.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from loadtests.bench.figures import Result
from loadtests.bench.office import ACCOUNT, Office
from loadtests.bench.steps import steps_of
from protocol.bus.effects import Release, Reprioritise
from protocol.ids import AgentId, ConversationId
from routing.core.queue import NORMAL

LARGE, SMALL = (1_000, 50, 5_000), (10, 1, 50)  # agents, rules, waiting
TIMES = 1_000
MOST = 3.0  # times the small roster's steps: an agent of three rules has three lines; a scan would be a hundred

Act = Callable[[Office, int], None]


@dataclass(frozen=True, slots=True)
class Growth:
    """The most that any decision takes in the large roster, as a multiple of what it takes in the small one."""

    worst: float

    @property
    def holds(self) -> bool:
        """Whether nothing walks the agents or the queue."""
        return self.worst <= MOST

    def __str__(self) -> str:
        grows = f"a hundred times the roster, at most {self.worst:.1f} times the steps"
        return f"{grows}: {'nothing scans' if self.holds else 'SOMETHING SCANS'}"


def _joins(office: Office, number: int) -> None:
    office.seek(f"new{number}", number)


def _leaves(office: Office, number: int) -> None:
    office.ask(Release(ACCOUNT, ConversationId(f"new{number}")))


def _rises(office: Office, number: int) -> None:
    conversation = ConversationId(f"wait{number % (5 * office.agents)}")
    now = "normal" if office.roster.held[conversation].priority > NORMAL else "high"
    office.ask(Reprioritise(ACCOUNT, conversation, now))


def _ends(office: Office, number: int) -> None:
    """Free one agent: whoever waits longest in their lines is assigned to them."""
    member = office.roster.members[AgentId(f"agent{number % office.agents}")]
    office.ask(Release(ACCOUNT, next(iter(member.conversations))))


def _pauses(office: Office, number: int) -> None:
    office.set_state(number % office.agents, "away")
    office.set_state(number % office.agents, "available")


ACTS: dict[str, Act] = {
    "a visitor joins the queue": _joins,
    "a visitor leaves the queue": _leaves,
    "a priority changes": _rises,
    "a place is freed and the next assigned": _ends,
    "an agent goes away and comes back": _pauses,
}


async def measure(name: str, command: str) -> Result:
    """Tell what each act costs in both rosters."""
    agents, rules, waiting = LARGE
    beside = f"beside it one of {SMALL[0]}, {SMALL[1]} and {SMALL[2]}"
    about = f"one roster of {agents:,} agents, {rules} rules and {waiting:,} waiting; {beside}"
    result = Result(name, command, about)
    large, small = Office(*LARGE), Office(*SMALL)
    worst = 0.0
    for title, act in ACTS.items():
        many, few = _steps(large, act), _steps(small, act)
        worst = max(worst, many / few)
        note = f"{_micros(small, act):.0f} µs in the small one; {many:,.0f} steps of the interpreter against {few:,.0f}"
        result.add(title, _micros(large, act), "µs", note)
    result.verdict = Growth(worst)
    return result


def _micros(office: Office, act: Act) -> float:
    """Return the median time of an act."""
    spent = []
    for number in range(_times(office)):
        began_s = perf_counter()
        act(office, number)
        spent.append(perf_counter() - began_s)
    return median(spent) * 1e6


def _steps(office: Office, act: Act) -> float:
    return median(steps_of(lambda number=number: act(office, number)) for number in range(10_000, 10_020))  # type: ignore[misc]


def _times(office: Office) -> int:
    """As often as leaves most of the queue where it is."""
    return min(TIMES, 2 * office.agents)
