"""The lean driver speaks the protocol: its frames are SPEC's, and its socket reads what comes in any pieces."""

import pytest

from loadtests.lean.frames import DECODER, TEXT_CHARS, Form, encode, number_in
from loadtests.lean.line import Line, LineEnded, framed
from protocol.ids import ChatflowId, ConversationId, EventId, InboxId, RuleId, VisitorId
from protocol.wire import client, content
from protocol.wire.codec import MOBILE
from protocol.wire.limits import SUBPROTOCOL_MSGPACK
from protocol.wire.server import Ack

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


@pytest.mark.parametrize("n", [1, 70_000])
def test_a_filled_form_is_a_send(n: int) -> None:
    """The gateway's own decoder reads the frame that the driver puts together, with its n in id and text."""
    frame = MOBILE[SUBPROTOCOL_MSGPACK].decode(Form("cnv_1").filled(n))
    assert isinstance(frame, client.Send)
    assert (frame.n, frame.id, frame.conversation) == (n, f"{n:08d}", "cnv_1")
    assert (number_in(frame.text), len(frame.text)) == (n, TEXT_CHARS)


@pytest.mark.parametrize(("chars", "n"), [(20, 1), (100, 255), (300, 70_000)])
async def test_a_framed_form_is_one_message_of_a_line(chars: int, n: int) -> None:
    """What is put together for the wire is the frame that a line would have made."""
    form, got = Form("cnv_1", chars), list[bytes]()
    line = Line(got.append, lambda why: None)
    masked = form.framed(n)
    at = 2 if masked[1] & 0x7F < 126 else 4
    line.data_received(UPGRADED + bytes((masked[0], masked[1] & 0x7F)) + masked[2:at] + masked[at + 4 :])
    assert got == [form.filled(n)]
    assert masked == framed(form.filled(n))


def test_acks_and_messages_are_heard() -> None:
    """Of frames the driver reads as much as it counts."""
    ack = DECODER.decode(encode(Ack(4, "f4", "cnv_1", 7, "1.2.3")))
    assert (ack.t, ack.n) == ("ack", 4)
    body = content.Message(content.Author(content.Role.VISITOR, "vis_1"), "00000009 hello")
    event = DECODER.decode(encode(content.Event(ConversationId("cnv_1"), 7, EventId("1.2.3"), 1, body)))
    assert event.body is not None
    assert (event.seq, event.body.kind, number_in(event.body.text)) == (7, "message", 9)


def test_events_without_a_text_are_heard_too() -> None:
    """What is no message has no number."""
    body = content.Started(
        ChatflowId("f"), 1, InboxId("i"), RuleId("r"), VisitorId("v"), 1, "en", None, reopen_window_s=1, gated_ttl_s=1
    )
    event = DECODER.decode(encode(content.Event(ConversationId("cnv_1"), 1, EventId("1.2.3"), 1, body)))
    assert event.body is not None
    assert event.body.kind == "started"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1_000_000])
async def test_messages_are_read_in_any_pieces(step: int) -> None:
    """Short, long and longest frames come whole, however the network cuts them."""
    messages = [b"a", b"b" * 200, b"c" * 70_000, b"", b"d" * 125]
    got: list[bytes] = []
    line = Line(got.append, lambda why: None)
    stream = UPGRADED + b"".join(_framed(message) for message in messages)
    for start in range(0, len(stream), step):
        line.data_received(stream[start : start + step])
    assert got == messages


async def test_a_close_says_why() -> None:
    """The code and the reason of a close frame are what the line ended with."""
    why: list[str] = []
    line = Line(lambda message: None, why.append)
    line.data_received(UPGRADED + b"\x88\x05" + (4002).to_bytes(2, "big") + b"why")
    line.connection_lost(None)
    assert why == ["closed with 4002: why"]


async def test_a_handshake_that_fails_says_how() -> None:
    """Anything but 101 ends the line with the server's status."""
    line = Line(lambda message: None, lambda why: None)
    line.data_received(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
    line.connection_lost(None)
    with pytest.raises(LineEnded, match="503"):
        await line.opened()


def _framed(message: bytes) -> bytes:
    length = len(message)
    if length < 126:
        return bytes((0x82, length)) + message
    if length < 65_536:
        return b"\x82\x7e" + length.to_bytes(2, "big") + message
    return b"\x82\x7f" + length.to_bytes(8, "big") + message
