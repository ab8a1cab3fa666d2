"""The Python SDK against a running help desk: steps, a survey in a tunnel, what is remembered, and what is taken back."""

import asyncio
import secrets
import time
from pathlib import Path

import pytest
import samtale
from samtale.line import Line

from tests.conformance.test_sdk import says, until
from tests.kit.signing import claims, sign

pytestmark = pytest.mark.xdist_group("conformance")  # one server, and Node's libraries installed once

STEPS = ["storage_consent", "consent_to_process", "email"]
PATIENCE_S = 120.0


def phone(
    url: str, app_key: str, tag: str, store: samtale.Store | None = None, **world: object
) -> samtale.VisitorClient:
    """A visitor's phone."""
    surroundings = samtale.Surroundings(**world)  # type: ignore[arg-type] # its own fields
    return samtale.VisitorClient(url, app_key=app_key, tag=tag, store=store, surroundings=surroundings)


def desk(url: str, known: dict[str, str]) -> samtale.AgentClient:
    """Somebody at the help desk."""
    return samtale.AgentClient(url, email=known["email"], password=known["password"])


def entry(kind: type[samtale.Body]) -> object:
    return lambda event: isinstance(event, samtale.LogEvent) and isinstance(event.body, kind)


async def test_a_phone_answers_every_step(server_url: str, known: dict[str, str]) -> None:
    """What is outstanding shrinks to nothing; what is said too early, and an address that is none, is refused."""
    async with asyncio.timeout(PATIENCE_S), phone(server_url, known["desk_app_key"], "steps") as visitor:
        connected = await until(visitor, lambda event: isinstance(event, samtale.Connected))
        assert (connected.steps.outstanding, connected.chatflow.heading.title) == (STEPS, "Fjord Kraft")
        await visitor.answer_storage(False)
        with pytest.raises(samtale.RefusedError, match="consent_required"):
            await visitor.send("too early")
        await visitor.answer_consent(True, communicate=True)
        with pytest.raises(samtale.RefusedError, match="bad_answer"):
            await visitor.answer_email("mia at example")
        await visitor.answer_email("mia@example.com")
        assert visitor.steps.outstanding == []
        await visitor.send("at last")
        await visitor.close()


async def test_a_survey_answered_in_a_tunnel_arrives_once(
    server_url: str, known: dict[str, str], tmp_path: Path
) -> None:
    """Asked while the phone was there, answered while it was not, delivered by the next life of the app."""

    async def nowhere(url: str) -> Line:
        raise samtale.LineLost(1006, "no signal")

    store, app_key = samtale.FileStore(tmp_path / "phone"), known["desk_app_key"]
    async with asyncio.timeout(2 * PATIENCE_S), desk(server_url, known) as agent:
        async with phone(server_url, app_key, "desk", store) as visitor:
            await visitor.send("Hei")
            conversation = visitor.conversation
            await agent.claim(conversation)
            await agent.send(conversation, "Hei, hei")
            await agent.close(conversation)
            asked = await until(visitor, entry(samtale.SurveyAsked))
        async with phone(server_url, app_key, "desk", store, connect=nowhere) as visitor:
            visitor.answer_survey(conversation, asked.body.ask, 2)
            visitor.comment_survey(conversation, asked.body.ask, "Raskt!")
        async with phone(server_url, app_key, "desk", store) as visitor:
            await until(visitor, entry(samtale.SurveyCommented))
            with pytest.raises(samtale.RefusedError, match="survey_over"):
                await visitor.answer_survey(conversation, asked.body.ask, 0)
        page = await agent.history(conversation, before=10_000, limit=100)
    kinds = (samtale.SurveyAnswered, samtale.SurveyCommented)
    assert [event.body for event in page.events if isinstance(event.body, kinds)] == [
        samtale.SurveyAnswered(1, 2),
        samtale.SurveyCommented(1, "Raskt!"),
    ]


