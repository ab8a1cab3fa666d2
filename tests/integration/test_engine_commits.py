"""An engine decides what is in the inbox and commits it, whole and once."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from protocol.bus import topics
from protocol.bus.commands import AgentArrives, PublishConfig
from protocol.bus.config import CONFIG_ENCODER
from protocol.bus.records import Outcome
from protocol.wire.content import Message, Started
from protocol.wire.server import FeedChange
from store.redis import scripts
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import CELL, Bench, bench
from tests.kit.workplace import (
    ACCOUNT,
    ANN,
    GATEWAY,
    INBOX,
    KARI,
    admits,
    closes,
    conversation,
    origin,
    phone,
    sends,
    workplace,
)


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(valkey, sqlite_databases) as made:
        yield made


async def test_two_commands_are_decided_and_committed(cell: Bench) -> None:
    """A hello and a message become a visitor and a conversation with its log."""
    engine = await cell.open()
    await cell.do(admits(), sends(1, "Hei"))
    bodies = [type(event.body) for event in await cell.log(conversation())]
    assert bodies[:2] == [Started, Message]
    assert (await cell.outcome(conversation(), phone(KARI), 1)).seq == 2
    await engine.stop()


async def test_many_packs_are_decided_once_each_and_in_order(cell: Bench) -> None:
    """Batches that are decided while others are under way make one log without gap, repeat or reorder."""
    engine = await cell.open()
    await cell.do(admits())
    for n in range(1, 301):
        last = await cell.put(sends(n, str(n)))
    await cell.decided(last)
    log = await cell.log(conversation())
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    assert [event.body.text for event in log if isinstance(event.body, Message)] == [str(n) for n in range(1, 301)]
    await engine.stop()


async def test_a_retried_send_gets_its_seq_again(cell: Bench) -> None:
    """The same n and id, in the same pack and later, is one entry."""
    engine = await cell.open()
    await cell.do(admits(), sends(1, "Hei"), sends(1, "Hei"))
    await cell.do(sends(1, "Hei"))
    log = await cell.log(conversation())
    assert [type(event.body) for event in log].count(Message) == 1
    await engine.stop()


async def test_the_outbox_holds_all_that_redis_shows(cell: Bench) -> None:
    """Log entries, snapshots, outcomes and roster events of a commit are in its outbox entry, ids and all."""
    engine = await cell.open()
    await cell.do(admits(), sends(1, "Hei"))
    outbox = await cell.outbox()
    rows = [row for commit in outbox for row in commit.log]
    entries = await cell.call("XRANGE", cell.keys.log(conversation()), "-", "+")
    assert [row.frame for row in rows] == [fields[1] for _, fields in entries]
    states = {(row.kind, row.id): row.state for commit in outbox for row in commit.states}
    assert states["conversation", conversation()] == await cell.call(
        "HGET", cell.keys.conversation(conversation()), "s"
    )
    assert states["visitor", KARI] == await cell.call("HGET", cell.keys.visitor(KARI), "s")
    [said] = [row for row in rows if row.n]
    assert (said.device, said.n) == (phone(KARI), 1)
    roster = cell.port.thaw(await cell.call("HGET", cell.keys.roster(ACCOUNT), "s"))
    logged = [row.seq for commit in outbox for row in commit.roster]
    assert logged == list(range(1, cell.port.seq(roster) + 1))
    await engine.stop()


async def test_hints_follow_every_commit(cell: Bench) -> None:
    """Readers, feeds and the asking gateway hear of it, events before outcomes."""
    engine = await cell.open()
    await cell.do(admits())
    line = await cell.dial()
    heard: list[Any] = []
    line.listen(heard.append)
    feed = topics.inbox_feed(ACCOUNT, INBOX)
    names = [topics.events(CELL, conversation())]
    names += [topics.feed(CELL, feed), topics.replies(CELL, GATEWAY)]
    for name in names:
        line.post("SSUBSCRIBE", name)
    await cell.until(lambda: len(heard) == len(names))
    await cell.do(sends(1, "Hei"))
    await cell.until(lambda: len(heard) >= 2 * len(names))
    pushes = [(name.decode(), payload) for kind, name, payload in heard if kind == b"smessage"]
    assert [name for name, _ in pushes] == names
    hints = msgspec.msgpack.decode(pushes[0][1], type=topics.Hints)
    assert [hint.seq for hint in hints.staff] == [event.seq for event in await cell.log(conversation())]
    assert [one.seq for one in msgspec.msgpack.decode(pushes[2][1], type=list[Outcome])] == [2]
    await line.close()
    await engine.stop()


async def test_a_feed_and_its_rows_tell_the_same(cell: Bench) -> None:
    """The rows beside a feed are what its changes add up to, at the position of the last one."""
    engine = await cell.open()
    await cell.do(admits(), AgentArrives(ACCOUNT, origin("desk_a", 0), ANN), sends(1, "Hei"))
    await cell.do(closes(2))
    line = await cell.dial()
    for name in (topics.inbox_feed(ACCOUNT, INBOX), topics.agent_feed(ACCOUNT, ANN)):
        entries = await cell.call("XRANGE", cell.keys.feed(name), "-", "+")
        rows: dict[str, Any] = {}
        for _, fields in entries:
            change = msgspec.msgpack.decode(fields[1], type=FeedChange)
            if change.row is None:
                rows.pop(change.key, None)
            else:
                rows[change.key] = change.row
        read = await scripts.feed(line, CELL, name)
        assert {key: msgspec.msgpack.decode(row) for key, row in read.rows.items()} == rows
        assert read.position == f"{len(entries)} {change.id}"
    await line.close()
    await engine.stop()


async def test_timers_fire_into_the_inbox(cell: Bench) -> None:
    """An offer that nobody answers expires by itself and goes on."""
    config = workplace(version=2)
    rules = [msgspec.structs.replace(rule, offer_timeout_s=0) for rule in config.rules]
    await cell.publish(msgspec.structs.replace(config, rules=rules))
    engine = await cell.open()
    await cell.do(admits(), AgentArrives(ACCOUNT, origin("desk_a", 0), ANN), sends(1, "Hei"))
    feed, after, whats = cell.keys.feed(topics.agent_feed(ACCOUNT, ANN)), b"0", list[str]()
    while "withdrawn" not in whats:
        entries = await cell.after(feed, after)
        whats += [msgspec.msgpack.decode(fields[1], type=FeedChange).what for _, fields in entries]
        after = entries[-1][0]
    assert whats.index("offered") < whats.index("withdrawn")
    await engine.stop()


async def test_a_newer_configuration_reaches_the_roster_once(cell: Bench) -> None:
    """Published bytes are taken with the command that names their version; a version at hand is dropped."""
    engine = await cell.open()
    await cell.do(AgentArrives(ACCOUNT, origin("desk_a", 0), ANN))
    newer = workplace(version=2, capacity=7)
    line = await cell.dial()
    pack = msgspec.msgpack.encode([PublishConfig(ACCOUNT, 2), PublishConfig(ACCOUNT, 2), PublishConfig(ACCOUNT, 1)])
    await scripts.publish_config(line, CELL, scripts.ConfigVersion(ACCOUNT, 2, CONFIG_ENCODER.encode(newer), pack))
    length = len([row for commit in await cell.outbox() for row in commit.roster])
    await cell.do(admits())
    events = [row for commit in await cell.outbox() for row in commit.roster]
    assert len(events) == length + 1
    assert cell.port.decode_event(events[-1].event).staffing.seats[0].capacity == 7
    await line.close()
    await engine.stop()


async def test_a_configuration_that_was_seen_before_its_command_still_reaches_the_roster(cell: Bench) -> None:
    """Whoever reads the new bytes first, for a visitor's sake, does not keep the roster from hearing of them."""
    engine = await cell.open()
    await cell.do(AgentArrives(ACCOUNT, origin("desk_a", 0), ANN))
    await engine.stop()
    await cell.put(admits(), sends(1, "Hei"))
    line = await cell.dial()
    newer = CONFIG_ENCODER.encode(workplace(version=2, capacity=7))
    pack = msgspec.msgpack.encode([PublishConfig(ACCOUNT, 2)])
    await scripts.publish_config(line, CELL, scripts.ConfigVersion(ACCOUNT, 2, newer, pack))
    engine = await cell.open()
    await cell.do(admits())
    events = [cell.port.decode_event(row.event) for commit in await cell.outbox() for row in commit.roster]
    assert 2 in [event.staffing.version for event in events if hasattr(event, "staffing")]
    await line.close()
    await engine.stop()
