"""Erasing a person, and conversations whose time is over."""

from typing import Any

import msgspec
import pytest

from engine.core.evolve import replay
from engine.core.phases import Closed, Parked
from engine.core.snapshot import freeze
from protocol.bus import commands
from protocol.bus.commands import Emptied, EraseConversations, ErasePerson
from protocol.bus.facts import ConversationErased, PersonErased
from protocol.bus.tombstones import tombstone
from protocol.ids import ContactId, ErasureId, VisitorId
from protocol.wire import content
from protocol.wire.content import Event
from tests.kit.desks import by
from tests.kit.workplace import ACCOUNT, ANN, BO, KARI, OLA, OPEN, admits, conversation, replies, sends
from tests.kit.world import World
from tests.unit.engine.test_step_talk import world

CHAT = conversation()
NEXT = conversation(ordinal=2)
ONCE = ErasureId("era_1")
CANARY = "canary-0815"


def talked() -> World:
    """Kari has told her secret to Ann, who wrote it everywhere."""
    cell = world(ANN)
    cell.ask(sends(1, CANARY))
    cell.ask(replies(ANN, 1, CHAT, CANARY))
    cell.ask(by(ANN, commands.AddNote, 2, CHAT, CANARY, [BO], False))
    cell.ask(by(ANN, commands.ChangeTags, 3, CHAT, [CANARY], []))
    cell.ask(by(ANN, commands.SetFields, 4, CHAT, {"order": CANARY}))
    context = commands.NoteContext(ACCOUNT, sends(9).origin, KARI, CANARY, {"plan": CANARY}, {}, [CANARY], OPEN)
    cell.do(context)
    return cell


def erases(visitor: VisitorId = KARI, **more: Any) -> ErasePerson:
    return ErasePerson(ACCOUNT, visitor, ONCE, **more)


def everything(cell: World) -> bytes:
    """All that the cell has, and SQL of its logs."""
    kept = [*cell.conversations.values(), *cell.visitors.values()]
    return b"".join([*kept, *(frame for log in (cell.logs, cell.shown) for frames in log.values() for frame in frames)])


def test_nothing_is_left() -> None:
    """The conversation ends, its log keeps every place, and no value holds a word of it."""
    cell = talked()
    assert CANARY.encode() in everything(cell)
    before = [(event.seq, event.id, event.at, type(event.body)) for event in cell.log(CHAT)]
    cell.do(erases(contact=ContactId("con_1")))
    assert CANARY.encode() not in everything(cell)
    after = [(event.seq, event.id, event.at, type(event.body)) for event in cell.log(CHAT)]
    assert after[: len(before)] == before
    assert cell.kinds(CHAT)[-2:] == ["Closed", "Erased"]
    assert PersonErased(ACCOUNT, KARI, ONCE, ContactId("con_1")) in cell.facts


def test_replay_over_tombstones() -> None:
    """What is left of the log gives the stored state, byte for byte."""
    cell = talked()
    cell.do(erases())
    again = replay(ACCOUNT, cell.log(CHAT))
    assert again is not None
    assert freeze(again) == cell.conversations[CHAT]


def test_agent_is_released() -> None:
    """Whoever had the conversation has it no more."""
    cell = talked()
    cell.do(erases())
    assert cell.rosters[ACCOUNT].held == {}


def test_visitor_keeps_only_names() -> None:
    """Of the visitor's record there are ids and times."""
    cell = talked()
    cell.do(erases())
    record = cell.visitor(KARI)
    assert record is not None
    assert (record.devices, record.consents, record.contact, record.profile) == ({}, {}, None, None)
    assert (record.current[OPEN].conversation, record.erased) == (CHAT, ONCE)
    assert cell.ask(admits(KARI)).code == "visitor_unknown"


def test_next_conversation_has_its_own_name() -> None:
    """A phone that still talks is sent on: nothing is written under an erased conversation's name."""
    cell = talked()
    cell.do(erases())
    assert (sent := cell.ask(sends(2))).code == "continued"
    assert sent.instead == NEXT


