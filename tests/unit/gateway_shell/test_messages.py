"""The short cut through a frame, against what the library says of the same bytes."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol

from gateway.messages import Assembly, SocketProtocol
from tests.kit.raw_socket import MSGPACK, UPGRADE, masked

MAX = 300

frames = st.builds(
    lambda opcode, size, fin: masked(opcode, b"\x03\xe8"[:size] + bytes(max(0, size - 2)), fin=fin),
    st.sampled_from([0, 1, 2, 2, 2, 8, 9, 10]),
    st.sampled_from([0, 1, 2, 125, 126, 127, MAX - 1, MAX, MAX + 1, 70_000]),
    st.sampled_from([True, True, True, False]),
)
wrong = st.sampled_from(
    [b"\x82\x05hello", b"\x83\x80mask", b"\xc2\x80mask", b"\x87", b"\x82\xff" + bytes([255] * 8), b"\x82"]
)
streams = st.lists(frames | frames | frames | wrong, max_size=8).map(b"".join)


def opened(protocol: ServerProtocol) -> None:
    protocol.receive_data(UPGRADE.format(path="/v1/mobile", host="x", extra=MSGPACK).encode())
    (request,) = protocol.events_received()
    protocol.send_response(protocol.accept(request))  # type: ignore[arg-type]
    protocol.data_to_send()


class Library(SocketProtocol):
    """The same protocol without the short cut."""

    def arrived(self, data: bytes) -> tuple[list[bytes], list[Event]]:
        self.receive_data(data)
        return [], self.events_received()


def story(protocol: SocketProtocol, pieces: list[bytes]) -> tuple[list[tuple[Opcode, bytes, bool]], bytes, object]:
    """Return all that was read, all that was answered, and how it stands."""
    opened(protocol)
    read: list[tuple[Opcode, bytes, bool]] = []
    said = b""
    for piece in pieces:
        messages, others = protocol.arrived(piece)
        read += [(Opcode.BINARY, message, True) for message in messages]
        for event in others:
            assert isinstance(event, Frame)
            read.append((event.opcode, bytes(event.data), event.fin))
        said += b"".join(protocol.data_to_send())
    return read, said, protocol.state


@settings(max_examples=400, deadline=None)
@given(streams, st.lists(st.integers(0, 5_000), max_size=12))
def test_the_short_cut_reads_what_the_library_reads(stream: bytes, cuts: list[int]) -> None:
    """Whatever arrives, in whatever pieces: the same frames, answers, close codes and state."""
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(edges) if start < end]
    assert story(SocketProtocol(MAX), pieces) == story(Library(MAX), pieces)


def test_a_wider_bound_counts_from_the_next_frame() -> None:
    """What was too long before is taken once more is allowed."""
    protocol = SocketProtocol(MAX)
    opened(protocol)
    protocol.allow(MAX + 1)
    assert protocol.arrived(masked(2, bytes(MAX + 1))) == ([bytes(MAX + 1)], [])
    assert protocol.state is OPEN


def test_a_message_in_pieces_is_put_together() -> None:
    """Text is text, whatever its fragments are cut through."""
    assembly = Assembly()
    assert assembly.add(Frame(Opcode.TEXT, "hå".encode()[:2], fin=False)) is None
    assert assembly.add(Frame(Opcode.CONT, "hå".encode()[2:])) == "hå"
    assert assembly.add(Frame(Opcode.BINARY, b"next")) == b"next"


def test_text_that_is_no_utf8_is_no_message() -> None:
    """The error is the one the connection answers with 4500."""
    with pytest.raises(UnicodeDecodeError):
        Assembly().add(Frame(Opcode.TEXT, b"\xff"))
