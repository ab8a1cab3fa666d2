"""The one way out of a socket."""

import asyncio

import pytest
from websockets.frames import Opcode
from websockets.protocol import CLIENT, Protocol

from gateway.rules import SocketRules
from gateway.writer import BINARY_HEAD, Tick, Writer, framed


class Kernel(asyncio.Transport):
    """A transport whose peer reads when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.waiting = 0
        self.reads_at_once = True
        self.ended = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended
        self.writes.append(bytes(data))
        if not self.reads_at_once:
            self.waiting += len(data)

    def is_closing(self) -> bool:
        return False

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True


class Owner:
    def __init__(self) -> None:
        self.overflows = self.lagged = 0

    def overflowed(self) -> None:
        self.overflows += 1

    def lags(self) -> None:
        self.lagged += 1


class Desk:
    """A writer with its surroundings."""

    def __init__(self, **rules: int) -> None:
        self.kernel, self.owner = Kernel(), Owner()
        self.writer = Writer(self.kernel, self.owner, SocketRules(**rules), Tick())


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536])
def test_a_frame_is_what_websockets_reads_back(length: int) -> None:
    """Each of RFC 6455's three forms of a length."""
    protocol = Protocol(CLIENT)
    protocol.receive_data(framed(BINARY_HEAD, b"x" * length))
    (frame,) = protocol.events_received()
    assert (frame.opcode, frame.data, frame.fin) == (Opcode.BINARY, b"x" * length, True)


async def test_what_is_said_in_one_turn_leaves_in_one_write() -> None:
    """In order, at the end of the turn; the next turn's goes by itself."""
    desk = Desk()
    desk.writer.put(b"one ")
    desk.writer.put(b"two")
    assert desk.kernel.writes == []
    await asyncio.sleep(0)
    desk.writer.put(b"three")
    await asyncio.sleep(0)
    assert desk.kernel.writes == [b"one two", b"three"]


async def test_nothing_is_written_to_a_peer_that_lags() -> None:
    """It waits in our queue, where it is counted, and leaves when the peer has read."""
    desk = Desk()
    desk.writer.pause()
    desk.writer.put(b"later")
    await asyncio.sleep(0)
    assert desk.kernel.writes == []
    desk.writer.resume()
    assert desk.kernel.writes == [b"later"]


@pytest.mark.parametrize("rules", [{"queue_frames": 3}, {"queue_bytes": 30}])
async def test_a_full_queue_of_a_lagging_peer_overflows(rules: dict[str, int]) -> None:
    """In frames or in bytes; until then nothing is said about it."""
    desk = Desk(**rules)
    desk.writer.pause()
    for _ in range(2):
        desk.writer.put(bytes(10))
    assert desk.owner.overflows == 0
    desk.writer.put(bytes(10))
    assert desk.owner.overflows == 1


async def test_a_burst_to_a_reading_peer_is_no_overflow() -> None:
    """A resume may say more in one turn than the queue holds: it is handed on as it fills."""
    desk = Desk(queue_frames=3)
    for _ in range(10):
        desk.writer.put(b"x")
    await asyncio.sleep(0)
    assert desk.owner.overflows == 0
    assert desk.kernel.writes == [b"xxx", b"xxx", b"xxx", b"x"]


async def test_flushed_waits_for_the_queue_not_for_the_kernel() -> None:
    """It returns when what was said has been handed on."""
    desk = Desk()
    desk.kernel.reads_at_once = False
    desk.writer.pause()
    desk.writer.put(b"page")
    waiting = asyncio.ensure_future(desk.writer.flushed())
    await asyncio.sleep(0)
    assert not waiting.done()
    desk.writer.resume()
    await waiting


async def test_flushed_waits_until_more_may_be_said() -> None:
    """Nothing is queued, but the peer still has to read: a large answer now would not fit the queue."""
    desk = Desk()
    desk.writer.pause()
    waiting = asyncio.ensure_future(desk.writer.flushed())
    await asyncio.sleep(0)
    assert not waiting.done()
    desk.writer.resume()
    await waiting


async def test_flushed_does_not_wait_for_what_was_dropped() -> None:
    """Whoever paces a long answer is let go when the socket is cut."""
    desk = Desk()
    desk.writer.pause()
    desk.writer.put(b"page")
    waiting = asyncio.ensure_future(desk.writer.flushed())
    await asyncio.sleep(0)
    desk.writer.drop()
    await waiting


async def test_the_end_comes_after_the_last_words() -> None:
    """Even when the peer lags: first what was queued, then end of file."""
    desk = Desk()
    desk.writer.pause()
    desk.writer.put(b"goodbye")
    desk.writer.finish()
    assert not desk.kernel.ended
    desk.writer.resume()
    assert (desk.kernel.writes, desk.kernel.ended) == ([b"goodbye"], True)


async def test_a_byte_that_waits_longer_than_the_deadline_condemns_its_peer() -> None:
    """However few they are, and however often the buffer is looked at."""
    desk = Desk(send_deadline_s=10)
    desk.kernel.reads_at_once = False
    desk.writer.put(b"x")
    desk.writer.flush()
    assert desk.owner.lagged == 1
    assert [desk.writer.watch(now_s) for now_s in (0, 5, 10, 10.1)] == [None, None, None, "send_deadline"]


async def test_a_peer_that_reads_slowly_but_in_time_stays() -> None:
    """Its buffer is never empty; each byte leaves within the deadline."""
    desk = Desk(send_deadline_s=10)
    desk.kernel.reads_at_once = False
    for now_s in range(0, 100, 5):
        desk.writer.put(bytes(100))
        desk.writer.flush()
        desk.kernel.waiting = min(desk.kernel.waiting, 150)
        assert desk.writer.watch(now_s) is None


async def test_one_byte_a_second_is_not_reading() -> None:
    """Progress below what the deadline asks for does not save a peer."""
    desk = Desk(send_deadline_s=10)
    desk.kernel.reads_at_once = False
    desk.writer.put(bytes(1_000))
    desk.writer.flush()
    verdicts = []
    for now_s in range(12):
        verdicts.append(desk.writer.watch(now_s))
        desk.kernel.waiting -= 1
    assert verdicts == [None] * 11 + ["send_deadline"]


async def test_the_write_buffer_may_be_over_its_bound_once() -> None:
    """Twice in a row condemns; a breath in between forgives."""
    desk = Desk(abort_bytes=100)
    desk.kernel.waiting = 101
    assert desk.writer.watch(0) is None
    desk.kernel.waiting = 100
    assert desk.writer.watch(1) is None
    desk.kernel.waiting = 101
    assert [desk.writer.watch(2), desk.writer.watch(3)] == [None, "write_buffer"]


async def test_a_peer_that_caught_up_is_watched_no_more() -> None:
    """The empty answer ends the watch, and the deadline starts anew with the next lag."""
    desk = Desk(send_deadline_s=10)
    desk.kernel.waiting = 1
    assert desk.writer.watch(0) is None
    desk.kernel.waiting = 0
    assert desk.writer.watch(9) == ""
    desk.kernel.waiting = 1
    assert desk.writer.watch(11) is None
