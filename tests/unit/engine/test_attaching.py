"""Messages that name attachments."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from engine.core.attaching import MAX_A_DAY, REMEMBERED_MS, SENT_WITHIN_MS
from engine.core.evolve import replay
from engine.core.snapshot import freeze
from protocol.bus.commands import RedactMessage, Uploaded
from protocol.bus.decisions import Refusal
from protocol.bus.effects import Keep
from protocol.bus.facts import AttachmentsUsed, Erased
from protocol.ids import AttachmentId, ConversationId
from protocol.wire.codes import Code
from protocol.wire.content import Event, Message
from protocol.wire.kinds import Choice, File, Files
from tests.kit.desks import by, talked
from tests.kit.threads import Thread
from tests.kit.workplace import ACCOUNT, ANN, BO, KARI, conversation, replies, sends

AT = 10_000
BAD = Refusal(Code.BAD_ATTACHMENT)
CHAT = conversation()


def uploaded(number: int = 1, sender: str = KARI, where: ConversationId = CHAT, at_ms: int = 9_000) -> Uploaded:
    """A photograph that was put."""
    file = File(AttachmentId(f"att_{number}"), "image", f"{number}.jpg", "image/jpeg", 1_892_774, 30, 40)
    return Uploaded(where, sender, at_ms, file)


def said(thread: Thread) -> Message:
    """The last message."""
    body = next(event.body for event in reversed(thread.log) if isinstance(event.body, Message))
    assert isinstance(body, Message)
    return body


def test_plain_form() -> None:
    """The caption, and a line for each file with its name and size."""
    thread = talked()
    big = replace(uploaded(2), file=replace(uploaded(2).file, size=11_930, name="rapport.pdf"))
    thread.ask(sends(2, "Look", uploads=[uploaded(1), big]), AT)
    assert said(thread).text == "Look\n[1.jpg, 1.9 MB]\n[rapport.pdf, 12 kB]"
    assert said(thread).content == Files([uploaded(1).file, big.file], "Look")


@pytest.mark.parametrize("words", ["", "  \n"])
def test_without_words(words: str) -> None:
    """A file may be sent alone; the text is its plain form all the same."""
    thread = talked()
    thread.ask(sends(2, words, uploads=[uploaded()]), AT)
    assert (said(thread).text, said(thread).content) == ("[1.jpg, 1.9 MB]", Files([uploaded().file]))


def test_sql_is_told() -> None:
    """Which message names it."""
    thread = talked()
    thread.ask(sends(2, "", uploads=[uploaded(1), uploaded(2)]), AT)
    facts = [effect.fact for effect in thread.effects if isinstance(effect, Keep)]
    ids = [AttachmentId("att_1"), AttachmentId("att_2")]
    assert AttachmentsUsed(ACCOUNT, CHAT, thread.state.seq, ids) in facts


def test_it_starts_a_conversation() -> None:
    """As the first thing that is said."""
    thread = Thread()
    assert thread.kinds(sends(1, "", uploads=[uploaded()]), AT)[:2] == ["Started", "Message"]


@pytest.mark.parametrize(
    "uploads",
    [
        [uploaded(sender="vis_other")],
        [uploaded(sender=ANN)],
        [uploaded(1), uploaded(1)],
        [uploaded(number) for number in range(11)],
        [uploaded(at_ms=AT - SENT_WITHIN_MS - 1)],
    ],
    ids=["another visitor's", "an agent's", "one twice", "eleven", "too old"],
)
def test_refused(uploads: list[Uploaded]) -> None:
    """What this visitor may not send, or not any more."""
    assert talked().ask(sends(2, "", uploads=uploads), AT) == BAD


def test_once() -> None:
    """What a message named no other names, whoever tries."""
    thread = talked()
    thread.ask(sends(2, "", uploads=[uploaded()]), AT)
    assert thread.ask(sends(3, "", uploads=[uploaded(2), uploaded()]), AT) == BAD


def test_a_visitor_goes_on_elsewhere() -> None:
    """What was put for a conversation that was over by then is theirs still."""
    thread = Thread()
    before = uploaded(where=ConversationId("cnv_before"))
    assert "Message" in thread.kinds(sends(1, "", uploads=[before]), AT)


def test_an_agent_sends_where_it_was_put() -> None:
    """And nowhere else: it may be another visitor's business."""
    thread = talked()
    elsewhere = uploaded(sender=ANN, where=ConversationId("cnv_other"))
    assert thread.ask(replies(ANN, 2, CHAT, "", uploads=[elsewhere]), AT) == BAD
    thread.ask(replies(ANN, 3, CHAT, "Here", uploads=[uploaded(sender=ANN)]), AT)
    assert said(thread).text == "Here\n[1.jpg, 1.9 MB]"


@pytest.mark.parametrize("more", [{"content": Choice(1, "a")}, {"canned": "hello"}], ids=["content", "canned"])
def test_with_something_else(more: dict[str, Any]) -> None:
    """A message holds files or another content, not both."""
    command = replies(ANN, 2, CHAT, "", uploads=[uploaded(sender=ANN)], **more)
    assert talked().ask(command, AT) == Refusal(Code.BAD_CONTENT)


def test_so_many_a_day() -> None:
    """All of a day's are remembered, so there is an end to them; the next day goes on."""
    thread = talked()
    for first in range(0, MAX_A_DAY, 10):
        thread.ask(sends(2, "", uploads=[uploaded(first + each) for each in range(10)]), AT)
    more = sends(3, "", uploads=[uploaded(900, at_ms=AT + REMEMBERED_MS)])
    assert thread.ask(more, AT) == Refusal(Code.RATE_LIMITED)
    assert "Message" in thread.kinds(more, AT + REMEMBERED_MS + 1)
    assert len(thread.state.beside.spent) == 1


def test_replay_over_what_was_redacted() -> None:
    """A log whose files are tombstones replays to the same bytes, whatever was forgotten meanwhile."""
    thread = talked()
    times = (AT, AT + 1_000, AT + REMEMBERED_MS + 500, AT + REMEMBERED_MS + 1_500)
    for number, at_ms in enumerate(times):
        thread.ask(sends(2, "", uploads=[uploaded(number, at_ms=at_ms)]), at_ms)
    for seq in (6, 8):
        event = thread.log[seq - 1]
        redact = by(BO, RedactMessage, 9, thread.state.id, seq, msgspec.msgpack.encode(event))
        thread.ask(redact, times[-1] + 10)
        facts = [effect.fact for effect in thread.effects if isinstance(effect, Keep)]
        (fact,) = [each for each in facts if isinstance(each, Erased)]
        thread.log[seq - 1] = msgspec.msgpack.decode(fact.frame, type=Event)
        assert b"jpg" not in fact.frame
    again = replay(ACCOUNT, thread.log)
    assert again is not None
    assert freeze(again) == freeze(thread.state)
