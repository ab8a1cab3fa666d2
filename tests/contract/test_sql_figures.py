"""Figures kept by a scribe, and the reports made of them, on SQLite and on PostgreSQL."""

from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from protocol.bus.facts import ConversationErased, Fact, PersonErased, SurveyChanged
from protocol.bus.figures import AgentHeld, Begun, Decided, Figure, Measured
from protocol.ids import AccountId, CellName, ConversationId, ErasureId
from store.sql import tables
from store.sql.database import Database, Databases
from store.sql.queries import cells, commits
from store.sql.queries.figure_reports import REPORTS
from store.sql.queries.figures import DAY_MS
from store.sql.queries.report_rows import figure_rows, survey_rows
from store.sql.queries.reports import Span
from tests.kit.commits import ACCOUNT, VISITOR, commit

CELL = CellName("c00")
NOON_MS = 20_000 * DAY_MS + DAY_MS // 2  # 2024-10-04
DAY = "2024-10-04"


class Book:
    """What a cell has told its scribe so far."""

    def __init__(self, record: Database) -> None:
        self.record = record
        self.facts: list[Any] = []
        self.begun = 0

    def begin(self, *measured: dict[str, Any], **changed: Any) -> ConversationId:
        """A conversation exists, and this is measured of it, one after the other."""
        self.begun += 1
        name = ConversationId(f"cnv_{self.begun}")
        apart = ("production", "help", 3, "desk", "ring", "visitor", [], "ios", "4.1")
        self.facts.append(replace(Begun(ACCOUNT, name, NOON_MS, *apart), **changed))
        for told in measured:
            self.facts.append(Measured(changed.get("account", ACCOUNT), name, **told))
        return name

    def tell(self, *facts: Figure | Fact) -> None:
        self.facts.extend(facts)

    async def ask(self, report: str, *by: str, **span: Any) -> list[dict[str, Any]]:
        """The rows of a report, after a scribe has copied all that was told, in one transaction each."""
        told, self.facts = self.facts, []
        if told:
            await self.record.transact(partial(self._copy, facts=told))
        return await self.record.read(partial(figure_rows, report=report, span=Span(ACCOUNT, **span), by=by))

    def _copy(self, connection: Any, facts: list[Any]) -> None:
        position = cells.position(connection, CELL)
        if position is None:
            cells.begin_epoch(connection, CELL, 1)
        number = 1 if position is None else position.commit_no + 1
        batch = [commit(number + index, facts=[fact]) for index, fact in enumerate(facts)]
        assert commits.apply(connection, CELL, batch)
        assert not commits.apply(connection, CELL, batch), "a batch that comes again is not counted again"


@pytest.fixture
def book(databases: Databases) -> Book:
    return Book(databases.record)


ENTERED = {"entered": True, "spoke": True, "spoke_first": True}


def over(ended: str, stood: str, open_ms: int) -> dict[str, Any]:
    return {"closes": 1, "ended": ended, "stood": stood, "open_ms": open_ms}


async def test_times_are_those_of_who_had_one(book: Book) -> None:
    """Of four who spoke three were answered, after 2, 4 and 60 s; one was left without; the company's own count not."""
    for reply_ms in (2_000, 4_000, 60_999):
        book.begin({**ENTERED, "first_reply_ms": reply_ms, "replied_by": "ann"})
    book.begin(ENTERED, over("visitor", "waiting", 1))
    book.begin({"entered": True, "spoke": True}, origin="company")
    [row] = await book.ask("first_response")
    assert row == {
        "asked": 4,
        "replied": 3,
        "owed": 0,
        "never": 1,
        "reply_rate": 0.75,
        "reply_median_s": 4,
        "reply_p90_s": 60,
        "reply_mean_s": 22.3,
    }


async def test_long_times_are_in_whole_minutes(book: Book) -> None:
    """599.9 s are 599, 659.9 s are 600; the mean knows both to the millisecond."""
    for reply_ms in (599_900, 659_900):
        book.begin({**ENTERED, "first_reply_ms": reply_ms, "replied_by": "ann"})
    [row] = await book.ask("first_response")
    assert (row["reply_median_s"], row["reply_p90_s"], row["reply_mean_s"]) == (599, 600, 629.9)