def test_twice_is_once() -> None:
    """The same erasure, asked for again, changes nothing."""
    cell = talked()
    cell.do(erases())
    again = cell.do(erases())
    assert (again.events, again.visitors, again.effects) == ([], {}, [])


def test_of_another_account() -> None:
    """Nobody erases what is another company's, or somebody else's."""
    cell = talked()
    states = dict(cell.conversations)
    stolen = [Emptied(CHAT, b"")]
    cell.do(erases(OLA, conversations=stolen))
    cell.do(msgspec.structs.replace(erases(conversations=stolen), account="acc_other"))
    assert cell.conversations == states


@pytest.mark.parametrize("asked", [commands.AddNote, commands.AgentSends])
def test_nothing_more_is_written(asked: Any) -> None:
    """An agent finds nothing there to write to."""
    cell = talked()
    cell.do(erases())
    rest = ("again", [BO], False) if asked is commands.AddNote else ("again",)
    assert cell.ask(by(ANN, asked, 5, CHAT, *rest)).code == "not_found"


@pytest.mark.parametrize("retry", [replies(ANN, 1, CHAT, CANARY), sends(1, CANARY)])
def test_sent_again(retry: Any) -> None:
    """What was acknowledged before has its outcome still, and its words are not stored again."""
    cell = talked()
    before = cell.ask(retry)
    cell.do(erases())
    assert cell.ask(retry) == before
    assert CANARY.encode() not in everything(cell)


def test_parked() -> None:
    """What was set aside for an operator is erased like everything else."""
    cell = talked()
    cell.conversations[CHAT] = freeze(msgspec.structs.replace(cell.conversation(CHAT), phase=Parked("KeyError")))
    cell.do(erases())
    assert cell.conversation(CHAT).phase.erased


def test_cold_conversation_comes_back_for_its_end() -> None:
    """A conversation that the cell had let go of is erased from what its tombstones amount to."""
    cell = talked()
    cell.ask(by(ANN, commands.AgentCloses, 5, CHAT))
    left = [msgspec.msgpack.decode(tombstone(frame), type=Event) for frame in cell.logs[CHAT]]
    del cell.conversations[CHAT]
    cold = replay(ACCOUNT, left)
    assert cold is not None
    cell.do(erases(conversations=[Emptied(CHAT, freeze(cold))]))
    again = replay(ACCOUNT, cell.log(CHAT))
    assert again is not None
    assert freeze(again) == cell.conversations[CHAT]


def test_cold_visitor() -> None:
    """A visitor whom the cell had let go of is erased from what SQL has of them."""
    cell = talked()
    record = cell.visitor(KARI)
    cell.visitors.clear()
    cell.do(erases(record=record))
    assert cell.visitor(KARI) is not None
    assert CANARY.encode() not in everything(cell)


def test_retention_spares_what_goes_on() -> None:
    """Of old conversations those that are closed are emptied; one that was reopened is not."""
    cell = talked()
    asked = EraseConversations(ACCOUNT, [Emptied(CHAT, b"")])
    assert cell.do(asked).events == []
    cell.ask(by(ANN, commands.AgentCloses, 5, CHAT))
    cell.do(asked)
    assert cell.log(CHAT)[-1].body == content.Erased()
    assert isinstance(cell.conversation(CHAT).phase, Closed)
    assert [fact for fact in cell.facts if isinstance(fact, ConversationErased)] == [
        ConversationErased(ACCOUNT, CHAT, len(cell.log(CHAT)))
    ]


def test_retention_ends_the_reopen_window() -> None:
    """The visitor stays, and their next word begins a new conversation."""
    cell = talked()
    cell.ask(by(ANN, commands.AgentCloses, 5, CHAT))
    cell.do(EraseConversations(ACCOUNT, [Emptied(CHAT, b"")]))
    assert cell.ask(sends(2)).instead == NEXT
