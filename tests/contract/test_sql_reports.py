"""What accounts are shown of their figures, on SQLite and on PostgreSQL."""

from functools import partial

import pytest
from msgspec.structs import replace

from protocol.bus.facts import ConsentGiven, SurveyChanged
from protocol.ids import AccountId, AppKey, CellName, ConversationId
from store.sql.database import Database, Databases
from store.sql.queries import cells, commits, reports
from store.sql.queries.reports import Span
from tests.kit.commits import ACCOUNT, NOW_MS, VISITOR, commit

CELL = CellName("c00")
ASKED = SurveyChanged(
    ACCOUNT, ConversationId("cnv_0"), 1, "csat", 1, "help", "faces", "production", "ios", "1.0", asked_at_ms=NOW_MS
)


def asked(number: int, score: int | None = None, **changed: object) -> SurveyChanged:
    answered = {} if score is None else {"score": score, "seen_at_ms": NOW_MS, "answered_at_ms": NOW_MS}
    return replace(ASKED, conversation=ConversationId(f"cnv_{number}"), **answered, **changed)


@pytest.fixture
async def record(databases: Databases) -> Database:
    """Five of ios (2, 2, 0, seen and expired, open), one of android (2), one of the test environment, one of another."""
    facts = [
        asked(1, 2),
        asked(2, 2, comment="Takk"),
        asked(3, 0),
        asked(4, seen_at_ms=NOW_MS, expired=True),
        asked(5),
        asked(6, 2, platform="android"),
        asked(7, 0, environment="test"),
        asked(8, 0, account=AccountId("other")),
        asked(9, 7, survey="nps", scale="ten"),
    ]

    def fill(connection):
        cells.begin_epoch(connection, CELL, 1)
        assert commits.apply(connection, CELL, [commit(1, facts=facts)])

    await databases.record.transact(fill)
    return databases.record


async def test_csat_is_the_satisfied_among_the_answered(record: Database) -> None:
    """Three happy faces of four answers, though six were asked; another environment and account count for nothing."""
    figures = (await record.read(partial(reports.surveys, span=Span(ACCOUNT))))["csat", "faces"]
    assert (figures.asked, figures.seen, figures.answered, figures.expired, figures.commented) == (6, 5, 4, 1, 1)
    assert (figures.csat, figures.response_rate) == (0.75, 4 / 6)


async def test_a_scale_of_ten_has_a_mean_and_a_distribution_and_no_csat(record: Database) -> None:
    """Nothing is called satisfied that nobody defined so."""
    figures = (await record.read(partial(reports.surveys, span=Span(ACCOUNT))))["nps", "ten"]
    assert (figures.csat, figures.mean, dict(figures.scores)) == (None, 7.0, {7: 1})


async def test_figures_split_by_platform_add_up(record: Database) -> None:
    """Each group by itself."""
    found = await record.read(partial(reports.surveys, span=Span(ACCOUNT), by=("platform",)))
    assert {key[2]: figures.asked for key, figures in found.items() if key[0] == "csat"} == {"android": 1, "ios": 5}


async def test_nobody_asked_is_no_rate(record: Database) -> None:
    """A share of nothing is not nought."""
    found = await record.read(partial(reports.surveys, span=Span(ACCOUNT, to_ms=NOW_MS)))
    assert found == {}
    figures = reports.SurveyFigures("csat", "faces")
    assert (figures.csat, figures.mean, figures.response_rate) == (None, None, None)


async def test_the_ledger_is_told_oldest_first_and_cut_at_the_oldest(record: Database) -> None:
    """Of three lines the newest two, in their order."""
    lines = [
        ConsentGiven(
            ACCOUNT, f"1.{at}.0", VISITOR, AppKey("app"), "help", "", "process", "granted", "", 1, "nb", "1", at
        )
        for at in (1, 2, 3)
    ]
    batch = [commit(2, facts=lines)]
    await record.transact(lambda connection: commits.apply(connection, CELL, batch))
    found = await record.read(partial(reports.consents, span=Span(ACCOUNT), limit=2))
    assert [line["at_ms"] for line in found] == [2, 3]
