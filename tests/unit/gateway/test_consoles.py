"""What agents ask of a conversation: what is wrong at a glance, what is read first, who would be next."""

from typing import Any

import msgspec
import pytest

from gateway.core.actions import ReadEntry
from protocol.bus import commands
from protocol.bus.records import NextInLine
from protocol.ids import InboxId
from protocol.wire import client
from protocol.wire.codes import Code
from protocol.wire.content import Author, EmailGiven, Event, Message, Role
from protocol.wire.server import (
    Candidate,
    NextAgent,
)
from tests.kit.workplace import ANN, BO, CY, RULE, workplace
from tests.unit.gateway.sessions import CHAT, NOW, agent, done, head, hint, said, submitted

HELLO = Message(Author(Role.VISITOR, "vis_kari"), "Hello?")


def test_fields_of_a_frame_go_into_its_command() -> None:
    """Brought to NFC where they are words."""
    session = agent()
    frames: list[Any] = [
        client.AgentClose(n=1, id="a", conversation=CHAT, spam=True, close_ticket=True),
        client.Tag(n=2, id="b", conversation=CHAT, add=["Sma\u030a"], remove=["x"]),
        client.Transfer(n=3, id="c", conversation=CHAT, to="agt_bo", note="a\u030a"),
        client.Block(n=4, id="d", conversation=CHAT, on=False),
    ]
    closes, tags, moves, unblocks = (submitted(session.receive(frame, NOW))[0] for frame in frames)
    assert (closes.spam, closes.close_ticket) == (True, True)
    assert (tags.add, tags.remove) == (["Små"], ["x"])
    assert (moves.to, moves.team, moves.note) == ("agt_bo", None, "å")
    assert unblocks.on is False


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (client.AgentSend(n=1, id="a", conversation=CHAT, text=" \n"), "empty_text"),
        (client.AgentSend(n=1, id="a", conversation=CHAT), "empty_text"),
        (client.AddNote(n=1, id="a", conversation=CHAT, text=" "), "empty_text"),
        (client.AddNote(n=1, id="a", conversation=CHAT, text="\U0001d15e" * 6_000), "too_large"),
        (client.Transfer(n=1, id="a", conversation=CHAT), "malformed"),
        (client.Transfer(n=1, id="a", conversation=CHAT, to="agt_bo", team="tea_1"), "malformed"),
        (client.AddNote(n=1, id="a", conversation=CHAT, text="psst", whisper=True), "not_permitted"),
        (client.Claim(n=1, id="a", conversation=CHAT, force=True), "not_permitted"),
        (client.Transfer(n=1, id="a", conversation=CHAT, to="agt_bo", force=True), "not_permitted"),
        (client.SetState(n=1, id="a", state="offline", agent="agt_bo"), "not_permitted"),
    ],
)
def test_what_is_wrong_at_a_glance_goes_no_further(frame: Any, code: str) -> None:
    """Nothing said, too much said, nobody or two meant, and what needs a supervisor."""
    actions = agent().receive(frame, NOW)
    (refusal,) = said(actions)
    assert (refusal.code, refusal.expected, submitted(actions)) == (code, 1, [])


def test_a_supervisor_whispers_forces_and_sets_others_states() -> None:
    """Cy supervises."""
    session = agent(CY)
    frames: list[Any] = [
        client.AddNote(n=1, id="a", conversation=CHAT, text="psst", whisper=True),
        client.Claim(n=2, id="b", conversation=CHAT, force=True),
        client.Transfer(n=3, id="c", conversation=CHAT, to="agt_bo", force=True),
        client.SetState(n=4, id="d", state="offline", agent="agt_bo"),
    ]
    whispers, claims, moves, sets = (submitted(session.receive(frame, NOW))[0] for frame in frames)
    assert (whispers.whisper, claims.force, moves.force, sets.of) == (True, True, True, BO)


def test_who_is_made_supervisor_is_one_at_once() -> None:
    """A newer configuration acts on open sessions."""
    session, config = agent(), workplace(version=2)
    agents = [msgspec.structs.replace(each, role="supervisor" if each.id == ANN else "agent") for each in config.agents]
    session.configured(msgspec.structs.replace(config, agents=agents))
    assert submitted(session.receive(client.Claim(n=1, id="a", conversation=CHAT, force=True), NOW))


