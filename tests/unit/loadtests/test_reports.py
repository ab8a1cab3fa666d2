"""The database in which reports are measured."""

from click.testing import CliRunner

from loadtests.reports.__main__ import main
from loadtests.reports.talks import conversations
from store.sql.queries.report_rows import OF_FIGURES


def test_every_report_is_asked_and_has_rows() -> None:
    """A report that found nothing would have been measured for nothing."""
    told = CliRunner().invoke(main, ["--conversations", "200"], catch_exceptions=False).output
    rows = {line.split()[0]: int(line.split()[2]) for line in told.partition("report  ")[2].splitlines()[1:]}
    assert rows.keys() == set(OF_FIGURES)
    assert all(rows.values())


def test_the_same_seed_makes_the_same_conversations() -> None:
    """Two measurements are of the same figures."""
    assert list(conversations(20)) == list(conversations(20))
    assert list(conversations(20)) != list(conversations(20, seed=2))
