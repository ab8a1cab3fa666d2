"""docs/reports.md tells every report, and what every column of it counts."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from loadtests.reports.talks import ACCOUNT, conversations
from protocol.bus.records import Commit
from protocol.ids import CellName
from store.sql import tables
from store.sql.queries import facts
from store.sql.queries.report_rows import OF_FIGURES, report_rows
from store.sql.queries.reports import Span

PAGE = (Path(__file__).parents[3] / "docs/reports.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n### ")[1:]}
TIMES = ("_median_s", "_p90_s", "_mean_s")
NAMED = {"agent", "chatflow", "version", "purpose", "survey", "scale", "step"}  # what a row is of


def test_every_report_has_its_section() -> None:
    """In the order in which they are listed."""
    assert [name for name in SECTIONS if name in OF_FIGURES] == list(OF_FIGURES)


@pytest.mark.parametrize("report", OF_FIGURES)
def test_every_column_is_told(report: str) -> None:
    """Of a time, its three figures together."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        tables.RECORD.create_all(connection)
        facts.keep(connection, CellName("c00"), [Commit(1, 1, 0, "", facts=told) for told in conversations(60)])
        rows = report_rows(connection, report, Span(ACCOUNT))
    engine.dispose()
    section = SECTIONS[report].partition("\n## ")[0]
    untold = [name for name in rows[0] if name not in NAMED and not _is_told(name, section)]
    assert untold == []


def _is_told(name: str, section: str) -> bool:
    family = next((f"`{name.removesuffix(time)}_…_s`" for time in TIMES if name.endswith(time)), "")
    return f"`{name}`" in section or bool(family and family in section)
