"""How conversations end."""

from typing import Any

import pytest

from engine.core.conversation import status_of
from engine.core.phases import Gated
from protocol.bus.commands import AgentCloses
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import End, Release
from protocol.ids import AgentId
from protocol.wire.codes import Code
from protocol.wire.content import Closed
from tests.kit.desks import by, helpdesk, talked
from tests.kit.threads import Thread
from tests.kit.workplace import ACCOUNT, ANN, ASKS, BO, CY, answers, author, sends


def ends(thread: Thread, agent: AgentId, **how: Any) -> Any:
    """An agent closes it; what was logged of that, or why not."""
    decision = thread.ask(by(agent, AgentCloses, 2, thread.state.id, **how))
    return decision[0] if isinstance(decision, list) else decision


def waiting() -> Thread:
    """A conversation that nobody has."""
    thread = Thread(config=helpdesk())
    thread.ask(sends())
    return thread


def test_spam() -> None:
    """Close as spam says so in the log."""
    assert ends(talked(), ANN, spam=True) == Closed(author(ANN), "spam")


def test_spam_that_nobody_has() -> None:
    """Any agent of the inbox rids it of spam that nobody has; of other things nobody has only a supervisor."""
    assert ends(waiting(), BO, spam=True) == Closed(author(BO), "spam")
    assert ends(waiting(), BO) == Refusal(Code.NOT_ASSIGNED)
    assert ends(waiting(), CY) == Closed(author(CY), "agent")


def test_spam_that_somebody_has() -> None:
    """What somebody has only they close, or a supervisor."""
    assert ends(talked(), BO, spam=True) == Refusal(Code.NOT_ASSIGNED)
    assert ends(talked(), CY) == Closed(author(CY), "agent")


def test_closed_twice() -> None:
    """Closing again names the close that there was, to whoever had it; to others it is not theirs."""
    thread = talked()
    ends(thread, ANN)
    at = next(event for event in thread.log if isinstance(event.body, Closed))
    assert ends(thread, ANN) == ends(thread, CY) == Already(at.seq, at.id)
    assert ends(thread, BO) == Refusal(Code.NOT_ASSIGNED)


@pytest.mark.parametrize("reason", ["consent_withdrawn", "blocked"])
def test_end(reason: str) -> None:
    """A reason that lies with the visitor ends whatever is open, and the roster lets go of it."""
    for thread in (waiting(), talked()):
        (closed,) = thread.ask(End(ACCOUNT, thread.state.id, reason))
        assert (closed.reason, closed.by.role.value) == (reason, "system")
        assert Release(ACCOUNT, thread.state.id) in thread.asked
        assert thread.ask(End(ACCOUNT, thread.state.id, reason)) == Already()


def test_end_behind_the_gate() -> None:
    """What was never said ends, too."""
    thread = Thread(ASKS)
    thread.ask(answers(value="declined"))
    assert isinstance(thread.state.phase, Gated)
    thread.ask(End(ACCOUNT, thread.state.id, "blocked"))
    assert status_of(thread.state) == "closed"


def test_end_of_nothing() -> None:
    """Where nothing began nothing ends."""
    assert Thread().ask(End(ACCOUNT, Thread().state.id, "blocked")) == Already()
