"""Deadlines: what comes of silence, and that hardly a word moves one."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.core.timers import after_silence, due
from protocol.bus.config import AccountConfig
from protocol.bus.decisions import Already
from protocol.bus.effects import CancelTimer, NoteReply, Seek, SetTimer, Weigh
from protocol.wire.content import Closed, Queued, Unassigned
from tests.kit.desks import helpdesk, talked
from tests.kit.threads import Thread
from tests.kit.workplace import ACCOUNT, ANN, BO, CY, INBOX, RULE, UNROUTED, author, replies, sends, workplace

DAY_MS = 86_400_000


def owing(**rule: Any) -> Thread:
    """A conversation that Ann has since 2 s, and has not answered."""
    config: AccountConfig = helpdesk()
    thread = Thread(config=replace(config, rules=[replace(config.rules[0], **rule)]))
    thread.ask(sends())
    thread.assign(ANN)
    return thread


def test_first_reply_in_time() -> None:
    """Who does not answer in time loses it to the next, who is not the same, and the visitor keeps the place."""
    thread = owing(first_reply_s=120)
    assert thread.due("first_reply") == 122_000
    assert thread.fire("first_reply", 121_999) == Already()
    assert thread.fire("first_reply", 122_000) == [Unassigned(author(ANN), "no_reply"), Queued("no_reply")]
    (seek,) = (asked for asked in thread.asked if isinstance(asked, Seek))
    assert (seek.rule, seek.since_ms, seek.avoid, seek.prefer) == (RULE, 1_000, ANN, None)


def test_first_reply_answered() -> None:
    """An answer is in time; later ones have no deadline."""
    thread = owing(first_reply_s=120)
    thread.ask(replies(ANN, 1, thread.state.id), 3_000)
    assert thread.due("first_reply") is None
    thread.ask(sends(2), 4_000)
    assert thread.due("first_reply") is None
    assert thread.fire("first_reply", 999_000) == Already()


def test_first_reply_of_the_next() -> None:
    """Whoever gets it next has the whole time."""
    thread = owing(first_reply_s=120)
    thread.fire("first_reply", 122_000)
    thread.assign(BO, 130_000)
    assert thread.due("first_reply") == 250_000


def test_first_reply_only_if_the_rule_says() -> None:
    """Without it in the rule, or without a rule, nobody loses it."""
    assert owing(first_reply_s=0).due("first_reply") is None
    unrouted = Thread(UNROUTED, config=helpdesk())
    unrouted.ask(sends(flow=UNROUTED))
    unrouted.assign(ANN)
    assert unrouted.due("first_reply") is None


def test_first_reply_nothing_owed() -> None:
    """Taken over while nothing is owed, the time runs from the visitor's next word."""
    thread = talked()
    thread.lose(ANN)
    thread.assign(BO, 10_000)
    assert thread.due("first_reply") is None
    thread.ask(sends(2), 60_000)
    assert thread.due("first_reply") == 180_000


def test_silent() -> None:
    """The agent spoke last and the visitor is silent: it counts for nobody's capacity."""
    thread = talked()
    silent_ms = thread.due("silent")
    assert silent_ms is not None
    assert 603_000 <= silent_ms <= 628_000
    assert thread.fire("silent", silent_ms - 1) == Already()
    assert thread.fire("silent", silent_ms) == []
    assert thread.asked == [Weigh(ACCOUNT, thread.state.id, False)]


@pytest.mark.parametrize("words", [sends(2), replies(ANN, 2, talked().state.id)], ids=["visitor", "agent"])
def test_silence_ends(words: Any) -> None:
    """The next word of either makes it count again; the one after that does not need to."""
    thread = talked()
    thread.ask(words, thread.due("silent") or 0)
    assert thread.asked == [Weigh(ACCOUNT, thread.state.id, True)]
    thread.ask(sends(3), 700_000)
    assert thread.asked == []


def test_owing_is_not_silent() -> None:
    """While a reply is owed it counts, however long that lasts."""
    thread = talked()
    thread.ask(sends(2), 4_000)
    assert thread.fire("silent", thread.due("silent") or 0) == Already()


