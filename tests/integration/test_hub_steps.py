"""The steps before the chat, through a hub and an engine: who skips one is refused, who takes them all is heard."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from protocol.bus.chatflow import Communicate, EmailCapture, Storage, Survey
from protocol.bus.config import Subscription
from protocol.bus.records import Profile
from protocol.ids import SubscriptionId, SurveyId
from protocol.wire.codes import CloseCode
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import bench
from tests.kit.hubs import DEVICE_KEY, Gateway, House, MemoryLine, again, house, office, outstanding
from tests.kit.workplace import ANN

CANARY = "canary-5d81c2"
NEWS = SubscriptionId("sub_news")
ALL = {
    "storage": Storage("before_chat"),
    "email": EmailCapture(open="before_chat", away="before_chat"),
    "communicate": Communicate(NEWS),
    "survey": Survey(SurveyId("srv_faces"), "How was it?"),
}
KARI = {"kind": "identified", "device_key": DEVICE_KEY, "token": "kari"}


@pytest.fixture
async def home(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[House]:
    config = msgspec.structs.replace(office(version=2, **ALL), subscriptions=[Subscription(NEWS, "News")])
    async with bench(valkey, sqlite_databases) as cell, house(cell, config) as made:
        yield made


@pytest.fixture
async def gateway(home: House) -> AsyncIterator[Gateway]:
    async with home.gateway() as made:
        yield made


async def is_stored(home: House, words: str) -> bool:
    """Whether Redis holds these words under any key."""
    dumps = [await home.cell.call("DUMP", key) for key in await home.cell.call("KEYS", "*")]
    return any(words.encode() in dump for dump in dumps if dump is not None)


async def answer(phone: MemoryLine, chat: str, n: int, step: str, value: str, **more: Any) -> dict[str, Any]:
    return await phone.ask(t="answer", n=n, id=f"s{n}", conversation=chat, step=step, value=value, **more)


async def test_each_step_is_asked_in_its_order_and_holds_words_back(home: House, gateway: Gateway) -> None:
    """A raw client that writes at once is told the step that comes first, and nothing of it reaches Redis."""
    phone, ready = await gateway.visitor("asks")
    chat, codes = ready["conversation"], ["storage_required", "consent_required", "email_required"]
    assert outstanding(ready) == ["storage_consent", "consent_to_process", "email"]
    answers: list[tuple[str, str, dict[str, Any]]] = [
        ("storage_consent", "declined", {}),
        ("consent_to_process", "granted", {"communicate": True}),
        ("email", "kari@nordvik.example", {}),
    ]
    for n, (code, (step, value, more)) in enumerate(zip(codes, answers, strict=True), start=1):
        refusal = await phone.ask(t="send", n=n, id=f"early{n}", conversation=chat, text=CANARY)
        assert (refusal["code"], refusal["expected"]) == (code, n)
        phone.put(t="typing", conversation=chat, on=True)
        assert (await phone.get("refused", code=code)).get("n", 0) in (0, n)
        assert not await is_stored(home, CANARY)
        assert (await answer(phone, chat, n, step, value, **more))["t"] == "ack"
    assert (await phone.ask(t="send", n=4, id="now", conversation=chat, text=CANARY))["t"] == "ack"
    _, later = await gateway.visitor("asks", credential=again(ready))
    assert outstanding(later) == []


async def test_a_bad_address_at_the_gate_is_a_field_error_and_is_not_stored(home: House, gateway: Gateway) -> None:
    """The gate stays closed; what was typed is nowhere."""
    phone, ready = await gateway.visitor("open")
    chat = ready["conversation"]
    await answer(phone, chat, 1, "storage_consent", "granted")
    refusal = await answer(phone, chat, 2, "email", f"{CANARY}@nowhere")
    assert (refusal["code"], refusal["expected"]) == ("bad_answer", 2)
    assert not await is_stored(home, CANARY)


async def test_what_is_withdrawn_closes_and_is_asked_again(gateway: Gateway) -> None:
    """Done once it is stored; the conversation ends, and the next word is refused."""
    phone, ready = await gateway.visitor("asks", credential=KARI)
    chat = ready["conversation"]
    await answer(phone, chat, 1, "consent_to_process", "granted")
    await answer(phone, chat, 2, "email", "kari@nordvik.example")
    await phone.ask(t="send", n=3, id="a", conversation=chat, text="Hello")
    phone.put(t="withdraw", ref="w", purpose="process")
    await phone.get("done", ref="w")
    closed = await phone.ever(lambda frame: frame["t"] == "event" and frame["body"]["kind"] == "closed")
    assert closed["body"]["reason"] == "consent_withdrawn"
    assert (await phone.ask(t="send", n=4, id="b", conversation=chat, text="again"))["code"] == "consent_required"
    told = await phone.ever(lambda frame: frame["t"] == "chatflow")
    assert outstanding(told) == ["consent_to_process"]


async def test_an_identified_visitor_is_known_once_they_agree(home: House, gateway: Gateway) -> None:
    """What the token vouches for is in no store before the grant, and on the record after it."""
    home.proofs.profile = Profile(CANARY, "kari@nordvik.example", ANN, "kari")
    phone, ready = await gateway.visitor("asks", credential=KARI)
    assert outstanding(ready) == ["consent_to_process", "email"]
    assert not await is_stored(home, CANARY)
    await answer(phone, ready["conversation"], 1, "consent_to_process", "granted")
    told = await phone.until(lambda frame: frame["t"] == "ack" or frame["t"] == "chatflow")
    assert told["t"] == "ack"

    async def name() -> str:
        record = await home.cell.visitor(ready["visitor"])
        return record.profile.name if record is not None and record.profile is not None else ""

    while await name() != CANARY:
        await home.cell.call("XREAD", "BLOCK", 20, "STREAMS", "nothing", "$")
    _, later = await gateway.visitor("asks", credential=KARI)
    assert outstanding(later) == []  # with the address, which the company vouches for


async def test_context_is_in_no_store_before_consent(home: House, gateway: Gateway) -> None:
    """Held back in the gateway; on the grant it is on the record."""
    phone, ready = await gateway.visitor("asks", credential=KARI)
    phone.put(t="set_context", screen="/cart", properties={"plan": CANARY}, breadcrumb="came")
    phone.put(t="ping", ref="p")
    await phone.get("pong")
    assert not await is_stored(home, CANARY)
    await answer(phone, ready["conversation"], 1, "consent_to_process", "granted")
    while not await is_stored(home, CANARY):
        await home.cell.call("XREAD", "BLOCK", 20, "STREAMS", "nothing", "$")
    record = await home.cell.visitor(ready["visitor"])
    assert record is not None
    assert (record.context.screen, record.context.properties) == ("/cart", {"plan": CANARY})


async def test_the_survey_is_answered_once_and_by_its_rules(gateway: Gateway) -> None:
    """Asked by the close; another score, a second comment and one that was never asked are refused."""
    ann, desk = await gateway.agent(ANN)
    phone, ready = await gateway.visitor("open", credential=KARI)
    chat = ready["conversation"]
    await answer(phone, chat, 1, "email", "kari@nordvik.example")
    await phone.ask(t="send", n=2, id="a", conversation=chat, text="Hello?")
    offered = await ann.get("feed", what="offered")
    n = desk["next_n"]
    await ann.ask(t="accept", n=n, id="x", offer=offered["row"]["offer"])
    await ann.ask(t="send", n=n + 1, id="y", conversation=chat, text="Hello!")
    await ann.ask(t="close", n=n + 2, id="z", conversation=chat)
    asked = (await phone.event("survey_asked"))["body"]

    async def rate(n: int, **frame: Any) -> Any:
        told = await phone.ask(
            t="survey", n=n, id=f"r{n}{frame['action']}", conversation=chat, ask=asked["ask"], **frame
        )
        return told.get("code", "ack")

    assert await rate(3, action="seen") == "ack"
    assert await rate(4, action="answer", score=9) == "bad_answer"
    assert await rate(5, action="answer", score=2) == "ack"
    assert await rate(6, action="answer", score=0) == "survey_over"
    assert await rate(7, action="comment", text=" ") == "empty_text"
    assert await rate(7, action="comment", text="Thanks") == "ack"
    assert await rate(8, action="comment", text="More") == "survey_over"
    later = await phone.ask(t="survey", n=9, id="none", conversation=chat, ask=7, action="answer", score=1)
    assert later["code"] == "survey_over"


async def test_the_welcome_is_the_first_entry_whatever_the_client_does(gateway: Gateway) -> None:
    """Seq 1, in the visitor's locale, and not said twice."""
    phone, ready = await gateway.visitor(
        "open", credential=KARI, device={"platform": "ios", "app_version": "1", "locale": "nb-NO"}
    )
    chat = ready["conversation"]
    await answer(phone, chat, 1, "email", "kari@nordvik.example")
    started = await phone.event("started")
    assert (started["seq"], started["body"]["welcome"]) == (1, "Hei!")


async def test_words_before_hello_start_nothing(gateway: Gateway) -> None:
    """A client that begins with words is sent away."""
    line = gateway.mobile()
    line.put(t="send", n=1, id="a", conversation="cnv_x", text=CANARY)
    assert (await line.get("refused"))["code"] == "unauthenticated"
    assert await line.ended() is CloseCode.UNAUTHENTICATED