async def test_the_first_of_two_stays(book: Book) -> None:
    """A first reply and a first wait are the first ones, whatever is told later."""
    book.begin(ENTERED, {"first_reply_ms": 1_000, "replied_by": "ann"}, {"first_reply_ms": 9_000, "replied_by": "bo"})
    [row] = await book.ask("first_response", "agent")
    assert (row["agent"], row["reply_median_s"]) == ("ann", 1)


async def test_reopened_is_open_until_it_closes_again(book: Book) -> None:
    """Closed, reopened: not resolved; closed once more: resolved once, in the time that it was open in both."""
    name = book.begin({**ENTERED, "open_ms": -1_000}, over("agent", "answered", 3_000))
    [row] = await book.ask("resolution")
    assert (row["resolved"], row["resolution_median_s"]) == (1, 2)
    book.tell(Measured(ACCOUNT, name, reopens=1, ended="", open_ms=-10_000))
    [row] = await book.ask("resolution")
    assert (row["closed"], row["resolved"], row["resolution_median_s"], row["ever_closed"]) == (0, 0, None, 1)
    book.tell(Measured(ACCOUNT, name, **over("agent", "answered", 15_000)))
    [row] = await book.ask("resolution")
    assert (row["resolved"], row["resolution_median_s"], row["reopen_rate"]) == (1, 7, 1.0)


async def test_every_end_is_one_of_four(book: Book) -> None:
    """Resolved, abandoned, gone silent, or otherwise: together all that closed."""
    for ended, stood in (
        ("agent", "answered"),
        ("agent", "waiting"),
        ("visitor", "answered"),
        ("visitor", "waiting"),
        ("visitor", "unanswered"),
        ("inactivity", "answered"),
        ("spam", "waiting"),
        ("consent_withdrawn", "answered"),
    ):
        book.begin(ENTERED, over(ended, stood, 1_000))
    [row] = await book.ask("resolution")
    assert (row["closed"], row["resolved"], row["abandoned"], row["gone_silent"], row["otherwise"]) == (8, 3, 2, 1, 2)
    [row] = await book.ask("abandonment")
    assert (row["while_waiting"], row["while_unanswered"], row["abandonment_rate"]) == (1, 1, 0.25)


async def test_a_wait_counts_when_it_is_over(book: Book) -> None:
    """Who still waits is counted, and has no time; a second wait adds to the first."""
    begun = {**ENTERED, "waits": 1, "waited_ms": -NOON_MS}
    served = {"waits_over": 1, "waited_ms": NOON_MS + 30_000, "first_wait": "assigned", "first_wait_ms": 30_000}
    book.begin(begun, served, {"waits": 1, "waited_ms": -NOON_MS}, {"waits_over": 1, "waited_ms": NOON_MS + 10_000})
    book.begin(begun)
    [row] = await book.ask("wait")
    assert (row["waited"], row["assigned"], row["waiting"], row["waits"], row["again"]) == (2, 1, 1, 3, 1)
    assert (row["wait_median_s"], row["in_all_mean_s"]) == (30, 40.0)


async def test_a_gate_is_no_conversation_and_a_step_that_was_left(book: Book) -> None:
    """Whoever never came past a step counts in that step alone, under the version that asked it."""
    book.begin({"process": "declined"}, over("gate_expired", "gate", 0), steps=["process", "email"])
    book.begin({"process": "granted"}, steps=["process", "email"])
    book.begin({"process": "granted", "email": "given"}, ENTERED, steps=["process", "email"], version=4)
    assert (await book.ask("conversations"))[0]["conversations"] == 1
    rows = {(row["version"], row["step"]): row for row in await book.ask("steps")}
    assert {key: row["reached"] for key, row in rows.items()} == {
        (3, "process"): 2,
        (3, "email"): 1,
        (4, "process"): 1,
        (4, "email"): 1,
        (4, "message"): 1,
    }
    process = rows[3, "process"]
    assert (process["passed"], process["said_no"], process["left"], process["drop_off"]) == (1, 1, 1, 0.5)
    assert (rows[3, "email"]["pending"], rows[3, "email"]["drop_off"]) == (1, 0.0)