def test_inactivity() -> None:
    """The visitor silent for a day after a human word, it closes."""
    thread = talked()
    due_ms = thread.due("inactivity")
    assert due_ms is not None
    assert 3_000 + DAY_MS <= due_ms <= 3_000 + DAY_MS + DAY_MS // 24
    assert thread.fire("inactivity", due_ms - 1) == Already()
    (closed,) = thread.ask(thread.timer("inactivity"), due_ms)
    assert isinstance(closed, Closed)
    assert closed.reason == "inactivity"


def test_inactivity_never_while_owing() -> None:
    """It never closes while an agent owes a reply."""
    thread = talked()
    thread.ask(sends(2), 4_000)
    assert thread.fire("inactivity", 9 * DAY_MS) == Already()
    thread.ask(replies(ANN, 2, thread.state.id), 9 * DAY_MS)
    assert (thread.due("inactivity") or 0) >= 10 * DAY_MS


def test_inactivity_never_unassigned() -> None:
    """It never closes while nobody is assigned."""
    thread = talked()
    thread.lose(ANN)
    assert thread.due("inactivity") is None
    assert thread.fire("inactivity", 9 * DAY_MS) == Already()


def test_inactivity_after_a_human_word_only() -> None:
    """Before anybody answered there is no inactivity."""
    assert owing().due("inactivity") is None


def test_inactivity_off() -> None:
    """Zero is never."""
    assert talked(helpdesk(inactivity_s=0)).due("inactivity") is None


def test_taken_over_after_long() -> None:
    """Whoever takes over what has long been silent has the whole time again."""
    thread = talked()
    thread.lose(ANN)
    thread.assign(CY, 5 * DAY_MS)
    assert (thread.due("inactivity") or 0) >= 6 * DAY_MS


@pytest.mark.parametrize("period_s", [1, 60, 600, 86_400])
def test_rounded_up(period_s: int) -> None:
    """A deadline after silence is never early, and at most a 24th of its period late."""
    for stirred_ms in (0, 1, 999, 1_234_567, 1_700_000_000_123):
        late_ms = after_silence(stirred_ms, period_s) - stirred_ms - period_s * 1000
        assert 0 <= late_ms < period_s * 1000 / 24


def test_words_move_few_deadlines() -> None:
    """A lively talk moves a deadline with one word in a hundred at the most."""
    thread, moved = talked(), 0
    for number in range(200):
        said = sends(number + 2) if number % 2 else replies(ANN, number + 2, thread.state.id)
        thread.ask(said, 100_000 + number * 100)
        moved += len(thread.effects)
    assert moved <= 4


def test_effects_are_the_difference() -> None:
    """What is set and cancelled is the difference between the deadlines before and after."""
    thread = owing(first_reply_s=120)
    before = due(thread.state)
    thread.ask(replies(ANN, 1, thread.state.id), 3_000)
    cancelled = {(e.command.kind, e.command.key) for e in thread.effects if isinstance(e, CancelTimer)}
    set_ = {(e.command.kind, e.command.key): e.due_ms for e in thread.effects if isinstance(e, SetTimer)}
    kept = {which: at_ms for which, at_ms in before.items() if which not in cancelled}
    assert {**kept, **set_} == due(thread.state)
    assert cancelled == {("first_reply", "")}


def test_first_human_reply_is_noted() -> None:
    """The first human reply is told to the roster with how long the visitor waited; later ones are not."""
    thread = owing()
    thread.ask(replies(ANN, 1, thread.state.id), 31_000)
    assert NoteReply(ACCOUNT, thread.state.id, INBOX, 30_000) in thread.asked
    thread.ask(sends(2), 32_000)
    thread.ask(replies(ANN, 2, thread.state.id), 33_000)
    assert thread.asked == []


def test_no_timer_for_what_is_parked() -> None:
    """What an operator must look at has no deadlines."""
    thread = Thread(config=workplace())
    thread.ask(sends())
    thread.assign(ANN)
    assert thread.due("first_reply") is not None
    thread.park()
    assert due(thread.state) == {}
