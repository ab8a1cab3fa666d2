"""Lines that are cut and come again, hints that are lost, logs that are half in SQL: nobody sees a gap."""

from collections.abc import AsyncIterator

import pytest

from protocol.wire.codes import CloseCode
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import bench
from tests.kit.hubs import Gateway, House, MemoryLine, again, house, position
from tests.kit.workplace import ANN

KARI_HERE = {"kind": "identified", "device_key": "the-phone-in-kari's-hand", "token": "kari"}
KARI_THERE = {"kind": "identified", "device_key": "the-tablet-on-the-table", "token": "kari"}


@pytest.fixture
async def home(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[House]:
    async with bench(valkey, sqlite_databases) as cell, house(cell) as made:
        yield made


@pytest.fixture
async def gateway(home: House) -> AsyncIterator[Gateway]:
    async with home.gateway() as made:
        yield made


def texts(line: MemoryLine) -> list[str]:
    """The messages that a line was shown, in order."""
    events = [frame for frame in line.frames if frame["t"] == "event" and frame["body"]["kind"] == "message"]
    return [event["body"]["text"] for event in events]


async def say(line: MemoryLine, chat: str, *numbers: int) -> None:
    for n in numbers:
        assert (await line.ask(t="send", n=n, id=f"id{n}", conversation=chat, text=f"word {n}"))["t"] == "ack"


async def test_a_line_that_was_cut_goes_on_where_it_was(gateway: Gateway) -> None:
    """From the position of the last event, exactly what was missed, then what comes."""
    first, ready = await gateway.visitor()
    chat = ready["conversation"]
    await say(first, chat, 1)
    seen = await first.event("message")
    first.drop()
    other, _ = await gateway.visitor(credential=again(ready))
    await say(other, chat, 2, 3)
    await other.event("message")
    line, later = await gateway.visitor(
        credential=again(ready, other.frames[0]["secret"]), positions=[position(chat, seen)]
    )
    assert later["conversations"][0]["next_n"] == 4
    await line.get("caught_up")
    await say(line, chat, 4)
    await line.until(lambda frame: frame["t"] == "event" and frame["body"].get("text") == "word 4")
    assert texts(line) == ["word 2", "word 3", "word 4"]


async def test_a_repeated_send_gets_the_same_outcome(gateway: Gateway) -> None:
    """After a lost line the client sends again: same n, same id, same seq, one message."""
    first, ready = await gateway.visitor()
    chat = ready["conversation"]
    outcome = await first.ask(t="send", n=1, id="a", conversation=chat, text="once")
    first.drop()
    line, _ = await gateway.visitor(credential=again(ready))
    repeated = await line.ask(t="send", n=1, id="a", conversation=chat, text="once")
    assert (repeated["seq"], repeated["event"]) == (outcome["seq"], outcome["event"])
    await line.get("caught_up")
    assert texts(line) == ["once"]


async def test_a_position_that_never_was_is_resynced(gateway: Gateway) -> None:
    """An unknown id at a seq: forget, and read from the beginning."""
    first, ready = await gateway.visitor()
    chat = ready["conversation"]
    await say(first, chat, 1)
    wrong = {"conversation": chat, "seq": 1, "id": "1.999.0"}
    line, _ = await gateway.visitor(credential=again(ready), positions=[wrong])
    resync = await line.get("resync")
    assert resync["conversation"] == chat
    await line.get("caught_up")
    assert texts(line) == ["word 1"]


async def test_hints_that_are_lost_are_made_good(home: House, gateway: Gateway) -> None:
    """Every subscription is cut, again and again, while another phone speaks: nothing is missing in the end."""
    listener, ready = await gateway.visitor(credential=KARI_HERE)
    chat = ready["conversation"]
    async with home.gateway() as elsewhere:
        speaker, _ = await elsewhere.visitor(credential=KARI_THERE)
        for n in range(1, 11):
            await home.cell.call("CLIENT", "KILL", "TYPE", "PUBSUB")
            speaker.put(t="send", n=n, id=f"id{n}", conversation=chat, text=f"word {n}")
        await listener.until(lambda frame: frame["t"] == "event" and frame["body"].get("text") == "word 10")
    assert texts(listener) == [f"word {n}" for n in range(1, 11)]


async def test_a_log_longer_than_a_page_comes_whole(gateway: Gateway) -> None:
    """250 messages, read in pages, in order."""
    first, ready = await gateway.visitor()
    chat = ready["conversation"]
    for start in range(1, 251, 25):
        for n in range(start, start + 25):
            first.put(t="send", n=n, id=f"id{n}", conversation=chat, text=f"word {n}")
        await first.get("ack", n=start + 24)
    line, _ = await gateway.visitor(credential=again(ready), positions=[position(chat)])
    await line.get("caught_up")
    assert texts(line) == [f"word {n}" for n in range(1, 251)]
    seqs = [frame["seq"] for frame in line.frames if frame["t"] == "event"]
    assert seqs == list(range(1, len(seqs) + 1))


async def test_what_redis_let_go_is_read_from_sql(home: House, gateway: Gateway) -> None:
    """The bulk of a long log lives in SQL; resume and history do not show where the seam is."""
    first, ready = await gateway.visitor()
    chat = ready["conversation"]
    await say(first, chat, *range(1, 31))
    await home.cell.copy_to_sql()
    await home.cell.call("XTRIM", home.cell.keys.log(chat), "MINID", "20-0")
    line, _ = await gateway.visitor(credential=again(ready), positions=[position(chat)])
    await line.get("caught_up")
    assert texts(line) == [f"word {n}" for n in range(1, 31)]
    line.put(t="history", ref="h", conversation=chat, before=25, limit=10)
    page = await line.get("history", ref="h")
    assert [event["seq"] for event in page["events"]] == list(range(15, 25))
    assert page["more"] is True


async def test_an_agent_resumes_a_conversation_and_its_feeds(gateway: Gateway) -> None:
    """Feeds go on after the position that the console has."""
    ann, _ = await gateway.agent(ANN)
    phone, ready = await gateway.visitor()
    await say(phone, ready["conversation"], 1)
    offered = await ann.get("feed", what="offered")
    ann.drop()
    had = {"feed": offered["feed"], "seq": offered["seq"], "id": offered["id"]}
    back, _ = await gateway.agent(ANN, feeds=[had])
    next_change = await back.get("feed", feed=offered["feed"])
    assert next_change["seq"] == offered["seq"] + 1
    assert not any(frame["t"] == "feed_snapshot" and frame["feed"] == offered["feed"] for frame in back.frames)


async def test_the_same_device_replaces_itself(gateway: Gateway) -> None:
    """The line before is closed with 4005."""
    first, ready = await gateway.visitor()
    await gateway.visitor(credential=again(ready))
    assert await first.ended() is CloseCode.REPLACED
