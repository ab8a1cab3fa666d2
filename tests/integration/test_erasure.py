"""A person is erased while others talk: no store, no stream, no file holds a word of theirs, and everything else holds."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import samtale
from joserfc import jwt
from joserfc.jwk import OctKey

from app.demo.traces import places_with
from app.settings import Settings
from tests.kit.commands import run_samtale
from tests.kit.persons import Desk, Phone, soon
from tests.kit.samtale_servers import Installation, RunningSamtale

pytestmark = pytest.mark.xdist_group("erasure")

SECRET = "demo-only-secret-of-fjord-for-production"
PLANTED = [
    f"canary{what}4711"
    for what in (
        "said", "name", "mail", "property", "crumb", "screen", "note", "reply", "tag", "field", "comment", "transfer", "file",
        "filename", "answerfile",
    )
]  # fmt: skip
SAID, NAME, MAIL, PROPERTY, CRUMB, SCREEN, NOTE, REPLY, TAG, FIELD, COMMENT, TRANSFER, *FILES = PLANTED
SUBJECT = "customer-17"
OTHERS = 4
WORDS = 25


async def token() -> str:
    """What the company signs of its customer."""
    now = int(time.time())
    claims = {
        "sub": SUBJECT,
        "aud": "app_fjord",
        "iat": now,
        "exp": now + 900,
        "name": NAME,
        "email": f"{MAIL}@x.example",
        "email_verified": True,
    }
    return jwt.encode({"alg": "HS256", "kid": "fjord-1"}, claims, OctKey.import_key(SECRET))


def customer(url: str) -> Phone:
    """The phone of the one who will be erased."""
    phone = Phone(url, app_key="app_fjord", tag="desk")
    phone.client = samtale.VisitorClient(
        url, app_key="app_fjord", tag="desk", token=token, surroundings=phone.surroundings
    )
    return phone


async def tells_everything(phone: Phone, desk: Desk) -> str:
    """Everything that can be known of a person comes to be known; return the conversation."""
    client, agent = phone.client, desk.client
    await phone.told(samtale.Connected)
    client.set_context(screen=SCREEN, properties={"plan": PROPERTY})
    client.breadcrumb(CRUMB)
    await soon(client.send(SAID))
    chat = phone.conversation
    await desk.takes(chat)
    await soon(agent.send(chat, REPLY))
    content, name, answer = FILES
    await soon(await client.send_file(content.encode(), name=f"{name}.txt", type_="text/plain"))
    await soon(await agent.send_file(chat, answer.encode(), name="answer.txt", type_="text/plain"))
    await soon(agent.note(chat, NOTE))
    await soon(agent.tag(chat, [TAG]))
    await soon(agent.set_fields(chat, {"order": FIELD}))
    await soon(agent.close(chat))
    asked = await phone.reads(chat, samtale.SurveyAsked)
    await soon(client.answer_survey(chat, asked.body.ask, 2))
    await soon(client.comment_survey(chat, asked.body.ask, COMMENT))
    await soon(client.send("once more"))
    await phone.reads(chat, samtale.Reopened)
    await desk.takes(chat)
    await soon(agent.transfer(chat, team="billing", note=TRANSFER))
    return chat


async def is_stored(settings: Settings, planted: str) -> None:
    """Return once it is found somewhere: else the test would show nothing."""
    async with asyncio.timeout(120):
        while not await places_with(settings, planted):
            await asyncio.sleep(0.1)


async def talk_on(phone: Phone, stop: asyncio.Event) -> int:
    """Say one thing after the other until told to stop; return how many."""
    said = 0
    while not stop.is_set() or said < WORDS:
        await soon(phone.client.send(f"word {said}"))
        said += 1
        await asyncio.sleep(0.02)
    return said


async def test_a_person_is_erased_while_others_talk(tmp_path: Path) -> None:
    """What was planted through the real flow is everywhere before, and nowhere after; others lose and hear nothing."""
    async with Installation(tmp_path, visitor_messages_per_minute="6000", visitor_message_burst="600") as server:
        await nothing_is_left(server)


async def nothing_is_left(server: RunningSamtale) -> None:
    url, settings = server.url, Settings(data=server.data)
    person, desk = customer(url), Desk(url, "siri@fjord.example", "siri-siri")
    others = [Phone(url, app_key="app_fjord", tag="desk") for _ in range(OTHERS)]
    async with AsyncExitStack() as stack:
        for client in (desk.client, person.client, *(each.client for each in others)):
            await stack.enter_async_context(client)
        for each in others:
            await each.told(samtale.Connected)
        await desk.told(samtale.Connected)
        chat = await tells_everything(person, desk)
        for planted in PLANTED:
            await is_stored(settings, planted)

        stop = asyncio.Event()
        talking = [asyncio.create_task(talk_on(each, stop)) for each in others]
        ended = await run_samtale("contact", "erase", SUBJECT, "--account", "fjord", environment=server.environment)
        stop.set()
        counts = await asyncio.gather(*talking)
        assert ended.status == 0, ended.err
        assert "1 visitors, 1 conversations" in ended.out

        found = {planted: await places_with(settings, planted) for planted in PLANTED}
        assert {planted: places for planted, places in found.items() if places} == {}

        await person.until(lambda event: isinstance(event, samtale.LogEvent) and isinstance(event.body, samtale.Erased))
        for each, count in zip(others, counts, strict=True):
            last = await each.hears(f"word {count - 1}")
            seqs = [entry.seq for entry in each.log(last.conversation)]
            assert seqs == sorted(set(seqs))
            assert each.texts(last.conversation) == [f"word {n}" for n in range(count)]
    replayed = await run_samtale("replay", environment=server.environment)
    assert replayed.status == 0, replayed.out
    assert "0 differ from what is stored" in replayed.out
    one = await run_samtale("replay", chat, environment=server.environment)
    assert "equal" in one.out
