"""The handshake that is read in one step, against what uvicorn's parser and the library say of the same bytes."""

import httptools
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from websockets.http11 import Request
from websockets.protocol import OPEN

from gateway.messages import SocketProtocol
from gateway.opening import MAX_BYTES, MAX_HEADERS, read_opening
from tests.kit.raw_socket import MSGPACK, UPGRADE, masked

PLAIN = UPGRADE.format(path="/v1/mobile", host="x", extra=MSGPACK).encode()
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
OURS = b"samtale.v1.msgpack"

usual = st.sampled_from(
    [
        b"Origin: https://a.example\r\n",
        b"X-Forwarded-For:10.0.0.1, ::1\r\n",
        b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
        b'USER-AGENT: phone (1.0) {"x"}\r\n',
    ]
)
names = st.sampled_from([b"Host", b"Origin", b"Upgrade", b"connection", b"X-Forwarded-For", b"X", b"", b"a b"])
ours = st.sampled_from([b"Sec-WebSocket-Protocol", b"Sec-WebSocket-Key", b"Content-Length", b"Transfer-Encoding"])
values = st.sampled_from([b"websocket", b"keep-alive, Upgrade", b"0", KEY, OURS, b"", b" ", b"\xff", b"a\x00", b"a,,b"])
ends = st.sampled_from([b"\r\n", b"\r\n", b" \t\r\n", b"\n", b"\r\n more\r\n"])
odd = st.tuples(names | ours, st.sampled_from([b":", b": ", b":\t ", b" :", b""]), values, ends).map(b"".join)
edits = st.lists(
    st.tuples(
        st.sampled_from(
            [b"GET", b"/v1/mobile", b"HTTP/1.1", b"websocket", b"Upgrade\r\n", b"13", KEY, OURS, b"\r\n\r\n"]
        ),
        st.sampled_from([b"POST", b"/v1/agent", b"/?a", b"/\xc3", b"HTTP/1.0", b"WebSocket", b"h2c", b"upgrade, x\r\n"])
        | st.sampled_from(
            [b"8", b"AAAA", KEY[:-3] + b"R==", OURS + b", x", b"x," + OURS, b"x;" + OURS, b"\r\n\r\nmore", b""]
        ),
    ),
    max_size=1,
)


def library(head: bytes) -> tuple[str, str | None, list[str], str, str | None] | None:
    """Return what uvicorn's parser and the library make of `head`, if they open a socket for it."""
    try:
        httptools.HttpRequestParser(object()).feed_data(head)
    except httptools.HttpParserUpgrade:
        protocol = SocketProtocol(300)
    except httptools.HttpParserError:
        return None
    else:
        return None
    protocol.receive_data(head)
    events = protocol.events_received()
    if not events or not isinstance(asked := events[0], Request):
        return None
    answer = protocol.accept(asked)
    if answer.status_code != 101:
        return None
    of = asked.headers
    accept = answer.headers["Sec-WebSocket-Accept"]
    return asked.path, of.get("Origin"), of.get_all("X-Forwarded-For"), accept, protocol.subprotocol


@settings(max_examples=600, deadline=None)
@given(edits, st.lists(usual, unique=True) | st.lists(usual | odd, max_size=2))
def test_what_is_read_in_one_step_the_library_reads_so(edits: list[tuple[bytes, bytes]], more: list[bytes]) -> None:
    """Whatever a client writes: taken only if both would, with the same path, headers, answer and subprotocol."""
    head = PLAIN
    for old, new in edits:
        head = head.replace(old, new, 1)
    head = head.replace(b"\r\n", b"\r\n" + b"".join(more), 1)
    said = read_opening(head)
    event("plain" if said is not None else "left to the library")
    if said is not None:
        assert library(head) == (said.path, said.origin, said.forwarded_for, said.accept, said.subprotocol)


def test_a_plain_handshake_is_read_in_one_step() -> None:
    """As RFC 6455 §1.3 answers its own key."""
    said = read_opening(PLAIN)
    assert said is not None
    assert (said.path, said.accept) == ("/v1/mobile", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")


@pytest.mark.parametrize(
    "head",
    [
        PLAIN + masked(2, b"early"),
        PLAIN[:-1],
        PLAIN.replace(b"\r\n\r\n", b"\r\nA: " + b"b" * MAX_BYTES + b"\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\n" + b"".join(b"A%d: b\r\n" % each for each in range(MAX_HEADERS)) + b"\r\n"),
    ],
    ids=["frame behind", "not whole", "long", "many"],
)
def test_what_is_not_plain_is_left_to_the_library(head: bytes) -> None:
    """Pieces, pipelined frames and large heads go the long way."""
    assert read_opening(head) is None


def test_frames_follow_a_handshake_that_was_read_in_one_step() -> None:
    """The library stands between two frames, as after its own handshake."""
    protocol, said = SocketProtocol(300), read_opening(PLAIN)
    assert said is not None
    protocol.open(said)
    assert b"".join(protocol.data_to_send()) == said.answer
    assert protocol.arrived(masked(2, b"hello") + masked(9, b""))[0] == [b"hello"]
    assert protocol.data_to_send() == [b"\x8a\x00"]
    assert protocol.state is OPEN
