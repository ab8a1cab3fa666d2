"""What follows a conversation: the survey of its chatflow, and the ticket of its help desk."""

from typing import Any

import samtale

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.phone import Phone
from app.demo.scenes.guests import guest, refusal

SURVEY = "fjes"


async def survey(cast: Cast) -> str:
    """Asked right after the close; the first score is final, a comment follows once; the report counts it."""
    before = await _figures(cast)
    async with guest(cast, "Selma") as phone:
        desk = await cast.given(phone, "Slangen er punktert")
        conversation = phone.conversation
        await desk.says(conversation, "Det ligger en ny under setet")
        await phone.hears(conversation, "Det ligger en ny under setet")
        await desk.closes(conversation)
        asked = await phone.sees(conversation, samtale.SurveyAsked)
        kinds = [type(event.body) for event in phone.log(conversation)]
        require(kinds[-2:] == [samtale.Closed, samtale.SurveyAsked], f"the log ends with {kinds[-2:]}")
        cast.narrator.says("appen", asked.question)
        require((asked.survey, asked.scale) == (SURVEY, "faces"), f"asked is {asked}")
        await phone.outcome(phone.client.see_survey(conversation, asked.ask), "sees it")
        await phone.outcome(phone.client.answer_survey(conversation, asked.ask, 2), "answers it")
        cast.narrator.does("Selma", "trykker på det blideste fjeset")
        cast.narrator.says("appen", asked.follow_up["any"])
        await phone.outcome(phone.client.comment_survey(conversation, asked.ask, "Slangen under setet!"), "comments")
        cast.narrator.says("Selma", "Slangen under setet!")
        late = await refusal(phone, phone.client.answer_survey(conversation, asked.ask, 0))
        require(late == "survey_over", f"a second score was refused {late}")
        logged = await _logged(phone, conversation)
        require(logged == [(2, "Slangen under setet!")], f"the log has {logged}")
    after = await _figures(cast)
    more = {name: after[name] - before.get(name, 0) for name in ("asked", "seen", "answered", "comments")}
    require(set(more.values()) == {1}, f"the report has {more} more")
    scored = after["scores"]["2"] - before.get("scores", {}).get("2", 0)
    require(scored == 1, f"the report has {scored} more of that score")
    cast.narrator.sees(
        "rapporten", f"{SURVEY}: {after['answered']} av {after['asked']} svarte, {after['csat']:.0%} fornøyde"
    )
    return f"spurt i samme commit som lukkingen; 2 av 2 og en kommentar; et nytt svar: {late}; rapporten teller én til"


async def _figures(cast: Cast) -> dict[str, Any]:
    return next((row for row in await cast.record.report("surveys") if row["survey"] == SURVEY), {})


async def _logged(phone: Phone, conversation: str) -> list[tuple[int, str]]:
    answered = await phone.sees(conversation, samtale.SurveyAnswered)
    commented = await phone.sees(conversation, samtale.SurveyCommented)
    count = sum(isinstance(event.body, samtale.SurveyAnswered) for event in phone.log(conversation))
    return [(answered.score, commented.text)] * count


async def ticket(cast: Cast) -> str:
    """Opened by the first message under the next number; its status follows who spoke last, and is closed when told."""
    numbers = [row["number"] for row in await cast.record.report("tickets")]
    async with guest(cast, "Oskar") as phone:
        conversation = phone.conversation
        require(await cast.record.tickets_of(conversation) == [], "a step alone opened a ticket")
        desk = await cast.given(phone, "Jeg har mistet nøkkelen")
        opened = await desk.sees(conversation, samtale.TicketOpened)
        cast.narrator.sees(desk.name, f"sak nummer {opened.number}")
        require(opened.number == max(numbers, default=0) + 1, f"after {len(numbers)} comes number {opened.number}")
        statuses = [await _status(cast, conversation)]
        await desk.says(conversation, "Hvor så du den sist?")
        statuses.append(await _status(cast, conversation))
        await phone.says("Ved kaia")
        statuses.append(await _status(cast, conversation))
        await desk.outcome(desk.client.close(conversation, close_ticket=True), "closes both")
        statuses.append(await _status(cast, conversation))
        cast.narrator.sees("rapporten", " → ".join(statuses))
        require(statuses == ["new", "waiting_visitor", "waiting_us", "closed"], f"it went {statuses}")
        changed = await desk.sees(conversation, samtale.TicketChanged)
        require(changed.status == "closed", f"the log says {changed}")
        mine = [type(event.body).__name__ for event in phone.log(conversation)]
        require(not any("Ticket" in name for name in mine), f"the visitor was shown {mine}")
    return f"sak {opened.number}: {' → '.join(statuses)}"


async def _status(cast: Cast, conversation: str) -> str:
    [row] = await cast.record.tickets_of(conversation)
    return str(row["status"])