async def test_a_consent_rate_is_of_those_who_were_asked(book: Book) -> None:
    """Implied consent asked nobody; no answer is no refusal."""
    for answers in ({"process": "granted"}, {"process": "declined"}, {}):
        book.begin(answers, steps=["process"])
    book.begin({"process": "implied"})
    [row] = await book.ask("consent_rates")
    counts = {name: row[name] for name in ("asked", "granted", "declined", "implied", "unanswered")}
    assert counts == {"asked": 3, "granted": 1, "declined": 1, "implied": 1, "unanswered": 1}
    assert (row["grant_rate"], row["answer_rate"]) == (1 / 3, 2 / 3)


async def test_an_agents_day_is_what_lies_on_it(book: Book) -> None:
    """A conversation held over midnight is load on both days, and ended on the second."""
    name = book.begin(ENTERED)
    midnight_ms = 20_001 * DAY_MS
    book.tell(
        Decided(ACCOUNT, name, NOON_MS, "offered", "offer", "ann"),
        Decided(ACCOUNT, name, NOON_MS, "declined", "", "ann"),
        Decided(ACCOUNT, name, NOON_MS, "offered", "offer", "bo"),
        Decided(ACCOUNT, name, NOON_MS, "accepted", "offer", "bo"),
        AgentHeld(ACCOUNT, name, "bo", midnight_ms - 3_600_000, midnight_ms + 7_200_000, "closed", True),
    )
    ann, bo, next_day = await book.ask("agents", "day")
    assert (ann["agent"], ann["offered"], ann["acceptance_rate"], ann["load"]) == ("ann", 1, 0.0, None)
    assert (bo["day"], bo["assigned"], bo["had"], bo["held_hours"], bo["load"]) == (DAY, 1, 0, 1.0, 0.042)
    assert (next_day["day"], next_day["had"], next_day["closed"], next_day["held_hours"]) == ("2024-10-05", 1, 1, 2.0)


async def test_routing_counts_each_decision(book: Book) -> None:
    """Told apart by what was decided and how, and by the phone of the conversation that it was about."""
    name, other = book.begin(ENTERED), book.begin(ENTERED, platform="android")
    for _ in range(2):
        book.tell(Decided(ACCOUNT, name, NOON_MS, "offered", "offer", "ann"))
    book.tell(Decided(ACCOUNT, other, NOON_MS, "nobody_ready", "started"))
    rows = await book.ask("routing", "platform")
    assert [(row["platform"], row["what"], row["how"], row["count"]) for row in rows] == [
        ("android", "nobody_ready", "started", 1),
        ("ios", "offered", "offer", 2),
    ]


@pytest.mark.parametrize("report", REPORTS)
async def test_environments_and_accounts_never_mix(book: Book, report: str) -> None:
    """What happened in another environment, or in another account, is in no row."""
    for apart in ({"environment": "test"}, {"environment": "preview"}, {"account": AccountId("other")}):
        account = apart.get("account", ACCOUNT)
        told = {**ENTERED, "waits": 1, "process": "granted", "first_reply_ms": 1}
        name = book.begin(told, over("visitor", "waiting", 1), steps=["process"], **apart)
        book.tell(Decided(account, name, NOON_MS, "offered", "offer", "ann"))
        book.tell(AgentHeld(account, name, "ann", NOON_MS, NOON_MS + 1, "closed", True))
    assert await book.ask(report) == []
    assert len(await book.ask(report, environment="test")) == 1 + (report == "steps")


@pytest.mark.parametrize("report", REPORTS)
async def test_groups_add_up(book: Book, report: str) -> None:
    """However a report is split, its counts are those of the whole."""
    for number in range(6):
        platform, version = ("ios", "android")[number % 2], f"4.{number % 3}"
        name = book.begin(
            {
                **ENTERED,
                "waits": 1,
                "agent": "ann",
                "process": "granted",
                "first_reply_ms": number,
                "replied_by": "ann",
            },
            *([over("visitor", "waiting", 1)] if number % 2 else []),
            steps=["process"],
            platform=platform,
            app_version=version,
            at_ms=NOON_MS + number * DAY_MS,
        )
        book.tell(AgentHeld(ACCOUNT, name, "ann", NOON_MS, NOON_MS + 1, "closed", True))
        book.tell(Decided(ACCOUNT, name, NOON_MS, "offered", "offer", "ann"))
    whole = _summed(await book.ask(report))
    assert whole
    for by in REPORTS[report].by:
        assert _summed(await book.ask(report, by)) == whole


