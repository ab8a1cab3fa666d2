"""The steps before talking, as a phone answers them."""

import asyncio
from pathlib import Path

import pytest
import samtale

from tests.unit.sdk.memory_line import Frame, Network
from tests.unit.sdk.phones import ack, client, event, opened, rest, until

ALL = ["storage_consent", "consent_to_process", "email"]
QUESTION = {"text": "May we?", "text_hash": "h"}


def flow(**fields: object) -> Frame:
    """Return a chatflow's view."""
    heading = {"kind": "custom", "name": "Hi"}
    return {"id": "f", "version": 1, "name": "F", "locale": "en", "heading": heading, **fields}


async def test_what_is_outstanding_shrinks_as_it_is_answered(network: Network, visitor: samtale.VisitorClient) -> None:
    """Each acknowledged answer takes its step off the list, and the app is told."""
    line, _ = await opened(network, steps={"outstanding": ALL})
    assert (await until(visitor, samtale.Connected)).steps.outstanding == ALL
    left = []
    for answer in (visitor.answer_storage(False), visitor.answer_consent(True), visitor.answer_email("mia@x.no")):
        line.say("ack", **ack(await line.hear("answer")))
        await answer
        left.append((await until(visitor, samtale.Serving)).steps.outstanding)
    assert left == [ALL[1:], ALL[2:], []]


async def test_a_step_answered_on_another_phone_is_not_asked_here(
    network: Network, visitor: samtale.VisitorClient
) -> None:
    """The log says so, while it happens; what it tells of earlier times is told by `ready`."""
    line, _ = await opened(network, at=5, steps={"outstanding": ALL})
    granted = {"purpose": "process", "answer": "granted", "text_hash": "h", "locale": "en"}
    line.say("event", **event(1, "consent", **granted))
    line.say("event", **{**event(2, "consent", **{**granted, "purpose": "storage"}), "at": 6})
    line.say("event", **{**event(3, "email_given", email="mia@x.no", contact="c"), "at": 7})
    while (await until(visitor, samtale.LogEvent)).seq < 3:
        pass
    assert visitor.steps.outstanding == ["consent_to_process"]


async def test_not_now_leaves_the_step(network: Network, visitor: samtale.VisitorClient) -> None:
    """A declined consent to process is recorded and remains outstanding."""
    line, _ = await opened(network, steps={"outstanding": ["consent_to_process"]})
    answer = visitor.answer_consent(False)
    line.say("ack", **ack(await line.hear("answer")))
    await answer
    assert visitor.steps.outstanding == ["consent_to_process"]


async def test_the_box_rides_on_the_card(network: Network, visitor: samtale.VisitorClient) -> None:
    """`communicate` is said if the box was shown, whatever was ticked, and left out if it was not."""
    line, _ = await opened(network)
    said = []
    for box in (True, False, None):
        visitor.answer_consent(True, communicate=box)
        answer = await line.hear("answer")
        line.say("ack", **ack(answer))
        said.append(answer.get("communicate"))
    assert said == [True, False, None]


async def test_each_step_has_its_frame(network: Network, visitor: samtale.VisitorClient) -> None:
    """Storage, communicate by itself, and an address."""
    line, _ = await opened(network)
    visitor.answer_storage(True)
    visitor.answer_communicate(False)
    visitor.answer_email("mia@x.no")
    said = []
    for _ in range(3):
        answer = await line.hear("answer")
        line.say("ack", **ack(answer))
        said.append((answer["step"], answer["value"]))
    assert said == [("storage_consent", "granted"), ("consent_to_communicate", "declined"), ("email", "mia@x.no")]


async def test_a_bad_address_is_a_field_error(network: Network, visitor: samtale.VisitorClient) -> None:
    """`bad_answer` is raised to who asked, the step stays, and another address may be given."""
    line, _ = await opened(network, steps={"outstanding": ["email"]})
    bad = visitor.answer_email("mia")
    about = {"n": 1, "id": (await line.hear("answer"))["id"], "conversation": "c1", "retryable": False, "text": ""}
    line.say("refused", code="bad_answer", **about)
    with pytest.raises(samtale.RefusedError, match="bad_answer"):
        await bad
    visitor.answer_email("mia@x.no")
    assert ((await line.hear("answer"))["n"], visitor.steps.outstanding) == (2, ["email"])


