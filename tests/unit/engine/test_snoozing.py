"""Putting a conversation off."""

from typing import Any

from engine.core.conversation import status_of
from engine.core.phases import Talking
from protocol.bus.commands import SnoozeConversation
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import Seek, Weigh
from protocol.ids import AgentId
from protocol.wire.codes import Code
from protocol.wire.content import Snoozed, Woken
from tests.kit.desks import by, helpdesk, talked
from tests.kit.threads import Thread
from tests.kit.workplace import ACCOUNT, ANN, BO, CY, author, hangs_up, sends


def snoozes(thread: Thread, agent: AgentId, until_ms: int, at_ms: int = 4_000) -> Any:
    """An agent puts it off."""
    return thread.ask(by(agent, SnoozeConversation, 2, thread.state.id, until_ms), at_ms)


def asleep() -> Thread:
    """Ann's conversation, put off until 9 s."""
    thread = talked()
    assert snoozes(thread, ANN, 9_000) == [Snoozed(author(ANN), 9_000)]
    return thread


def test_snoozed() -> None:
    """Put off, it stays the agent's, is called snoozed, and counts for nobody's capacity."""
    thread = asleep()
    assert isinstance(thread.state.phase, Talking)
    assert status_of(thread.state) == "snoozed"
    assert thread.asked == [Weigh(ACCOUNT, thread.state.id, False)]
    assert (thread.due("wake"), thread.due("silent"), thread.due("inactivity")) == (9_000, None, None)


def test_wakes_in_time() -> None:
    """It wakes when its time comes, not before, and counts again."""
    thread = asleep()
    assert thread.fire("wake", 8_999) == Already()
    assert thread.fire("wake", 9_000) == [Woken("due")]
    assert thread.asked == [Weigh(ACCOUNT, thread.state.id, True)]
    assert status_of(thread.state) == "open"
    assert thread.due("wake") is None


def test_visitor_wakes() -> None:
    """The visitor's word wakes it first."""
    thread = asleep()
    assert thread.kinds(sends(2), 5_000) == ["Woken", "Message"]
    assert Weigh(ACCOUNT, thread.state.id, True) in thread.asked


def test_agent_wakes() -> None:
    """The agent wakes it with 0, or with a time gone by; awake, that changes nothing."""
    for until_ms in (0, 3_000):
        thread = asleep()
        assert snoozes(thread, ANN, until_ms) == [Woken("agent")]
        assert snoozes(thread, ANN, until_ms) == Already()


def test_snoozed_again() -> None:
    """Another time replaces the first; the same time changes nothing."""
    thread = asleep()
    assert snoozes(thread, ANN, 9_000) == Already()
    snoozes(thread, ANN, 12_000)
    assert thread.due("wake") == 12_000


def test_only_who_has_it() -> None:
    """Only who has it puts it off, or a supervisor."""
    assert snoozes(talked(), BO, 9_000) == Refusal(Code.NOT_ASSIGNED)
    assert snoozes(talked(), CY, 9_000) == [Snoozed(author(CY), 9_000)]


def test_nothing_to_put_off() -> None:
    """What nobody has, or what is closed, is not put off."""
    waiting = Thread(config=helpdesk())
    waiting.ask(sends())
    assert snoozes(waiting, CY, 9_000) == Refusal(Code.NOT_ASSIGNED)
    over = talked()
    over.ask(hangs_up(ANN, 3, over.state.id))
    assert snoozes(over, ANN, 9_000) == Refusal(Code.CONVERSATION_CLOSED)


def test_awake_before_it_changes_hands() -> None:
    """Handed on, it is awake first."""
    thread = asleep()
    assert [type(body).__name__ for body in thread.hand_over(ANN, BO)][1:] == ["Woken", "Unassigned", "Assigned"]


def test_close_ends_the_sleep() -> None:
    """A closed conversation is not snoozed, and nothing wakes it."""
    thread = asleep()
    thread.ask(hangs_up(ANN, 3, thread.state.id))
    assert (status_of(thread.state), thread.due("wake")) == ("closed", None)


def test_nobody_left_to_wake_to() -> None:
    """Its agent gone meanwhile, it goes to somebody else when its time comes."""
    thread = asleep()
    thread.lose(ANN, 5_000)
    assert status_of(thread.state) == "snoozed"
    assert [type(body).__name__ for body in thread.fire("wake", 9_000)] == ["Woken", "Queued"]
    assert any(isinstance(asked, Seek) and asked.rule is not None for asked in thread.asked)


def test_a_wake_is_a_fresh_start() -> None:
    """Silence is counted from the wake, so that nothing closes the moment it wakes."""
    thread = talked()
    snoozes(thread, ANN, 200_000_000)
    thread.fire("wake", 200_000_000)
    assert thread.due("inactivity") is not None
    assert thread.due("inactivity") >= 200_000_000 + 86_400_000  # type: ignore[operator]