async def test_a_span_is_of_whole_days(book: Book) -> None:
    """From the day of its first moment to the day of its last; one narrowed to a phone has that phone alone."""
    for days in (0, 1, 2):
        book.begin(ENTERED, at_ms=NOON_MS + days * DAY_MS, app_version=f"4.{days}")
    rows = await book.ask("conversations", "day", from_ms=NOON_MS + DAY_MS + 1, to_ms=NOON_MS + 2 * DAY_MS)
    assert [row["day"] for row in rows] == ["2024-10-05", "2024-10-06"]
    assert [row["conversations"] for row in await book.ask("conversations", only={"app_version": "4.2"})] == [1]


async def test_figures_of_a_conversation_without_a_row_count_for_nothing(book: Book) -> None:
    """What began before figures were kept stops no scribe."""
    name = ConversationId("cnv_old")
    book.tell(Measured(ACCOUNT, name, entered=True), Decided(ACCOUNT, name, NOON_MS, "offered"))
    assert await book.ask("conversations") == await book.ask("routing") == []


async def test_whoever_was_erased_still_counts(book: Book) -> None:
    """Their conversation, and that there was a comment; what it said is gone."""
    name = book.begin(ENTERED, over("agent", "answered", 1_000))
    phone = ("production", "ios", "4.1", NOON_MS)
    scored = {"score": 2, "answered_at_ms": NOON_MS, "comment": "Kari here, thanks"}
    book.tell(SurveyChanged(ACCOUNT, name, 1, "csat", 3, "help", "faces", *phone, **scored))
    before = await book.ask("resolution")
    book.tell(ConversationErased(ACCOUNT, name, 9), PersonErased(ACCOUNT, VISITOR, ErasureId("ers_1")))
    assert await book.ask("resolution") == before
    [row] = await book.record.read(partial(survey_rows, span=Span(ACCOUNT)))
    assert (row["answered"], row["comments"], row["csat"]) == (1, 1, 1.0)
    asks = select(tables.survey_ask.c.comment)
    assert await book.record.read(lambda connection: connection.execute(asks).scalars().all()) == [""]


async def test_surveys_are_split_by_day_and_version(book: Book) -> None:
    """Of the chatflow's version that asked, on the day on which it asked."""
    phone = ("production", "ios", "4.1", NOON_MS)
    book.tell(SurveyChanged(ACCOUNT, ConversationId("cnv_9"), 1, "csat", 3, "help", "faces", *phone))
    await book.ask("conversations")
    [row] = await book.record.read(partial(survey_rows, span=Span(ACCOUNT), by=("day", "published")))
    assert (row["day"], row["chatflow"], row["version"], row["asked"], row["csat"]) == (DAY, "help", 3, 1, None)


async def test_a_survey_is_that_of_the_agent_who_had_it_when_it_was_asked(book: Book) -> None:
    """Whoever has the conversation by the time of the answer did not earn it."""
    phone = ("production", "ios", "4.1", NOON_MS)
    asked = SurveyChanged(ACCOUNT, ConversationId("cnv_9"), 1, "csat", 3, "help", "faces", *phone)
    answered = replace(asked, score=2, answered_at_ms=NOON_MS, inbox="desk", agent="bo")
    book.tell(replace(asked, inbox="desk", agent="ann"), answered)
    await book.ask("conversations")
    [row] = await book.record.read(partial(survey_rows, span=Span(ACCOUNT), by=("inbox", "agent")))
    assert (row["inbox"], row["agent"], row["csat"]) == ("desk", "ann", 1.0)


def _summed(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Every count of all rows together, those of each step and each decision apart."""
    found: dict[str, int] = {}
    for row in rows:
        part = ".".join(str(row[name]) for name in ("step", "purpose", "what") if name in row)
        for name, value in row.items():
            if isinstance(value, int) and not name.endswith("_s") and name not in ("version", "load"):
                found[f"{part}.{name}"] = found.get(f"{part}.{name}", 0) + value
    return found
