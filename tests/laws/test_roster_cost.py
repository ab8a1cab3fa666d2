"""What a decision costs does not depend on how many agents there are, or how many conversations wait."""

from collections.abc import Callable

import pytest

from loadtests.bench.steps import steps_of
from protocol.bus.commands import TimerFired
from protocol.bus.config import Rule
from protocol.bus.staff import Overflow
from tests.kit.shift import INBOX, RULE, Shift, account, agent

SMALL, LARGE = 60, 1_200
RULES = {
    "turns": Rule(RULE, INBOX, "Turns", overflow=Overflow(300, "late")),
    "least busy, languages": Rule(
        RULE, INBOX, "Load", choice="least_busy", prefer_languages=True, overflow=Overflow(300, "late")
    ),
}


def crowd(size: int, rule: Rule) -> Shift:
    """Return a shift of `size` agents with one place each: all but twenty talk, twenty are being asked; one more is late."""
    staff = [
        agent(f"a{number}", capacity=1, role="supervisor" if number == 1 else "agent", languages=["no", "en"])
        for number in range(size)
    ]
    shift = Shift(account([*staff, agent("late", capacity=1)], rules=[rule], teams={"late": ["late"]}))
    shift.arrive(*(one.id for one in staff))
    shift.seek(*(f"c{number}" for number in range(size)))
    for number in range(size - 20):
        shift.accept(f"c{number}")
    return shift


def idle(size: int, rule: Rule = RULES["turns"]) -> Shift:
    """Return a shift of `size` agents who are all ready."""
    staff = [agent(f"a{number}", languages=["no", "en"]) for number in range(size)]
    shift = Shift(account([*staff, agent("late")], rules=[rule], teams={"late": ["late"]}))
    shift.arrive(*(one.id for one in staff))
    return shift


def packed(size: int, rule: Rule) -> Shift:
    """Return a crowd behind which as many conversations wait."""
    shift = crowd(size, rule)
    shift.seek(*(f"w{number}" for number in range(size)))
    return shift


def open_offer(shift: Shift) -> str:
    return next(iter(shift.roster.offers.values()))


def due(shift: Shift, kind: str, conversation: str) -> TimerFired:
    """Return the pending timer of that kind of a conversation."""
    return next(timer for timer in shift.timers if (timer.kind, timer.key) == (kind, conversation))


DECISIONS: dict[str, tuple[Callable[[int, Rule], Shift], Callable[[Shift], object]]] = {
    "an offer": (idle, lambda shift: shift.seek("new", language="nb")),
    "a transfer to a team": (packed, lambda shift: shift.transfer("a0", "c0", "", "", "late")),
    "another priority": (packed, lambda shift: shift.prioritise("w30", "high")),
    "rising with age": (packed, lambda shift: shift.ask(due(shift, "ageing", "w30"))),
    "an overflow": (packed, lambda shift: shift.ask(due(shift, "overflow", "w30"))),
    "a conversation that counts no more": (packed, lambda shift: shift.weigh("c0", counts=False)),
    "a forced claim": (packed, lambda shift: shift.claim("a1", "c0", force=True)),
    "who would be next": (packed, lambda shift: shift.who_next("a1")),
    "queueing": (packed, lambda shift: shift.seek("new")),
    "accepting": (packed, lambda shift: shift.accept(open_offer(shift))),
    "declining": (packed, lambda shift: shift.decline(open_offer(shift))),
    "a freed place": (packed, lambda shift: shift.release("c0")),
    "leaving the queue": (packed, lambda shift: shift.release("w30")),
    "a claim": (packed, lambda shift: shift.claim("a1", "w30", force=True)),
    "an arrival": (packed, lambda shift: shift.arrive("late")),
    "a lost agent": (packed, lambda shift: shift.leave("a5")),
    "going away": (idle, lambda shift: shift.set_state("a7", "away")),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("decision", DECISIONS)
def test_nothing_scans_agents_or_the_queue(decision: str, rule: str) -> None:
    """Twenty times the agents and the queue, the same number of steps."""
    situation, decide = DECISIONS[decision]
    small, large = situation(SMALL, RULES[rule]), situation(LARGE, RULES[rule])
    few, many = steps_of(lambda: decide(small)), steps_of(lambda: decide(large))
    assert few > 100
    assert many <= few * 1.1, f"{decision}: {few} steps among {SMALL}, {many} among {LARGE}"


def test_the_count_notices_a_scan() -> None:
    """Looking at every agent costs more the more there are."""
    small, large = idle(SMALL), idle(LARGE)
    few = steps_of(lambda: [member.agent for member in small.roster.members.values()])
    many = steps_of(lambda: [member.agent for member in large.roster.members.values()])
    assert many > 10 * few
    assert list(small.roster.lines) == [RULE]
