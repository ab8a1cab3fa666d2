"""A phone's user logs in: what they began there becomes theirs, whole, once, and nobody else's (SPEC 3.9)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from protocol.wire.codes import CloseCode
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import bench
from tests.kit.hubs import DEVICE_KEY, Gateway, House, MemoryLine, again, house, outstanding, position, says_hello
from tests.kit.workplace import ANN

OTHER_KEY = "another-phone-of-the-same-user"


@pytest.fixture
async def home(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[House]:
    async with bench(valkey, sqlite_databases) as cell, house(cell) as made:
        yield made


@pytest.fixture
async def gateway(home: House) -> AsyncIterator[Gateway]:
    async with home.gateway() as made:
        yield made


def as_user(subject: str, begun: dict[str, Any] | None = None, key: str = DEVICE_KEY) -> dict[str, Any]:
    """The credential of an identified visitor; `begun`: the `ready` of who they were on this phone before."""
    before = {"visitor": begun["visitor"], "secrets": [begun["secret"]]} if begun else {}
    return {"kind": "identified", "device_key": key, "token": subject, **before}


async def texts(line: MemoryLine, chat: str) -> list[str]:
    """What was said in a conversation, as a line was sent it up to now."""
    await line.ever(lambda frame: frame["t"] == "caught_up" and frame["conversation"] == chat)
    bodies = (frame["body"] for frame in line.frames if frame["t"] == "event" and frame["conversation"] == chat)
    return [body["text"] for body in bodies if body["kind"] == "message"]


async def turned_away(gateway: Gateway, credential: dict[str, Any]) -> tuple[str, CloseCode]:
    """Say hello in vain; return why."""
    line = gateway.mobile()
    line.put(**says_hello(credential=credential))
    return (await line.get("refused"))["code"], await line.ended()


async def test_what_was_begun_is_the_users_on_every_phone(gateway: Gateway) -> None:
    """The conversation goes on under its id and numbers, where they logged in and elsewhere; the secret opens nothing."""
    line, ready = await gateway.visitor()
    chat = ready["conversation"]
    said = await line.ask(t="send", n=1, id="a", conversation=chat, text="Hello")
    line.drop()
    here, user = await gateway.visitor(
        credential=as_user("kari", ready), positions=[position(chat, {"seq": said["seq"], "id": said["event"]})]
    )
    assert (user["conversation"], user.get("secret")) == (chat, None)
    assert user["visitor"] != ready["visitor"]
    (view,) = user["conversations"]
    assert (view["id"], view["status"], view["next_n"]) == (chat, "open", 2)
    assert (await here.event("merged"))["body"] == {"kind": "merged", "visitor": ""}
    assert (await here.ask(t="send", n=2, id="b", conversation=chat, text="It is me"))["t"] == "ack"
    there, elsewhere = await gateway.visitor(credential=as_user("kari", key=OTHER_KEY))
    assert elsewhere["conversation"] == chat
    assert await texts(there, chat) == ["Hello", "It is me"]
    assert await turned_away(gateway, again(ready)) == ("visitor_unknown", CloseCode.UNAUTHENTICATED)


async def test_a_frame_without_outcome_is_known_by_its_id(gateway: Gateway) -> None:
    """What the anonymous phone had said, its user says again: it gets the outcome that it had."""
    line, ready = await gateway.visitor()
    chat = ready["conversation"]
    said = await line.ask(t="send", n=1, id="a", conversation=chat, text="Hello")
    here, _ = await gateway.visitor(credential=as_user("kari", ready))
    again_said = await here.ask(t="send", n=1, id="a", conversation=chat, text="Hello")
    assert (again_said["seq"], again_said["event"]) == (said["seq"], said["event"])


async def test_what_was_never_taken_is_said_where_the_user_talks(gateway: Gateway) -> None:
    """A frame to a conversation that did not come about is sent on to the one to address."""
    _, ready = await gateway.visitor()
    here, user = await gateway.visitor(credential=as_user("kari", ready))
    assert user["conversation"] != ready["conversation"]
    refused = await here.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="Hello")
    assert (refused["code"], refused["instead"]) == ("continued", user["conversation"])


async def test_a_line_that_was_theirs_before_ends(gateway: Gateway) -> None:
    """Whoever still reads under the anonymous name is sent away, and hears no word more."""
    line, ready = await gateway.visitor()
    await line.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="Hello")
    await gateway.visitor(credential=as_user("kari", ready))
    assert await line.ended() is CloseCode.REVOKED


async def test_another_user_must_log_out_first(gateway: Gateway) -> None:
    """What has become Kari's is not Ola's by the same secret; saying it again is the same as having said it."""
    line, ready = await gateway.visitor()
    await line.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="Hello")
    _, kari = await gateway.visitor(credential=as_user("kari", ready))
    assert await turned_away(gateway, as_user("ola", ready)) == ("subject_changed", CloseCode.UNAUTHENTICATED)
    _, same = await gateway.visitor(credential=as_user("kari", ready))
    assert (same["visitor"], same["conversation"]) == (kari["visitor"], ready["conversation"])


@pytest.mark.parametrize("wrong", ["key", "secret", "none"])
async def test_nothing_is_taken_over_without_proof(gateway: Gateway, wrong: str) -> None:
    """Neither by another phone nor by a wrong secret, and whoever shows none is told so."""
    line, ready = await gateway.visitor()
    await line.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="Hello")
    shown = as_user("kari", ready)
    shown |= {"key": {"device_key": OTHER_KEY}, "secret": {"secrets": ["s" * 43]}, "none": {"secrets": []}}[wrong]
    assert (await turned_away(gateway, shown))[0] == "visitor_unknown"
    _, kari = await gateway.visitor(credential=as_user("kari"))
    assert kari["conversation"] != ready["conversation"]


async def test_after_a_logout_nothing_is_left_to_take_over(gateway: Gateway) -> None:
    """The next user of the phone gets nothing of who logged out on it."""
    line, ready = await gateway.visitor()
    await line.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="Hello")
    line.put(t="logout")
    await line.get("logged_out")
    assert (await turned_away(gateway, as_user("kari", ready)))[0] == "visitor_unknown"


async def test_agents_see_who_it_is(gateway: Gateway) -> None:
    """Whoever reads along is told who the visitor is now, in the log and in what is known of them."""
    line, ready = await gateway.visitor()
    chat = ready["conversation"]
    await line.ask(t="send", n=1, id="a", conversation=chat, text="Hello")
    ann, _ = await gateway.agent(ANN)
    ann.put(t="resume", position=position(chat))
    await ann.ever(lambda frame: frame["t"] == "context" and frame["visitor"] == ready["visitor"])
    _, kari = await gateway.visitor(credential=as_user("kari", ready))
    merged = await ann.event("merged")
    assert merged["body"]["visitor"] == kari["visitor"]
    told = await ann.ever(lambda frame: frame["t"] == "context" and frame["visitor"] == kari["visitor"])
    assert told["identified"]


async def test_a_consent_comes_along(gateway: Gateway) -> None:
    """Nobody who agreed on this phone is asked again when they log in on it."""
    line, ready = await gateway.visitor("asks")
    chat = ready["conversation"]
    agreed = await line.ask(t="answer", n=1, id="a", conversation=chat, step="consent_to_process", value="granted")
    assert agreed["t"] == "ack"
    here, kari = await gateway.visitor("asks", credential=as_user("kari", ready))
    assert outstanding(kari) == []
    assert (await here.ask(t="send", n=2, id="b", conversation=chat, text="Hello"))["t"] == "ack"


async def test_what_redis_let_go_comes_along(home: House, gateway: Gateway) -> None:
    """Cold state comes with the caller: who they were, what was said, and what became of it; a restart finds it moved."""
    line, ready = await gateway.visitor()
    chat, keys = ready["conversation"], home.cell.keys
    said = await line.ask(t="send", n=1, id="a", conversation=chat, text="Hello")
    assert (await line.ask(t="close", n=2, id="b", conversation=chat))["t"] == "ack"
    line.drop()
    await home.cell.copy_to_sql()
    await home.engine.stop()
    await home.cell.call("DEL", keys.visitor(ready["visitor"]), keys.conversation(chat), keys.log(chat))
    home.engine = await home.cell.open()
    here, kari = await gateway.visitor(credential=as_user("kari", ready))
    (view,) = kari["conversations"]
    assert (view["id"], view["status"], view["next_n"]) == (chat, "closed", 3)
    assert await texts(here, chat) == ["Hello"]
    again_said = await here.ask(t="send", n=1, id="a", conversation=chat, text="Hello")
    assert (again_said["seq"], again_said["event"]) == (said["seq"], said["event"])
    await home.engine.stop()
    home.engine = await home.cell.open()
    there, _ = await gateway.visitor(credential=as_user("kari", key=OTHER_KEY))
    assert await texts(there, chat) == ["Hello"]
    assert (await there.ask(t="send", n=1, id="c", conversation=chat, text="It is me"))["t"] == "ack"
