"""Consents taken back, and the app's own decision: said until the server says `done`."""

import pytest
import samtale

from tests.unit.sdk.memory_line import Network
from tests.unit.sdk.phones import client, opened, rest, until


async def test_a_wish_is_so_once_the_server_says_done(network: Network, visitor: samtale.VisitorClient) -> None:
    """Awaiting it waits for `done` with its ref, which the app hears, too."""
    line, _ = await opened(network)
    await until(visitor, samtale.Connected)
    asked = visitor.set_analytics_consent(True)
    said = await line.hear("set_analytics_consent")
    line.say("done", ref=said["ref"])
    assert (await asked).id == said["ref"]
    assert (said["granted"], await until(visitor, samtale.Done)) == (True, samtale.Done(said["ref"]))


async def test_a_wish_without_answer_is_said_on_the_next_line(network: Network) -> None:
    """Unchanged, and by the next life of the app if need be."""
    store = samtale.MemoryStore()
    async with client(network, store=store) as visitor:
        line, _ = await opened(network)
        await until(visitor, samtale.Connected)
        visitor.withdraw("process")
        first = await line.hear("withdraw")
        line.cut()
        line, _ = await opened(network)
        assert await line.hear("withdraw") == first
    async with client(network, store=store):
        line, _ = await opened(network)
        assert await line.hear("withdraw") == first


async def test_of_one_kind_only_the_newest_is_said(network: Network, visitor: samtale.VisitorClient) -> None:
    """What it overtook is not said after it, and hears the same outcome."""
    first, second = visitor.set_analytics_consent(True), visitor.set_analytics_consent(False)
    third = visitor.withdraw("communicate")
    line, _ = await opened(network)
    said = await line.hear("set_analytics_consent")
    assert said["granted"] is False
    line.say("done", ref=said["ref"])
    line.say("done", ref=(await line.hear("withdraw"))["ref"])
    assert [(await first).id, (await second).id] == [first.id, second.id]
    await third
    assert line.heard_nothing()


async def test_a_wish_that_can_be_had_later_is_said_again(network: Network, visitor: samtale.VisitorClient) -> None:
    """After retry_after_ms."""
    line, _ = await opened(network)
    await until(visitor, samtale.Connected)
    visitor.withdraw("analytics")
    said = await line.hear("withdraw")
    line.say("refused", code="overloaded", retryable=True, text="", ref=said["ref"], retry_after_ms=1)
    assert await line.hear("withdraw") == said


async def test_a_wish_refused_for_good_is_raised(network: Network, visitor: samtale.VisitorClient) -> None:
    """And not said again."""
    line, _ = await opened(network)
    await until(visitor, samtale.Connected)
    asked = visitor.withdraw("analytics")
    said = await line.hear("withdraw")
    line.say("refused", code="malformed", retryable=False, text="", ref=said["ref"])
    with pytest.raises(samtale.RefusedError, match="malformed"):
        await asked
    line.cut()
    again, _ = await opened(network)
    await until(visitor, samtale.Connected)
    await rest(visitor, again)
    assert again.heard_nothing()


async def test_a_withdrawn_storage_consent_empties_the_phone(network: Network) -> None:
    """From `done` on nothing is kept."""
    store = samtale.MemoryStore()
    storage = {"ask": "on_exit_intent", "text": "?", "text_hash": "h"}
    heading = {"kind": "custom", "name": "Hi"}
    flow = {"id": "f", "version": 1, "name": "F", "locale": "en", "heading": heading, "storage": storage}
    async with client(network, store=store) as visitor:
        visitor.permission.answered("granted")
        line, _ = await opened(network, chatflow=flow)
        await until(visitor, samtale.Connected)
        asked = visitor.withdraw("storage")
        kept = (store.load() or {}).get("visitor")
        line.say("done", ref=(await line.hear("withdraw"))["ref"])
        await asked
    assert (kept, store.load()) == ("vis1", {})
