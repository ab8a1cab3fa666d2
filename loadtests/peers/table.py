"""The table: medians over the rounds, and each contender's ratio to socket.io.

Invariant: a ratio is taken within each round and its median is told, because absolute figures move with whatever else
the machine does; a contender that was not measured in a round has none for it.
"""

from collections.abc import Callable, Sequence
from statistics import median

from msgspec import Struct

from loadtests.peers.measure import Measured

AGAINST = "socketio"
Value = Callable[[Measured], float]


class Row(Struct, frozen=True):
    """One contender under one load: medians, and ratios (None: there is nothing to compare with)."""

    load: str
    contender: str
    rounds: int
    per_s: float
    per_s_ratio: float | None
    cpu_us: float
    cpu_ratio: float | None
    ack_ms: tuple[float, float]
    delivery_ms: tuple[float, float]
    driver_us: float
    driver_share: float


def rows(measured: Sequence[Measured]) -> list[Row]:
    """Return a row for each load and contender, in the order in which they were measured first."""
    found = dict.fromkeys((each.load, each.contender) for each in measured)
    loads = dict.fromkeys(load for load, _ in found)
    return [_row(measured, *key) for wanted in loads for key in found if key[0] == wanted]


def _row(measured: Sequence[Measured], load: str, contender: str) -> Row:
    own = [each for each in measured if (each.load, each.contender) == (load, contender)]
    peer = {each.round: each for each in measured if (each.load, each.contender) == (load, AGAINST)}

    def ratio(value: Value) -> float | None:
        known = [
            value(each) / value(peer[each.round]) for each in own if each.round in peer and value(peer[each.round])
        ]
        return median(known) if known else None

    def middle(value: Value) -> float:
        return median(map(value, own))

    return Row(
        load,
        contender,
        len(own),
        middle(lambda each: each.per_s),
        ratio(lambda each: each.per_s),
        middle(lambda each: each.cpu_us),
        ratio(lambda each: each.cpu_us),
        (middle(lambda each: each.ack_ms[0]), middle(lambda each: each.ack_ms[1])),
        (middle(lambda each: each.delivery_ms[0]), middle(lambda each: each.delivery_ms[1])),
        middle(lambda each: each.driver_us),
        middle(lambda each: each.driver_share),
    )


_HEADS = ("", "delivered/s", "ratio", "CPU µs", "ratio", "ack p50/p99 ms", "delivery p50/p99 ms", "driver µs", "share")


def rendered(table: Sequence[Row], titles: dict[str, str]) -> str:
    """Return the table for a terminal, a block per load; `titles` says what each load is."""
    lines: list[str] = []
    load = ""
    for row in table:
        if row.load != load:
            load = row.load
            lines += ["", f"{titles[load]} (medians of {row.rounds})", _line(_HEADS)]
        lines.append(
            _line(
                (
                    row.contender,
                    f"{row.per_s:,.0f}",
                    _times(row.per_s_ratio),
                    f"{row.cpu_us:,.1f}",
                    _times(row.cpu_ratio),
                    _pair(row.ack_ms),
                    _pair(row.delivery_ms),
                    f"{row.driver_us:,.1f}",
                    f"{row.driver_share:.0%}",
                )
            )
        )
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    widths = (12, 12, 8, 9, 8, 18, 21, 11, 7)
    first, *others = zip(cells, widths, strict=True)
    return "  " + first[0].ljust(first[1]) + "".join(cell.rjust(width) for cell, width in others)


def _times(ratio: float | None) -> str:
    return "—" if ratio is None else f"{ratio:.2f}×"


def _pair(p50_p99_ms: tuple[float, float]) -> str:
    return " / ".join(f"{each:.2f}" if each < 100 else f"{each:,.0f}" for each in p50_p99_ms)
