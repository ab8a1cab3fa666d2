"""The watch over one line finds each way in which a server may serve a log wrongly."""

from typing import Any

import pytest

from loadtests.chaos.wire import WatchedLine, Wire

EVENT = {"t": "event", "conversation": "c"}
RESUME_AT_2 = {"t": "resume", "position": {"conversation": "c", "seq": 2, "id": "1.1.1"}}
LEAVE = {"t": "leave", "conversation": "c"}


def events(*seqs: int) -> list[dict[str, Any]]:
    return [{**EVENT, "seq": seq} for seq in seqs]


def caught_up(seq: int) -> dict[str, Any]:
    return {"t": "caught_up", "conversation": "c", "seq": seq}


def hidden(first: int, last: int) -> dict[str, Any]:
    return {"t": "hidden", "conversation": "c", "from": first, "to": last}


RESYNC: dict[str, Any] = {"t": "resync", "conversation": "c", "from": 1}


def watched(*frames: dict[str, Any]) -> list[str]:
    """Return what is found wrong with a line that carried `frames`; the client's are `resume` and `leave`."""
    found: list[str] = []
    wire = Wire(lambda _conversation, why, _rule: found.append(why))
    for frame in frames:
        (wire.sent if frame["t"] in ("resume", "leave") else wire.received)(frame)
    return found


@pytest.mark.parametrize(
    "frames",
    [
        [*events(1, 2), caught_up(2), *events(3)],
        [RESUME_AT_2, *events(3), caught_up(3)],
        [RESUME_AT_2, caught_up(2)],
        [*events(1), hidden(2, 4), *events(5)],
        [*events(1, 2, 3), RESUME_AT_2, *events(4), *events(3, 4), caught_up(4)],
        [RESUME_AT_2, RESYNC, *events(1, 2), caught_up(2)],
        [*events(1), LEAVE, *events(9)],
    ],
)
def test_a_log_served_as_it_should_be(frames: list[dict[str, Any]]) -> None:
    """Contiguous from where the client asked, or from where a resync says."""
    assert watched(*frames) == []


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        (events(1, 3), "3 was sent after 1"),
        (events(1, 2, 2), "2 was sent after 2"),
        ([RESUME_AT_2, *events(5)], "5 was sent after 2"),
        ([*events(1), hidden(3, 4)], "3 was sent after 1"),
        ([*events(1), caught_up(2)], "caught up at 2 after 1"),
        ([RESYNC, *events(2)], "2 was sent after 0"),
    ],
)
def test_a_log_served_wrongly(frames: list[dict[str, Any]], why: str) -> None:
    """A gap, a repeat, a step over what was asked, a resync that is not followed."""
    assert watched(*frames) == [why]


async def test_a_word_that_is_not_for_this_line_is_a_leak() -> None:
    """Whatever frame carries it, in whatever subprotocol."""
    found: list[tuple[str, str]] = []
    wire = Wire(lambda conversation, _why, rule: found.append((conversation, rule)))
    line = WatchedLine(OneFrame('{"t": "typing", "conversation": "cnv_1", "name": "Kari"}'), wire, ["Kari"])
    await line.receive()
    assert found == [("cnv_1", "leak")]


class OneFrame:
    """A line over which one frame comes."""

    def __init__(self, raw: str) -> None:
        self._raw = raw

    async def send(self, raw: bytes | str) -> None:
        raise AssertionError(f"nobody sends {raw!r}")

    async def receive(self) -> bytes | str:
        return self._raw

    async def close(self, code: int = 1000) -> None:
        raise AssertionError(f"nobody closes it with {code}")