async def test_a_view_that_is_held_is_whole_again(server_url: str, known: dict[str, str]) -> None:
    """The second connection is sent the short form, and shows what the first did."""
    store = samtale.MemoryStore()
    shown = []
    for _ in range(2):
        async with phone(server_url, known["desk_app_key"], "desk", store) as visitor:
            shown.append((await until(visitor, lambda event: isinstance(event, samtale.Connected))).chatflow)
    assert shown[0] == shown[1]
    assert shown[0].texts["send"] == "Send"


async def test_a_consent_taken_back_is_asked_again(server_url: str, app_key: str) -> None:
    """What is open closes, the step is outstanding, and after a new grant the talk goes on."""
    async with asyncio.timeout(PATIENCE_S), phone(server_url, app_key, "support") as visitor:
        await visitor.answer_consent(True)
        await visitor.send("Hei")
        await visitor.withdraw("process")
        closed = await until(visitor, entry(samtale.Closed))
        assert closed.body.reason == "consent_withdrawn"
        with pytest.raises(samtale.RefusedError, match="consent_required"):
            await visitor.send("still there?")
        await visitor.answer_consent(True)
        await visitor.send("now")
        await visitor.close()


async def test_a_company_begins_and_the_reply_passes_the_gate(server_url: str, known: dict[str, str]) -> None:
    """Twice in one conversation; the visitor finds it unread, and answers what comes first before they reply."""
    subject = f"customer-{secrets.token_hex(4)}"
    company = samtale.Server(server_url, "demo-only-key-of-fjords-own-servers")
    begun = await company.start_conversation(subject, "Your meter is here.", tag="steps", name="Fjord Kraft")
    again = await company.start_conversation(subject, "And a letter.", tag="steps")
    assert (again.conversation, again.visitor, again.seq > begun.seq) == (begun.conversation, begun.visitor, True)

    async def token() -> str:
        now_s = int(time.time())
        about = {"sub": subject, "aud": known["desk_app_key"], "iat": now_s, "exp": now_s + 600}
        return sign(claims(**about), key="demo-only-secret-of-fjord-for-production", kid="fjord-1")

    visitor = samtale.VisitorClient(server_url, app_key=known["desk_app_key"], tag="steps", token=token)
    async with asyncio.timeout(PATIENCE_S), visitor:
        letter = await until(visitor, says("And a letter."))
        assert (visitor.who, letter.conversation, visitor.unread) == (begun.visitor, begun.conversation, 2)
        assert visitor.steps.outstanding == ["consent_to_process", "email"]  # who is identified is asked of no phone
        with pytest.raises(samtale.RefusedError, match="consent_required"):
            await visitor.send("Thanks")
        await visitor.answer_consent(True)
        await visitor.answer_email("customer@example.com")
        await visitor.send("Thanks")
        await visitor.close()


async def test_choices_and_unread_messages(server_url: str, known: dict[str, str]) -> None:
    """A quick reply is chosen by its event; what was not read is counted; nobody's name but the alias is shown."""
    visitor = phone(server_url, known["desk_app_key"], "desk")
    async with asyncio.timeout(2 * PATIENCE_S), desk(server_url, known) as agent, visitor:
        await visitor.send("Hei")
        await agent.claim(visitor.conversation)
        agent.note(visitor.conversation, "A note")
        options = [samtale.Option("may", "May"), samtale.Option("june", "June")]
        await agent.send(visitor.conversation, "Which bill?", content=samtale.QuickReplies(options))
        asked = await until(visitor, says("Which bill?\n- May\n- June"))
        assert (asked.body.by, visitor.unread) == (samtale.Author("agent", "", "Fjord Kraft"), 1)
        visitor.read(asked.conversation, asked.seq)
        await visitor.choose(asked, "june")
        chosen = await until(visitor, says("June"))
        assert (chosen.body.content, visitor.unread) == (samtale.Choice(asked.seq, "june"), 0)
        await agent.close(visitor.conversation)