async def test_nobody_is_seen_typing_before_they_have_answered(
    network: Network, visitor: samtale.VisitorClient
) -> None:
    """Typing is dropped while a step is outstanding."""
    line, _ = await opened(network, steps={"outstanding": ["consent_to_process"]})
    await until(visitor, samtale.Connected)
    visitor.typing()
    line.say("chatflow", chatflow=flow())
    await until(visitor, samtale.Serving)
    visitor.typing()
    line.say("pong", ref="x", at=0)
    await line.hear("typing")
    assert line.heard_nothing()


async def test_nothing_is_kept_before_the_phone_may_remember(network: Network, tmp_path: Path) -> None:
    """Until the storage consent is granted the file holds nothing; then it holds the visitor."""
    store, asking = samtale.FileStore(tmp_path / "phone"), flow(storage={"ask": "before_chat", **QUESTION})
    async with client(network, store=store) as visitor:
        line, _ = await opened(network, chatflow=asking, steps={"outstanding": ["storage_consent"]})
        await until(visitor, samtale.Connected)
        before = store.load()
        answer = visitor.answer_storage(True)
        line.say("ack", **ack(await line.hear("answer")))
        await answer
        await asyncio.sleep(0)
        assert (before or {}, (store.load() or {})["visitor"]) == ({}, "vis1")


async def test_a_phone_that_may_not_remember_is_another_visitor_next_time(network: Network, tmp_path: Path) -> None:
    """Declined, the chat works and the file is empty; the next life of the app has a new device."""
    store, asking = samtale.FileStore(tmp_path / "phone"), flow(storage={"ask": "before_chat", **QUESTION})
    async with client(network, store=store) as visitor:
        line, first = await opened(network, chatflow=asking, steps={"outstanding": ["storage_consent"]})
        answer = visitor.answer_storage(False)
        line.say("ack", **ack(await line.hear("answer")))
        await answer
        said = visitor.send("hei")
        line.say("ack", **ack(await line.hear("send"), 2))
        await said
    async with client(network, store=store):
        _, second = await opened(network)
    assert "visitor" not in second["credential"]
    assert first["credential"]["device_key"] != second["credential"]["device_key"]


async def test_who_was_remembered_without_a_question_is_not_forgotten_by_one(network: Network, tmp_path: Path) -> None:
    """A chatflow that begins to ask leaves what is kept as it is until there is an answer."""
    store, asking = samtale.FileStore(tmp_path / "phone"), flow(storage={"ask": "on_exit_intent", **QUESTION})
    async with client(network, store=store) as visitor:
        await opened(network)
        await until(visitor, samtale.Connected)
    async with client(network, store=store) as visitor:
        _, hello = await opened(network, chatflow=asking)
        await until(visitor, samtale.Connected)
    assert hello["credential"]["visitor"] == (store.load() or {})["visitor"] == "vis1"


async def test_who_is_about_to_leave_is_asked_once(network: Network, visitor: samtale.VisitorClient) -> None:
    """on_exit_intent: the question comes when the app says so, and not after it was answered."""
    line, _ = await opened(network, chatflow=flow(storage={"ask": "on_exit_intent", **QUESTION}))
    await until(visitor, samtale.Connected)
    visitor.exit_intent()
    assert await until(visitor, samtale.StorageAsked) == samtale.StorageAsked("May we?", "h")
    answer = visitor.answer_storage(True)
    line.say("ack", **ack(await line.hear("answer")))
    await answer
    visitor.exit_intent()
    visitor.press_close()
    heard = await rest(visitor, line)
    assert not any(isinstance(event, samtale.StorageAsked) for event in heard)


async def test_an_identified_visitor_is_never_asked_about_the_phone(network: Network) -> None:
    """They need no secret; what they have not delivered is kept."""

    async def token() -> str:
        return "jwt"

    store = samtale.MemoryStore()
    async with client(network, store=store, token=token) as visitor:
        line, _ = await opened(network, secret=None, chatflow=flow(storage={"ask": "on_exit_intent", **QUESTION}))
        await until(visitor, samtale.Connected)
        visitor.exit_intent()
        heard = await rest(visitor, line)
    assert not any(isinstance(event, samtale.StorageAsked) for event in heard)
    assert (store.load() or {})["visitor"] == "vis1"


async def test_the_close_button_is_the_apps_business(network: Network, visitor: samtale.VisitorClient) -> None:
    """Pressing it tells the app, and nothing goes on the line."""
    line, _ = await opened(network)
    await until(visitor, samtale.Connected)
    visitor.press_close()
    assert await until(visitor, samtale.ClosePressed) == samtale.ClosePressed("c1")
    assert line.heard_nothing()
