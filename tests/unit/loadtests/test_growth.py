"""The curves of growth: what their verdicts say, what they hear, and how they are drawn."""

import asyncio
from xml.etree import ElementTree as Xml

import msgspec

from loadtests.growth import staff
from loadtests.growth.crowd import Crowd, Size
from loadtests.growth.curve import Curve, counted, figures, interleaved
from loadtests.growth.files import fits
from loadtests.growth.listener import Listener
from loadtests.growth.pictures import picture
from loadtests.growth.talking import in_turn
from loadtests.growth.told import rendered
from loadtests.load.files import SPARE
from protocol.bus.records import Commit, LogRow


def curve(*found: object, **more: object) -> Curve:
    return Curve("c", "A curve", "things", "about it", "$", [1, 10], list(found), **more)  # type: ignore[arg-type]


def test_a_seventh_more_is_flat_and_a_fifth_more_grows() -> None:
    """The verdict names what grows, by how much, where, and from what to what."""
    assert curve(counted("CPU", "µs", [100, 114])).verdict == "flat within 15%"
    assert curve(counted("CPU", "µs", [100, 120])).verdict == "grows: CPU 1.20 times at 10 (100 → 120 µs)"


def test_a_time_that_grows_breaks_nothing_and_steps_do() -> None:
    """Only a count with a bound, and what was lost, end the run with status 1."""
    assert curve(counted("CPU", "µs", [1, 90])).holds
    assert not curve(counted("steps", "", [100, 116], most=1.15)).holds
    assert not curve(counted("CPU", "µs", [1, 1]), is_broken=True).holds


def test_rounds_are_taken_there_and_back_and_the_first_is_not_counted() -> None:
    """Whatever drifts while it is measured, drifts for all sizes."""
    order: list[str] = []

    def round_of(name: str):
        async def once() -> dict[str, float]:
            order.append(name)
            return {"CPU": float(len(order))}

        return once

    taken = asyncio.run(interleaved([round_of("small"), round_of("large")], 2))
    assert order == ["small", "large", "small", "large", "large", "small"]
    assert [figure.values for figure in figures(taken, {"CPU": "µs"}, judged=())] == [[4.5, 4.5]]


def test_nobody_speaks_twice_within_a_batch() -> None:
    """Everybody speaks before anybody speaks again, from round to round."""
    speakers = in_turn(100, 60)
    spoken = [*speakers(), *speakers(), *speakers()]
    assert all(len(set(spoken[at : at + 100])) == 100 for at in range(80))


def test_a_word_that_was_never_committed_is_lost() -> None:
    """What the listener heard is judged against what was said."""
    crowd = Crowd(Size(2))
    listener = Listener(crowd)
    for number in (0, 0, 1):
        crowd.word(number)
    frame = msgspec.msgpack.encode({"t": "event", "body": {"kind": "message", "text": "00000001."}})
    listener.hear(Commit(1, 1, 0, "", [LogRow(crowd.open[0], 1, 0, frame, None)]))
    assert (listener.verdict().lost, listener.verdict().sent) == (2, 3)


def test_routing_takes_as_many_steps_among_many_as_among_few() -> None:
    """Neither the agents nor the queue are scanned by any decision."""
    effort = staff.Effort(rounds=1, times=2)
    for measure in (staff.agents, staff.waiting):
        assert asyncio.run(measure((20, 400), effort, "")).holds


def test_sessions_that_the_machine_has_no_files_for_are_left_out() -> None:
    """Some files of a gateway are no phone's."""
    assert (fits(1_000, 1_000 + SPARE), fits(1_001, 1_000 + SPARE)) == (True, False)


def test_a_curve_is_told_as_a_table_and_drawn_as_a_file_of_its_own() -> None:
    """The table has a column for each size; the picture is XML that refers to nothing outside itself."""
    line = figures([[{"CPU": 1.0}], [{"CPU": 1.5}]], {"CPU": "µs"}, judged=("CPU",))
    assert "1.5   × 1.50" in rendered(curve(*line))
    drawn = picture(curve(*line))
    assert Xml.fromstring(drawn).tag.endswith("svg")
    assert "CPU: 1 µs at 1, 1.5 µs at 10." in drawn
    assert drawn.count("http") == 1  # the namespace
