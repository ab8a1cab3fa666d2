"""What agents do with a conversation beside answering it."""

from typing import Any

import pytest
from msgspec.structs import replace

from protocol.bus import commands
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import FeedUpdate, NoteBlocked, Reprioritise
from protocol.bus.topics import agent_feed
from protocol.ids import AgentId
from protocol.wire.codes import Code
from protocol.wire.content import FieldsSet, Note, PrioritySet, TagsChanged, audience_of
from tests.kit.desks import by, talked
from tests.kit.threads import Thread
from tests.kit.workplace import ACCOUNT, ANN, ASKS, BO, CY, KARI, answers, author, hangs_up


def notes(thread: Thread, agent: AgentId, *mentions: AgentId, text: str = "Look", whisper: bool = False) -> Any:
    """An agent writes a note."""
    return thread.ask(by(agent, commands.AddNote, 2, thread.state.id, text, list(mentions), whisper))


def closed() -> Thread:
    """A conversation that Ann closed."""
    thread = talked()
    thread.ask(hangs_up(ANN, 2, thread.state.id))
    return thread


@pytest.mark.parametrize("thread", [talked(), closed()], ids=["open", "closed"])
def test_note(thread: Thread) -> None:
    """Any agent of the inbox writes a note, whoever has the conversation, also when it is closed."""
    (note,) = notes(thread, BO)
    assert note == Note(author(BO), "Look")
    assert audience_of(note) == "staff"


def test_mentions_are_told() -> None:
    """Who is mentioned is told once on their own feed, and the feed keeps no row of it."""
    thread = talked()
    notes(thread, BO, ANN, CY, ANN)
    told = [effect for effect in thread.effects if isinstance(effect, FeedUpdate)]
    assert [(update.feed, update.what, update.row) for update in told] == [
        (agent_feed(ACCOUNT, ANN), "mentioned", None),
        (agent_feed(ACCOUNT, CY), "mentioned", None),
    ]
    assert {update.key for update in told} == {f"mention:{thread.state.id}:{thread.state.seq}"}


def test_mention_of_a_stranger() -> None:
    """Who has no access to the inbox is not mentioned in it."""
    assert notes(talked(), BO, AgentId("agt_dan")) == Refusal(Code.NOT_FOUND)


def test_whisper() -> None:
    """A supervisor whispers to whoever has the conversation; nobody else may."""
    (note,) = notes(talked(), CY, whisper=True)
    assert note.whisper
    assert notes(talked(), BO, whisper=True) == Refusal(Code.NOT_PERMITTED)


@pytest.mark.parametrize(("text", "code"), [(" ", Code.EMPTY_TEXT), ("x" * 10_001, Code.TOO_LARGE)])
def test_text_of_a_note(text: str, code: Code) -> None:
    """A note has 1 to 10,000 characters."""
    assert notes(talked(), BO, text=text) == Refusal(code)


DEEDS: list[Any] = [
    (commands.AddNote, "Look", [], False),
    (commands.ChangeTags, ["vip"], []),
    (commands.SetFields, {"order": "7"}),
    (commands.SetPriority, "high"),
    (commands.SnoozeConversation, 9_000_000),
    (commands.RedactMessage, 2, b""),
    (commands.BlockVisitor, True),
    (commands.SetTicket, "closed"),
    (commands.AgentCloses,),
    (commands.AgentSends, "Hi"),
]


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed[0].__name__)
def test_access_is_asked_of_everything(deed: Any) -> None:
    """Every command of an agent is judged by their access to the inbox as it is configured now."""
    kind, *rest = deed
    thread = talked()
    thread.config = replace(thread.config, inboxes=[replace(thread.config.inboxes[0], agents=[BO])])
    assert thread.ask(by(ANN, kind, 2, thread.state.id, *rest)) == Refusal(Code.NOT_FOUND)
    assert thread.ask(by(AgentId("agt_dan"), kind, 2, thread.state.id, *rest)) == Refusal(Code.NOT_FOUND)


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed[0].__name__)
def test_nobody_sees_behind_the_gate(deed: Any) -> None:
    """What a visitor has not consented to yet no agent finds."""
    kind, *rest = deed
    thread = Thread(ASKS)
    thread.ask(answers(value="declined"))
    assert thread.ask(by(ANN, kind, 1, thread.state.id, *rest)) == Refusal(Code.NOT_FOUND)


def tags(thread: Thread, add: list[str], remove: list[str]) -> Any:
    """Bo changes the tags."""
    return thread.ask(by(BO, commands.ChangeTags, 2, thread.state.id, add, remove))


def test_tags() -> None:
    """Tags are put on and taken off; only what changes is logged."""
    thread = talked()
    assert tags(thread, ["vip", "ski", "vip"], ["cold"]) == [TagsChanged(author(BO), ["vip", "ski"], [])]
    assert tags(thread, ["vip", "boots"], ["ski"]) == [TagsChanged(author(BO), ["boots"], ["ski"])]
    assert thread.state.beside.tags == ("vip", "boots")
    assert tags(thread, ["vip"], ["gone"]) == Already()


def test_tags_have_limits() -> None:
    """At most 50 tags of 1 to 50 characters."""
    assert tags(talked(), [str(number) for number in range(51)], []) == Refusal(Code.TOO_LARGE)
    assert tags(talked(), ["x" * 51], []) == Refusal(Code.TOO_LARGE)
    assert tags(talked(), [" "], []) == Refusal(Code.EMPTY_TEXT)


def fields(thread: Thread, given: dict[str, str]) -> Any:
    """Bo sets fields."""
    return thread.ask(by(BO, commands.SetFields, 2, thread.state.id, given))


def test_fields() -> None:
    """Fields are set, changed and removed; only what changes is logged."""
    thread = talked()
    fields(thread, {"order": "7", "colour": "red"})
    assert fields(thread, {"order": "8", "colour": "red"}) == [FieldsSet(author(BO), {"order": "8"})]
    assert fields(thread, {"colour": "", "size": ""}) == [FieldsSet(author(BO), {"colour": ""})]
    assert thread.state.beside.fields == {"order": "8"}
    assert fields(thread, {"order": "8"}) == Already()


def test_fields_have_limits() -> None:
    """At most 50 fields of up to 500 characters."""
    assert fields(talked(), {str(number): "x" for number in range(51)}) == Refusal(Code.TOO_LARGE)
    assert fields(talked(), {"a": "x" * 501}) == Refusal(Code.TOO_LARGE)


def prioritises(thread: Thread, priority: str) -> Any:
    """Bo sets the priority."""
    return thread.ask(by(BO, commands.SetPriority, 2, thread.state.id, priority))


def test_priority() -> None:
    """A priority that changes is logged, and the roster is told."""
    thread = talked()
    assert prioritises(thread, "urgent") == [PrioritySet(author(BO), "urgent")]
    assert thread.asked == [Reprioritise(ACCOUNT, thread.state.id, "urgent")]
    assert prioritises(thread, "urgent") == Already()
    assert prioritises(thread, "first") == Refusal(Code.BAD_CONTENT)


def test_priority_of_what_is_closed() -> None:
    """Of a closed conversation the roster need not know."""
    thread = closed()
    prioritises(thread, "high")
    assert thread.asked == []


@pytest.mark.parametrize("on", [True, False])
def test_block(on: bool) -> None:
    """Blocking is noted on the visitor, and logs nothing by itself."""
    thread = talked()
    assert thread.ask(by(BO, commands.BlockVisitor, 2, thread.state.id, on)) == []
    assert thread.asked == [NoteBlocked(ACCOUNT, thread.state.id, KARI, on)]
