"""`python -m loadtests.reports`: how long each report takes over 100,000 conversations, in a database made for it.

Invariant: the figures are written by the scribe's own query and read by the report's own; a time is the best of five
after one that does not count, and breaks nothing.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
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
from store.sql.queries.figure_reports import REPORTS
from store.sql.queries.report_rows import figure_rows, survey_rows
from store.sql.queries.reports import SURVEYS_BY, Span

AT_ONCE = 500
ROUNDS = 5
SPANS = {"all time": Span(ACCOUNT), "30 days": Span(ACCOUNT, BEGAN_MS + (DAYS - 30) * DAY_MS)}


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
        took_s = _filled(database, count)
        click.echo(f"{count:,} conversations written, {took_s / count * 1e6:.0f} µs each\n")
        click.echo("report          split by      rows  " + "  ".join(f"{name:>8}" for name in SPANS))
        for name, by, ask in _questions():
            times = {span: _best_ms(database, ask, asked) for span, asked in SPANS.items()}
            rows = database.run(lambda connection, ask=ask: len(ask(connection, SPANS["all time"])))  # type: ignore[misc]
            click.echo(
                f"{name:<14}  {by or '–':<10} {rows:>7}  " + "  ".join(f"{ms:>5.0f} ms" for ms in times.values())
            )
    finally:
        database.engine.dispose()


def _filled(database: DirectDatabase, count: int) -> float:
    """Write `count` conversations, several to a transaction; return how long the writing took."""
    made = list(conversations(count))
    began_s = time.perf_counter()
    for first in range(0, count, AT_ONCE):
        batch = [Commit(1, 1, 0, "", facts=told) for told in made[first : first + AT_ONCE]]
        database.run(lambda connection, batch=batch: facts.keep(connection, CellName("c00"), batch))  # type: ignore[misc]
    return time.perf_counter() - began_s


def _questions() -> Iterator[tuple[str, str, Callable[[Any, Span], list[dict[str, Any]]]]]:
    for name, report in REPORTS.items():
        for by in ("", *sorted(report.by)):
            split = (by,) if by else ()
            yield name, by, lambda sql, span, name=name, split=split: figure_rows(sql, name, span, split)  # type: ignore[misc]
    for by in ("", *SURVEYS_BY):
        split = (by,) if by else ()
        yield "surveys", by, lambda sql, span, split=split: survey_rows(sql, span, split)  # type: ignore[misc]


def _best_ms(database: DirectDatabase, ask: Callable[[Any, Span], Any], span: Span) -> float:
    times: list[float] = []
    for _ in range(ROUNDS + 1):
        began_s = time.perf_counter()
        database.run(lambda connection: ask(connection, span))
        times.append(time.perf_counter() - began_s)
    return min(times[1:]) * 1000


if __name__ == "__main__":
    main()
