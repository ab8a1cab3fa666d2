"""`python -m loadtests.reports`: how long each report takes over 100,000 conversations, in a database made for it.

Invariant: the figures are written by the scribe's own query and read by the report's own; a time is the best of five
after one that does not count, and breaks nothing.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from loadtests.bench import machine
from loadtests.reports.talks import ACCOUNT, BEGAN_MS, DAY_MS, DAYS, conversations
from protocol.bus.records import Commit
from protocol.ids import CellName
from store.sql.database import DirectDatabase
from store.sql.migrate import migrate
from store.sql.queries import facts
from store.sql.queries.report_rows import OF_FIGURES, report_rows, splits
from store.sql.queries.reports import Span

AT_ONCE = 500
ROUNDS = 5
ALL_TIME = Span(ACCOUNT)
MONTH = Span(ACCOUNT, BEGAN_MS + (DAYS - 30) * DAY_MS)
Ask = Callable[..., list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Cost:
    """How long something took, and how long it kept a processor busy, whatever else the machine did."""

    took_s: float
    cpu_s: float

    @classmethod
    def now(cls) -> "Cost":
        """Return both clocks."""
        return cls(time.perf_counter(), time.process_time())

    @classmethod
    def since(cls, began: "Cost") -> "Cost":
        """Return what it cost since `began`."""
        now = cls.now()
        return cls(now.took_s - began.took_s, now.cpu_s - began.cpu_s)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--conversations", "count", default=100_000, show_default=True)
@click.option("--url", help="Another empty database than a file of SQLite's.")
def main(count: int, url: str | None) -> None:
    """Fill a database and ask it every report, split by everything that it can be split by."""
    for name, fact in machine.facts().items():
        click.echo(f"{name:<12} {fact}")
    with tempfile.TemporaryDirectory() as directory:
        _measure(url or f"sqlite:///{Path(directory) / 'record.db'}", count)


def _measure(url: str, count: int) -> None:
    migrate(url, "record")
    database = DirectDatabase(url)
    try:
        wrote = _filled(database, count)
        click.echo(f"{count:,} conversations written, {wrote.cpu_s / count * 1e6:.0f} µs of CPU each\n")
        click.echo(f"{'report':<14}  {'split by':<10} {'rows':>6}  {'all time':>9}  {'CPU of it':>9}  {'30 days':>9}")
        for name, by, ask in _questions():
            rows = len(database.run(partial(ask, span=ALL_TIME)))
            whole, month = _best(database, partial(ask, span=ALL_TIME)), _best(database, partial(ask, span=MONTH))
            times = f"{whole.took_s * 1e3:>6.0f} ms  {whole.cpu_s * 1e3:>6.0f} ms  {month.took_s * 1e3:>6.0f} ms"
            click.echo(f"{name:<14}  {by or '–':<10} {rows:>6}  {times}")
    finally:
        database.engine.dispose()


def _filled(database: DirectDatabase, count: int) -> Cost:
    """Write `count` conversations, several to a transaction; return what the writing cost."""
    made = list(conversations(count))
    began = Cost.now()
    for first in range(0, count, AT_ONCE):
        batch = [Commit(1, 1, 0, "", facts=told) for told in made[first : first + AT_ONCE]]
        database.run(partial(facts.keep, cell=CellName("c00"), commits=batch))
    return Cost.since(began)


def _questions() -> Iterator[tuple[str, str, Ask]]:
    for name in OF_FIGURES:
        for by in ("", *splits(name)):
            yield name, by, partial(report_rows, report=name, by=(by,) if by else ())


def _best(database: DirectDatabase, ask: Ask) -> Cost:
    costs: list[Cost] = []
    for _ in range(ROUNDS + 1):
        began = Cost.now()
        database.run(ask)
        costs.append(Cost.since(began))
    return Cost(min(cost.took_s for cost in costs[1:]), min(cost.cpu_s for cost in costs[1:]))


if __name__ == "__main__":
    main()
