"""The ticket of a conversation."""

from typing import Any

from protocol.bus.commands import AgentCloses, SetPriority, SetTicket
from protocol.bus.decisions import Already, First, Refusal
from protocol.bus.effects import Keep, NumberTicket, OpenTicket
from protocol.bus.facts import TicketKept
from protocol.wire.codes import Code
from protocol.wire.content import TicketChanged, TicketOpened
from tests.kit.desks import by, helpdesk
from tests.kit.threads import Thread
from tests.kit.workplace import ACCOUNT, ANN, BO, INBOX, author, closes, replies, sends, workplace


def opened() -> Thread:
    """Kari's conversation in a help desk, with ticket 7, opened at 1 s."""
    thread = Thread(config=helpdesk())
    thread.ask(sends())
    assert OpenTicket(ACCOUNT, thread.state.id) in thread.asked
    thread.ask(NumberTicket(ACCOUNT, thread.state.id, 7))
    return thread


def status(thread: Thread) -> str:
    """What the ticket's status is now."""
    assert thread.state.beside.ticket is not None
    return thread.state.beside.ticket.status


def kept(thread: Thread) -> list[TicketKept]:
    """The facts since the last command."""
    return [effect.fact for effect in thread.effects if isinstance(effect, Keep)]


def sets(thread: Thread, value: str) -> Any:
    """Bo sets the status."""
    return thread.ask(by(BO, SetTicket, 1, thread.state.id, value), 9_000)


def test_first_message_opens_it() -> None:
    """In a help desk the first message that is taken asks for a number; the second does not."""
    thread = opened()
    assert isinstance(thread.log[-1].body, TicketOpened)
    assert kept(thread) == [TicketKept(ACCOUNT, thread.state.id, INBOX, 7, "new", "normal", 1_000, 1_000)]
    thread.ask(sends(2))
    assert not any(isinstance(asked, OpenTicket) for asked in thread.asked)


def test_not_in_an_inbox() -> None:
    """In an inbox of the other kind no message opens a ticket."""
    thread = Thread(config=workplace())
    thread.ask(sends())
    assert not any(isinstance(asked, OpenTicket) for asked in thread.asked)


def test_numbered_once() -> None:
    """A second number changes nothing."""
    assert opened().ask(NumberTicket(ACCOUNT, opened().state.id, 8)) == Already()


def test_status_follows_who_spoke() -> None:
    """New until an agent speaks; then whoever spoke last is not waited for."""
    thread = opened()
    thread.ask(sends(2))
    assert status(thread) == "new"
    thread.assign(ANN)
    thread.ask(replies(ANN, 1, thread.state.id), 3_000)
    assert status(thread) == "waiting_visitor"
    assert [(fact.status, fact.opened_at_ms, fact.changed_at_ms) for fact in kept(thread)] == [
        ("waiting_visitor", 1_000, 3_000)
    ]
    thread.ask(replies(ANN, 2, thread.state.id), 3_500)
    assert kept(thread) == []
    thread.ask(sends(3), 4_000)
    assert status(thread) == "waiting_us"


def test_set() -> None:
    """An agent sets the status; the same again changes nothing."""
    thread = opened()
    assert sets(thread, "closed") == [TicketChanged(author(BO), "closed")]
    assert [(fact.status, fact.changed_at_ms) for fact in kept(thread)] == [("closed", 9_000)]
    assert sets(thread, "closed") == Already()


def test_a_word_on_a_closed_ticket() -> None:
    """The visitor's word makes a closed ticket wait for us; an agent's leaves it closed."""
    thread = opened()
    thread.assign(ANN)
    sets(thread, "closed")
    thread.ask(replies(ANN, 2, thread.state.id))
    assert status(thread) == "closed"
    thread.ask(sends(2))
    assert status(thread) == "waiting_us"


def test_closing_leaves_it() -> None:
    """Closing the conversation leaves the ticket open."""
    thread = opened()
    thread.ask(closes(2))
    assert status(thread) == "new"


def test_closed_with_it() -> None:
    """Unless the closer says so."""
    thread = opened()
    thread.assign(ANN)
    kinds = thread.kinds(by(ANN, AgentCloses, 1, thread.state.id, close_ticket=True))
    assert kinds == ["TicketChanged", "Closed"]
    assert status(thread) == "closed"


def test_agent_makes_one() -> None:
    """Where there is no ticket an agent makes one: the roster numbers it first."""
    thread = Thread(config=workplace())
    thread.ask(sends())
    assert sets(thread, "waiting_us") == First(OpenTicket(ACCOUNT, thread.state.id))
    thread.ask(NumberTicket(ACCOUNT, thread.state.id, 3))
    assert sets(thread, "waiting_us") == [TicketChanged(author(BO), "waiting_us")]


def test_unknown_status() -> None:
    """A status that there is not is refused."""
    assert sets(opened(), "done") == Refusal(Code.BAD_CONTENT)


def test_priority_is_the_tickets_too() -> None:
    """The conversation's priority is its ticket's."""
    thread = opened()
    thread.ask(by(BO, SetPriority, 1, thread.state.id, "urgent"), 9_000)
    assert [(fact.priority, fact.changed_at_ms) for fact in kept(thread)] == [("urgent", 9_000)]
