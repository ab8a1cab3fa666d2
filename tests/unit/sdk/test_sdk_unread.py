"""How much there is to read."""

import samtale

from tests.unit.sdk.memory_line import Network, message
from tests.unit.sdk.phones import client, event, opened, rest, until

KARI = {"role": "agent", "id": "", "name": "Nordvik"}


async def test_what_others_say_is_unread_until_it_is_read(network: Network, visitor: samtale.VisitorClient) -> None:
    """Each message of another counts one, one's own none; reading counts them off, and each change is told."""
    line, _ = await opened(network)
    line.say("event", **message(1, "one"))
    line.say("event", **message(2, "mine", role="visitor"))
    line.say("event", **message(3, "two"))
    counts = [(await until(visitor, samtale.Unread)).count for _ in range(2)]
    visitor.read("c1", 1)
    counts.append((await until(visitor, samtale.Unread)).count)
    visitor.read("c1", 3)
    counts.append((await until(visitor, samtale.Unread)).count)
    assert (counts, visitor.unread) == ([1, 2, 1, 0], 0)


async def test_a_removed_message_is_not_unread(network: Network, visitor: samtale.VisitorClient) -> None:
    """Neither one that was removed before it was seen, nor one that arrives empty."""
    line, _ = await opened(network)
    line.say("event", **message(1, "one"))
    line.say("event", **event(2, "redacted", by=KARI, of=1))
    line.say("event", **event(3, "message", by=KARI, text="", redacted=True))
    while (await until(visitor, samtale.LogEvent)).seq < 3:
        pass
    assert visitor.unread == 0


async def test_nothing_of_what_was_erased_is_unread(network: Network, visitor: samtale.VisitorClient) -> None:
    """The last entry of an erased conversation takes all that came before it."""
    line, _ = await opened(network)
    line.say("event", **message(1, "one"))
    line.say("event", **message(2, "two"))
    line.say("event", **event(3, "erased"))
    while (await until(visitor, samtale.LogEvent)).seq < 3:
        pass
    assert visitor.unread == 0


async def test_what_was_read_is_read_in_the_next_life_of_the_app(network: Network) -> None:
    """The log is read anew from its beginning; only what came after counts, and is told once."""
    store = samtale.MemoryStore()
    async with client(network, store=store) as visitor:
        line, _ = await opened(network)
        line.say("event", **message(1, "one"))
        await until(visitor, samtale.LogEvent)
        visitor.read("c1", 1)
    async with client(network, store=store) as visitor:
        line, _ = await opened(network, at=9)
        for seq in (1, 2, 3):
            line.say("event", **message(seq, "x"))
        line.say("caught_up", conversation="c1", seq=3, id="1.3.0", next_n=1)
        await until(visitor, samtale.CaughtUp)
        line.say("pong", ref="x", at=0)
        told = [event for event in await rest(visitor, line) if isinstance(event, samtale.Unread)]
    assert (visitor.unread, told) == (2, [samtale.Unread("c1", 2)])


async def test_a_resync_takes_back_what_it_voids(network: Network, visitor: samtale.VisitorClient) -> None:
    """A message that follows anew counts once."""
    line, _ = await opened(network)
    line.say("event", **message(1, "one"))
    line.say("resync", **{"conversation": "c1", "from": 1, "epoch": 1})
    line.say("event", **message(1, "another"))
    for _ in range(2):
        await until(visitor, samtale.LogEvent)
    assert visitor.unread == 1
