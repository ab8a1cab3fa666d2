"""Asking for a report: one walk over the figures of a span, and one more for each time it tells.

Invariant: reads only. A row is told for every group in which something counts, in the order of the groups.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select

from store.sql.queries.figure_reports import REPORTS, Report
from store.sql.queries.figures import DAY_MS
from store.sql.queries.reports import SURVEYS_BY, Span, SurveyFigures, columns_of, surveys
from store.sql.queries.spreads import Spread

Row = dict[str, Any]
Key = tuple[Any, ...]


COARSE_MS = 600_000  # from here on quantiles are in whole minutes: a third of the rows, by resolution
OF_FIGURES = (*REPORTS, "surveys")
_NARROWED = ("platform", "app_version", "chatflow", "inbox", "rule", "agent")


def splits(report: str) -> tuple[str, ...]:
    """Return what one of OF_FIGURES can be split by."""
    return SURVEYS_BY if report == "surveys" else tuple(sorted(REPORTS[report].by))


def narrows(report: str) -> tuple[str, ...]:
    """Return the columns of which one value can be asked for."""
    there = splits(report)
    return tuple(name for name in _NARROWED if ("version" if name == "app_version" else name) in there)


def report_rows(connection: Connection, report: str, span: Span, by: Iterable[str] = ()) -> list[Row]:
    """Return the rows of one of OF_FIGURES, split by some of its `splits`."""
    return survey_rows(connection, span, by) if report == "surveys" else figure_rows(connection, report, span, by)


def figure_rows(connection: Connection, report: str, span: Span, by: Iterable[str] = ()) -> list[Row]:
    """Return the rows of one of REPORTS, split by some of its `by`."""
    asked = REPORTS[report]
    keys = _keys(asked, by)
    counts = _counts(connection, asked, span, keys)
    spreads = {name: _spreads(connection, asked, span, keys, name) for name in asked.times}
    rows: list[Row] = []
    for key, counted in counts.items():
        times = {name: found.get(key) for name, found in spreads.items()}
        for row in _parts(asked, {**_shown(keys, key), **counted}):
            rows.append(asked.finished({**row, **_told(asked, row, times)}))
    return rows


def survey_rows(connection: Connection, span: Span, by: Iterable[str] = ()) -> list[Row]:
    """Return one row per survey, scale and group: counts, rates (0–1; None where nobody could), mean, distribution."""
    names = columns_of(by)
    found = surveys(connection, span, by)
    return [{**_shown(["survey", "scale", *names], key), **_results(figures)} for key, figures in found.items()]


def _results(figures: SurveyFigures) -> Row:
    return {
        "asked": figures.asked,
        "seen": figures.seen,
        "answered": figures.answered,
        "expired": figures.expired,
        "dismissed": figures.dismissed,
        "comments": figures.commented,
        "response_rate": figures.response_rate,
        "csat": figures.csat,
        "mean": figures.mean,
        "scores": {str(score): figures.scores[score] for score in sorted(figures.scores)},
    }


def _keys(asked: Report, by: Iterable[str]) -> dict[str, ColumnElement[Any]]:
    names = dict.fromkeys((*columns_of(by), *asked.always))
    return {name: asked.agent if name == "agent" else asked.table.c[name] for name in names}


def _within(asked: Report, span: Span) -> list[ColumnElement[bool]]:
    rows = asked.table.c
    only = [(asked.agent if name == "agent" else rows[name]) == value for name, value in span.only.items()]
    first, end = span.from_ms // DAY_MS, -(-span.to_ms // DAY_MS)
    where = [rows.account == span.account, rows.environment == span.environment]
    return [*where, rows.day >= first, rows.day < min(end, 2**31 - 1), asked.counted, *only]


def _counts(
    connection: Connection, asked: Report, span: Span, keys: Mapping[str, ColumnElement[Any]]
) -> dict[Key, Row]:
    columns = [count.label(name) for name, count in asked.counts.items()]
    query = select(*keys.values(), *columns).where(*_within(asked, span)).group_by(*keys.values())
    found = connection.execute(query.order_by(*keys.values())).all()
    width = len(keys)
    return {
        tuple(row[:width]): dict(zip(asked.counts, map(int, row[width:]), strict=True))
        for row in found
        if any(row[width:])
    }


def _spreads(
    connection: Connection, asked: Report, span: Span, keys: Mapping[str, ColumnElement[Any]], name: str
) -> dict[Key, Spread]:
    value, of = asked.times[name]
    # A clock that was set back makes no time less than none.
    time = case((value < 0, 0), else_=value)
    second = case((time < COARSE_MS, time // 1000), else_=time // 60_000 * 60).label("second")
    query = select(*keys.values(), second, func.count(), func.sum(time))
    query = query.where(*_within(asked, span), of, value.is_not(None)).group_by(*keys.values(), "second")
    found: defaultdict[Key, Spread] = defaultdict(Spread)
    width = len(keys)
    for row in connection.execute(query).all():  # one by one takes twice as long
        found[row[:width]].add(int(row[width]), row[width + 1], int(row[width + 2]))
    return found


def _shown(keys: Iterable[str], key: Key) -> Row:
    told: Row = {name: "" if value is None else value for name, value in zip(keys, key, strict=True)}
    return {**told, "day": date_of(told["day"])} if "day" in told else told


def date_of(day: int) -> str:
    """Return a day of figures as people write it."""
    return datetime.fromtimestamp(day * DAY_MS / 1000, UTC).strftime("%Y-%m-%d")


def _parts(asked: Report, row: Row) -> list[Row]:
    """Return `row` as it is, or a row for each part of it in which something counts."""
    if not asked.parts:
        return [row]
    groups = {name: value for name, value in row.items() if "." not in name}
    counted: dict[str, Row] = {part: {} for part in asked.parts}
    for name, value in row.items():
        part, _, count = name.partition(".")
        if count:
            counted[part][count] = value
    return [{**groups, asked.part: part, **counts} for part, counts in counted.items() if any(counts.values())]


def _told(asked: Report, row: Row, spreads: Mapping[str, Spread | None]) -> Row:
    """Return the shares and times of a row."""
    shares = {name: _share(row[some], row[of]) for name, (some, of) in asked.shares.items()}
    times = {name: told for each, found in spreads.items() for name, told in (found or Spread()).told(each).items()}
    return {**shares, **times}


def _share(some: int, of: int) -> float | None:
    return some / of if of else None
