"""`samtale report`: figures as people and programs read them."""

from pathlib import Path

import pytest

from admin.csv_rows import as_csv
from admin.workspace import apply_text
from app.report import Question, rows
from app.settings import Settings
from app.stores import databases, now_ms
from app.tables import table
from app.trouble import Trouble
from protocol.bus.figures import Begun, Measured
from protocol.ids import ConversationId
from store.sql.migrate import migrate
from store.sql.queries import figures
from tests.kit.offices import EXAMPLE, FJORD

ROW = {
    "survey": "csat",
    "scale": "faces",
    "asked": 4,
    "response_rate": 0.5,
    "csat": 0.5,
    "mean": None,
    "scores": {"0": 1, "2": 1},
}
NOBODY = {**ROW, "survey": "empty", "asked": 0, "response_rate": None, "csat": None, "scores": {}}


def test_the_table_shows_percent_and_a_dash_where_there_is_nothing() -> None:
    """People read shares in percent; what nobody could do is not zero percent."""
    shown = table([ROW, NOBODY]).splitlines()
    assert shown[1].split() == ["csat", "faces", "4", "50%", "50%", "–", "0:1", "2:1"]
    assert shown[2].split() == ["empty", "faces", "0", "–", "–", "–", "–"]


def test_an_empty_report_says_so() -> None:
    """Not a blank page."""
    assert table([]) == "nothing yet"


def test_csv_holds_the_values_as_they_are() -> None:
    """Shares from nought to one, nothing where nobody could, and a heading."""
    assert as_csv([ROW, NOBODY]).splitlines() == [
        "survey,scale,asked,response_rate,csat,mean,scores",
        "csat,faces,4,0.5,0.5,,0:1 2:1",
        "empty,faces,0,,,,",
    ]


def test_csv_runs_nothing_in_a_spreadsheet() -> None:
    """What somebody called themselves is a text, and no formula."""
    assert as_csv([{"name": "=1+1", "count": -1}]) == "name,count\n'=1+1,-1"


def test_an_empty_report_is_an_empty_file() -> None:
    """No heading is made up."""
    assert as_csv([]) == ""


@pytest.fixture
async def installation(tmp_path: Path) -> Settings:
    """One with the example's accounts, and two conversations of one of them."""
    settings = Settings(data=tmp_path)
    for side in ("config", "record"):
        migrate(f"sqlite:///{tmp_path}/{side}.db", side)  # type: ignore[arg-type]
    apply_text(f"sqlite:///{tmp_path}/config.db", EXAMPLE, cells=2)
    told: list[Begun | Measured] = []
    for number, platform in enumerate(("ios", "android")):
        where = ConversationId(f"cnv_{number}")
        apart = ("production", "help", 1, "desk", "ring", "visitor", [], platform, "4.1")
        told += [Begun(FJORD, where, now_ms(), *apart), Measured(FJORD, where, entered=True)]
    stores = databases(settings)
    await stores.record.transact(lambda sql: figures.keep(sql, told))
    await stores.close()
    return settings


async def test_a_report_is_asked_of_an_account_for_the_last_days(installation: Settings) -> None:
    """Today is one of them, also when it has only just begun; what is narrowed has that alone."""
    found = await rows(installation, "conversations", Question("fjord", days=2, by=("platform",)))
    assert [(row["platform"], row["conversations"]) for row in found] == [("android", 1), ("ios", 1)]
    [row] = await rows(installation, "conversations", Question("fjord", only={"platform": "ios"}))
    assert row["conversations"] == 1
    assert await rows(installation, "conversations", Question("nordvik")) == []


@pytest.mark.parametrize(
    ("what", "question", "why"),
    [
        ("surveys", Question("fjord", by=("rule",)), "surveys cannot be split by rule; only by day"),
        ("agents", Question("fjord", only={"email": "x"}), "agents cannot be narrowed by email; only by platform"),
        ("tickets", Question("fjord", by=("day",)), "tickets cannot be split by day"),
        ("wait", Question(), "say which account: fjord, nordvik"),
        ("wait", Question("nobody"), "there is no account nobody"),
    ],
)
async def test_what_cannot_be_told_is_said(installation: Settings, what: str, question: Question, why: str) -> None:
    """With what there is instead."""
    with pytest.raises(Trouble, match=why):
        await rows(installation, what, question)
