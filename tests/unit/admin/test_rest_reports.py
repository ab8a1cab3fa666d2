"""Reports over REST, of figures as a scribe writes them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol.bus.figures import AgentHeld, Begun, Measured
from protocol.ids import AccountId, ConversationId
from store.sql.queries import figures
from store.sql.queries.report_rows import OF_FIGURES, splits
from tests.kit.offices import FJORD, NORDVIK, Caller, Desk, desk_in

DAY_MS = 86_400_000
NOON_MS = 20_000 * DAY_MS + DAY_MS // 2  # 2024-10-04


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Fjord had two conversations of ios and one of android a day later, one in its test environment; Nordvik one."""
    told = [
        *begun("cnv_1", FJORD, NOON_MS, "production", "ios"),
        *begun("cnv_2", FJORD, NOON_MS, "production", "ios"),
        *begun("cnv_3", FJORD, NOON_MS + DAY_MS, "production", "android"),
        *begun("cnv_4", FJORD, NOON_MS, "test", "ios"),
        *begun("cnv_5", NORDVIK, NOON_MS, "production", "web"),
    ]
    async with desk_in(tmp_path) as desk:
        await desk.office.record.transact(lambda sql: figures.keep(sql, told))
        yield desk


def begun(
    name: str, account: AccountId, at_ms: int, environment: str, platform: str
) -> list[Begun | Measured | AgentHeld]:
    where = ConversationId(name)
    apart = (environment, "help", 1, "desk", "ring", "visitor", ["process"], platform, "4.1")
    return [
        Begun(account, where, at_ms, *apart),
        Measured(account, where, entered=True, spoke=True, spoke_first=True, waits=1, process="granted"),
        AgentHeld(account, where, "ann", at_ms, at_ms + 60_000, "closed", True),
        Measured(account, where, closes=1, ended="visitor", stood="waiting"),
    ]


@pytest.fixture
async def supervisor(desk: Desk) -> Caller:
    return await desk.key(["reports.read"])


async def test_a_report_is_of_the_callers_account_and_one_environment(desk: Desk, supervisor: Caller) -> None:
    """Each account sees its own; the test environment only who asks for it."""
    other = await desk.key(["reports.read"], NORDVIK)
    path = "/reports/conversations"
    found = [await supervisor.get(path), await supervisor.get(f"{path}?environment=test"), await other.get(path)]
    assert [(report["environment"], report["rows"][0]["conversations"]) for report in found] == [
        ("production", 3),
        ("test", 1),
        ("production", 1),
    ]


async def test_a_report_is_split_and_narrowed(supervisor: Caller) -> None:
    """By several things at once, of the days and the phone that were asked for."""
    path = "/reports/conversations?by=day,platform&from=2024-10-05&to=2024-10-05"
    [row] = (await supervisor.get(path))["rows"]
    assert (row["day"], row["platform"], row["conversations"]) == ("2024-10-05", "android", 1)
    assert (await supervisor.get("/reports/conversations?platform=ios"))["rows"][0]["conversations"] == 2


@pytest.mark.parametrize("report", [report for report in OF_FIGURES if report not in ("surveys", "routing")])
async def test_csv_has_the_rows_of_the_report(supervisor: Caller, report: str) -> None:
    """The same columns in the same order, under a name to save it by; split by all that it can be split by."""
    path = f"/reports/{report}?by={','.join(splits(report))}"
    rows = (await supervisor.get(path))["rows"]
    answer = await supervisor.ask("GET", path.replace("?", ".csv?"))
    lines = answer.text.splitlines()
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert f'filename="{report}.csv"' in answer.headers["Content-Disposition"]
    assert lines[0].split(",") == list(rows[0])
    assert len(lines) == 1 + len(rows) > 1


@pytest.mark.parametrize(
    "asked",
    ["by=rule", "by=day,", "by=day%0A", "rule=ring", "from=2024-13-01", "to=yesterday", "environment=preview"],
)
async def test_what_cannot_be_told_is_refused(supervisor: Caller, asked: str) -> None:
    """A survey knows neither rule nor origin; the calendar has no such month; a preview has no figures."""
    assert (await supervisor.ask("GET", f"/reports/surveys?{asked}")).status_code == 400


async def test_only_who_may_read_reports_does(desk: Desk) -> None:
    """Settings are another matter."""
    agent = await desk.key(["settings.read", "conversations.read"])
    assert {(await agent.ask("GET", f"/reports/{report}")).status_code for report in OF_FIGURES} == {403}
