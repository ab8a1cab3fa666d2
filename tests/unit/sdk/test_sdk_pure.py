"""The small pure parts of the SDK: positions, horizons, backoff, stores."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samtale import backoff
from samtale.horizons import Horizons
from samtale.outbox import Outbox
from samtale.position import Position, Take
from samtale.store import FileStore, MemoryStore


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 3)), max_size=60))
def test_what_is_new_is_contiguous(arrivals: list[tuple[int, int]]) -> None:
    """Whatever arrives in whatever order, what is taken as new has no gap and no repeat."""
    position, shown = Position("c"), [0]
    for first, more in arrivals:
        if position.take(first, first + more, f"1.{first + more}.0") is Take.NEW:
            assert first <= shown[-1] + 1 <= first + more
            shown.append(first + more)
    assert shown == sorted(set(shown))


def test_a_gap_asks_once() -> None:
    """The second event after a gap waits for the resume of the first."""
    position = Position("c")
    assert [position.take(2, 2, "b"), position.take(3, 3, "c")] == [Take.GAP, Take.WAITING]


def test_a_resync_takes_back_what_follows_it() -> None:
    """From 1: as if nothing had been read; above the position: nothing."""
    position = Position("c", 7, "x")
    position.resync(9)
    assert (position.seq, position.id) == (7, "x")
    position.resync(1)
    assert (position.seq, position.id) == (0, "")


def test_caught_up_beyond_what_was_seen_is_not_believed() -> None:
    """Then something was missed."""
    assert not Position("c", 3, "x").caught_up(4)


def test_horizons_rise_and_are_told_once_a_second() -> None:
    """Reading implies delivery; nothing is told twice."""
    horizons = Horizons()
    horizons.read("c", 5)
    horizons.delivered("c", 3)
    assert [(frame["delivered"], frame["read"]) for frame in horizons.due(10.0)] == [(5, 5)]
    horizons.delivered("c", 6)
    assert (list(horizons.due(10.9)), round(horizons.due_in_s(10.9) or 0, 3)) == ([], 0.1)
    assert [(frame["delivered"], frame["read"]) for frame in horizons.due(11.0)] == [(6, 5)]
    assert horizons.due_in_s(11.0) is None


@pytest.mark.parametrize(("code", "floor"), [(4000, 0), (4003, 5), (4429, 10), (1006, 0), (4001, 0)])
def test_a_wait_has_chance_above_a_floor(code: int, floor: float) -> None:
    """Between the code's floor and the floor plus 30 s, more with every failure."""
    assert backoff.delay_s(code, 0, 0.0) == floor
    assert backoff.delay_s(code, 3, 0.5) == floor + 2
    assert backoff.delay_s(code, 50, 0.999) <= floor + 30
    assert backoff.delay_s(code, 0, 0.0, retry_after_ms=60_000) == 60


@pytest.mark.parametrize(("code", "back"), [(4000, True), (4499, True), (1011, True), (4005, False), (4500, False)])
def test_codes_say_whether_to_come_back(code: int, back: bool) -> None:
    """By range, but for a replaced device."""
    assert backoff.comes_back(code) is back


def test_a_file_store_outlives_its_process(tmp_path: Path) -> None:
    """What is kept is loaded by another store on the same file, which nobody else may read."""
    FileStore(tmp_path / "phone").keep(lambda: {"device_key": "k"})
    assert FileStore(tmp_path / "phone").load() == {"device_key": "k"}
    assert (tmp_path / "phone").stat().st_mode & 0o077 == 0
    assert FileStore(tmp_path / "other").load() is None


def test_two_stores_in_one_directory_never_share_a_file(tmp_path: Path) -> None:
    """Names that differ in their ending only differ while they are being written as well."""
    FileStore(tmp_path / "phone.ann").keep(lambda: FileStore(tmp_path / "phone.bo").keep(dict) or {"device_key": "a"})
    assert FileStore(tmp_path / "phone.ann").load() == {"device_key": "a"}
    assert FileStore(tmp_path / "phone.bo").load() == {}


def test_a_memory_store_asks_only_when_read() -> None:
    """Keeping costs nothing until somebody loads."""
    store, outbox = MemoryStore(), Outbox()
    store.keep(lambda: {"outbox": outbox.freeze()})
    outbox.add("c", "i", {"t": "send"})
    state = store.load()
    assert state is not None
    assert state["outbox"][0]["items"] == [{"t": "send", "n": 1, "id": "i"}]


def test_a_series_never_has_more_under_way_than_the_server_remembers() -> None:
    """However much is said at once, at most half of the remembered outcomes are on the line."""
    outbox, chance = Outbox(), Random(1)
    for number in range(chance.randrange(40, 60)):
        outbox.add("c", f"i{number}", {"t": "send", "conversation": "c"})
    assert len(list(outbox.due())) == 16
    assert list(outbox.due()) == []


def test_a_conversation_that_is_gone_on_with_after_all_counts_on() -> None:
    """It was continued elsewhere until a data loss took that back: a number used once is not used again."""
    box = Outbox()
    box.add("c1", "a", {"t": "send"})
    list(box.due())
    box.acked({"id": "a", "n": 1, "conversation": "c1"})
    box.add("c1", "b", {"t": "send"})
    list(box.due())
    box.refused({"code": "continued", "id": "b", "n": 2, "conversation": "c1", "instead": "c2"})
    box.epoch_rose()
    [moved] = box.series("c2").items
    box.move("c2", "c1")
    assert [item.n for item in box.waiting()] == [1, 3]
    assert moved.fields["conversation"] == "c1"
