"""How contenders are compared: ratios within a round, loads that count messages, and pages that say what is so."""

import asyncio
import json
from pathlib import Path

import pytest

from loadtests.checker.stories import Verdict
from loadtests.peers import duties, table
from loadtests.peers.contenders.socketio import HOME, LIBRARIES
from loadtests.peers.measure import Measured
from loadtests.peers.talk import Pair, closed

PAGE = Path(__file__).parents[3] / "docs" / "peers.md"


def measured(contender: str, number: int, per_s: float, cpu_us: float) -> Measured:
    return Measured(contender, "full", number, 100, 1.0, per_s, cpu_us, {}, 5.0, 0.1, (1.0, 2.0), (3.0, 4.0))


def row(rows: list[table.Row], contender: str) -> table.Row:
    return next(each for each in rows if each.contender == contender)


def test_a_ratio_is_taken_within_a_round() -> None:
    """A machine that slows down threefold between rounds changes the figures and not the ratio."""
    found = table.rows([
        measured("socketio", 1, 300, 60), measured("samtale", 1, 600, 30),
        measured("socketio", 2, 100, 180), measured("samtale", 2, 200, 90),
    ])  # fmt: skip
    assert (row(found, "samtale").per_s, row(found, "samtale").per_s_ratio) == (400, 2.0)
    assert (row(found, "samtale").cpu_us, row(found, "samtale").cpu_ratio) == (60, 0.5)


def test_one_bad_round_moves_no_median() -> None:
    """Of three rounds the middle one is told."""
    found = table.rows([measured("socketio", number, per_s, 50) for number, per_s in ((1, 100), (2, 7), (3, 110))])
    assert row(found, "socketio").per_s == 100


def test_without_the_peer_there_is_no_ratio() -> None:
    """What was measured alone is shown, and compared with nothing."""
    alone = row(table.rows([measured("samtale", 1, 600, 30)]), "samtale")
    assert (alone.per_s_ratio, alone.cpu_ratio) == (None, None)
    assert "—" in table.rendered([alone], {"full": "saturated"})


def test_a_round_that_the_peer_missed_has_no_ratio() -> None:
    """Only rounds in which both were measured count for it."""
    found = table.rows([
        measured("socketio", 1, 100, 100), measured("samtale", 1, 150, 50), measured("samtale", 2, 900, 10)
    ])  # fmt: skip
    assert row(found, "samtale").per_s_ratio == 1.5


def test_loads_stand_together_in_the_order_measured() -> None:
    """Each load is a block of the table, with every contender in it."""
    one, other = measured("socketio", 1, 1, 1), measured("samtale", 1, 1, 1)
    mixed = [Measured(each.contender, load, *_rest(each)) for each in (one, other) for load in ("a", "b")]
    assert [(each.load, each.contender) for each in table.rows(mixed)] == [
        ("a", "socketio"), ("a", "samtale"), ("b", "socketio"), ("b", "samtale"),
    ]  # fmt: skip


def _rest(each: Measured) -> tuple[object, ...]:
    return tuple(getattr(each, field) for field in each.__struct_fields__[2:])


async def test_a_closed_load_never_has_more_under_way() -> None:
    """The next message leaves when one is both acknowledged and read, and the load ends after the last."""
    pair, under_way, most = Pair(), 0, 0

    def say(number: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        loop.call_soon(pair.acked, number)
        loop.call_soon(settle, number)

    def settle(number: int) -> None:
        nonlocal under_way
        under_way -= 1
        pair.read(number)

    loop = asyncio.get_running_loop()
    pair.say = say
    await closed([pair], 50, 3)
    assert (len(pair.read_s), most) == (50, 3)
    assert pair.verdict() == Verdict(sent=100)


def test_what_was_not_acknowledged_is_lost() -> None:
    """A message that its reader got and its sender was never told of breaks the verdict."""
    pair = Pair()
    pair.say = pair.read
    pair.send(0.0)
    assert pair.verdict() == Verdict(sent=2, lost=1)


def test_a_line_that_ended_breaks_the_verdict() -> None:
    """Whatever the numbers say."""
    pair = Pair()
    pair.troubles.append("the line was cut")
    assert not pair.verdict().holds


def test_the_page_has_the_table_of_duties() -> None:
    """docs/peers.md says what the command says."""
    assert duties.markdown() in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_page_names_the_versions_of_the_lock(library: str) -> None:
    """A figure belongs to the version that it was measured with."""
    locked = json.loads((HOME / "package-lock.json").read_text(encoding="utf-8"))["packages"][f"node_modules/{library}"]
    assert f"{library} {locked['version']}" in PAGE.read_text(encoding="utf-8")


def test_the_lock_names_no_address() -> None:
    """Versions and hashes only, so that it installs from any registry."""
    lock = (HOME / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in lock
    assert lock.count('"integrity"') == lock.count('"node_modules/')