# Redacting.


REDACT = client.Redact(n=1, id="a", conversation=CHAT, seq=4)


def test_what_is_removed_is_read_first() -> None:
    """The command carries the entry, so that its tombstone can be made, and nothing of what was said in it."""
    session = agent()
    (asked,) = session.receive(REDACT, NOW)
    assert asked == ReadEntry(CHAT, 4, (1, "a"))
    (command,) = submitted(session.entry_read(asked, head(), hint(4, HELLO).frame, None))
    assert isinstance(command, commands.RedactMessage)
    assert command.seq == 4
    said = msgspec.msgpack.decode(command.frame, type=Event)
    assert (said.seq, said.body) == (4, msgspec.structs.replace(HELLO, text=""))


def test_what_cannot_be_redacted_is_not_carried_along() -> None:
    """An address that was given is no message: the cell refuses it, and is not told it again."""
    session = agent()
    (asked,) = session.receive(REDACT, NOW)
    given = EmailGiven("nora@example.com", "con_1")
    (command,) = submitted(session.entry_read(asked, head(), hint(4, given).frame, None))
    assert isinstance(command, commands.RedactMessage)
    assert command.frame == b""


def test_what_comes_behind_waits_for_what_is_read() -> None:
    """Frames of a console take effect in the order of n."""
    session = agent()
    (asked,) = session.receive(REDACT, NOW)
    assert session.receive(client.AgentSend(n=2, id="b", conversation=CHAT, text="hi"), NOW) == []
    first, second = submitted(session.entry_read(asked, head(), hint(4, HELLO).frame, None))
    assert (first.origin.n, second.origin.n) == (1, 2)


@pytest.mark.parametrize(
    ("known", "frame", "trouble", "code"),
    [
        (None, b"", None, Code.NOT_FOUND),
        (head(), None, None, Code.NOT_FOUND),
        (head(inbox=InboxId("inb_other")), b"frame", None, Code.NOT_FOUND),
        (head(), None, Code.UNAVAILABLE, Code.UNAVAILABLE),
    ],
)
def test_what_cannot_be_read_is_not_removed(known: Any, frame: Any, trouble: Any, code: Code) -> None:
    """No such entry, not for this agent, or not now; what waited behind goes on, to be told its place."""
    session = agent()
    (asked,) = session.receive(REDACT, NOW)
    session.receive(client.AgentSend(n=2, id="b", conversation=CHAT, text="hi"), NOW)
    actions = session.entry_read(asked, known, frame, trouble)
    (refusal,) = said(actions)
    assert (refusal.code, refusal.n, refusal.expected) == (code.wire, 1, 1)
    assert [command.origin.n for command in submitted(actions)] == [2]
    assert bool(session.receive(REDACT, NOW))  # it may be asked again


# Who would be next.


def test_who_would_be_next_is_asked_and_told() -> None:
    """By the ref; nothing else happens by it."""
    session = agent()
    (command,) = submitted(session.receive(client.WhoNext("r", RULE), NOW))
    assert (type(command), command.rule, command.origin.n) == (commands.AskWhoNext, RULE, 0)
    assert session.receive(client.WhoNext("r", RULE), NOW) == []
    found = NextInLine(BO, [(BO, "chosen"), (ANN, "at_capacity")], {"ready": 1})
    (told,) = said(session.outcome(done(0, "r", next_in_line=found), command))
    assert told == NextAgent("r", RULE, BO, [Candidate(BO, "chosen"), Candidate(ANN, "at_capacity")], {"ready": 1})


def test_a_rule_that_is_not_there_is_not_found() -> None:
    """Refused by the ref."""
    session = agent()
    (command,) = submitted(session.receive(client.WhoNext("r", "rul_none"), NOW))
    (refusal,) = said(session.outcome(done(0, "r", code="not_found"), command))
    assert (refusal.code, refusal.ref) == ("not_found", "r")
