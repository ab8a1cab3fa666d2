"""Removing one message or note for good."""

from typing import Any

import msgspec
import pytest

from engine.core.evolve import replay
from engine.core.snapshot import freeze
from protocol.bus.commands import AddNote, RedactMessage
from protocol.bus.config import Heading
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import Keep
from protocol.bus.facts import Erased
from protocol.wire.codes import Code
from protocol.wire.content import Author, Event, Message, Note, Redacted, Role
from protocol.wire.kinds import Button, Buttons, Form, FormField, FormValues
from tests.kit.desks import ALIAS, by, helpdesk, talked
from tests.kit.threads import Thread
from tests.kit.workplace import ACCOUNT, ANN, BO, KARI, author, replies, sends


def redacts(thread: Thread, seq: int, of: int | None = None) -> Any:
    """Bo removes the entry at `seq`; the gateway read the entry at `of` (that same one, if none is said)."""
    frame = msgspec.msgpack.encode(thread.log[(of or seq) - 1])
    return thread.ask(by(BO, RedactMessage, 9, thread.state.id, seq, frame))


def erased(thread: Thread) -> Erased:
    """The fact that a redaction leaves."""
    (fact,) = [effect.fact for effect in thread.effects if isinstance(effect, Keep)]
    assert isinstance(fact, Erased)
    return fact


def body_of(frame: bytes | None) -> Any:
    """The body in a frame."""
    assert frame is not None
    return msgspec.msgpack.decode(frame, type=Event).body


def test_redacted() -> None:
    """A removed message leaves its place, its author and nothing of what it said."""
    thread = talked()
    assert redacts(thread, 2) == [Redacted(author(BO), 2)]
    fact = erased(thread)
    assert (fact.account, fact.conversation, fact.seq, fact.visitor_frame) == (ACCOUNT, thread.state.id, 2, None)
    assert body_of(fact.frame) == Message(Author(Role.VISITOR, KARI), "", redacted=True)
    assert b"Hello" not in fact.frame


def test_tombstone_under_an_alias() -> None:
    """An agent's message leaves two tombstones: who it was is for staff only."""
    thread = talked()
    redacts(thread, 5)
    fact = erased(thread)
    assert body_of(fact.frame).by == author(ANN)
    assert body_of(fact.visitor_frame) == Message(Author(Role.AGENT, "", ALIAS), "", redacted=True)


def test_tombstone_by_name() -> None:
    """Where agents go by their names, one tombstone is for all."""
    thread = talked(helpdesk(heading=Heading("assigned_agent")))
    redacts(thread, 5)
    assert erased(thread).visitor_frame is None


def test_redacted_note() -> None:
    """A note is removed too, and its tombstone stays hidden from visitors."""
    thread = talked()
    thread.ask(by(ANN, AddNote, 2, thread.state.id, "Secret", [BO], False))
    redacts(thread, thread.state.seq)
    assert body_of(erased(thread).frame) == Note(author(ANN), "", redacted=True)
    assert erased(thread).visitor_frame == b""


@pytest.mark.parametrize(("seq", "of"), [(1, None), (3, None), (4, None), (2, 5), (5, 2)])
def test_nothing_of_that_kind(seq: int, of: int | None) -> None:
    """Only a message or a note is removed, and only if it is what stands there."""
    assert redacts(talked(), seq, of) == Refusal(Code.NOT_FOUND)


def test_bytes_of_nothing() -> None:
    """What a gateway could not read is not there."""
    thread = talked()
    assert thread.ask(by(BO, RedactMessage, 9, thread.state.id, 2, b"")) == Refusal(Code.NOT_FOUND)


def test_somebody_elses_entry() -> None:
    """An entry of another conversation is not this one's."""
    thread = talked()
    event = msgspec.structs.replace(thread.log[1], conversation="cnv_other")
    command = by(BO, RedactMessage, 9, thread.state.id, 2, msgspec.msgpack.encode(event))
    assert thread.ask(command) == Refusal(Code.NOT_FOUND)


def test_redacted_twice() -> None:
    """What is removed already is removed."""
    thread = talked()
    redacts(thread, 2)
    thread.log[1] = msgspec.msgpack.decode(erased(thread).frame, type=Event)
    assert redacts(thread, 2) == Already()


def test_nothing_is_chosen_from_what_is_gone() -> None:
    """A removed question cannot be answered."""
    thread = talked()
    thread.ask(replies(ANN, 2, thread.state.id, "", content=Form("Who", [FormField("name", "Name")])))
    seq = thread.state.seq
    redacts(thread, seq)
    assert thread.ask(sends(2, "", content=FormValues(seq, {"name": "Kari"}))) == Refusal(Code.BAD_CONTENT)


def test_replay_over_tombstones() -> None:
    """A log whose entries were replaced by tombstones replays to the same bytes."""
    thread = talked()
    form, buttons = Form("Who", [FormField("name", "Name")]), Buttons([Button("a", "A")])
    for said in (form, buttons, form):
        thread.ask(replies(ANN, 2, thread.state.id, "", content=said))
    thread.ask(sends(2, "", content=FormValues(6, {"name": "Kari"})))
    for seq in (2, 5, 6, 7, 9):
        redacts(thread, seq)
        thread.log[seq - 1] = msgspec.msgpack.decode(erased(thread).frame, type=Event)
    assert b"Kari" not in msgspec.msgpack.encode(thread.log)
    again = replay(ACCOUNT, thread.log)
    assert again is not None
    assert freeze(again) == freeze(thread.state)
