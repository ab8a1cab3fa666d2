"""A phone whose user logs in: what it began goes along, and nothing of it is lost on the way (SPEC 3.9)."""

import pytest
import samtale

from tests.unit.sdk.memory_line import Frame, MemoryLine, Network, message
from tests.unit.sdk.phones import ack, client, opened, until


async def token() -> str:
    """What the company signs of its user."""
    return "jwt"


async def logged_in(network: Network, visitor: samtale.VisitorClient) -> tuple[MemoryLine, Frame]:
    """Log in on a phone that is connected, and let the server know the user as vis2."""
    visitor.log_in(token)
    line, hello = await opened(network, visitor="vis2", device="dev2", secret=None, token_expires_at=1)
    await until(visitor, samtale.Connected)
    return line, hello


async def test_logging_in_shows_what_was_begun(network: Network, visitor: samtale.VisitorClient) -> None:
    """The next hello has the token and the secret of before, under the same device key; and so those after it."""
    _, before = await opened(network)
    await until(visitor, samtale.Connected)
    line, hello = await logged_in(network, visitor)
    assert hello["credential"] == {
        "kind": "identified",
        "device_key": before["credential"]["device_key"],
        "token": "jwt",
        "visitor": "vis1",
        "secrets": ["secret-1111111111111111"],
    }
    assert visitor.who == "vis2"
    line.cut()
    _, later = await opened(network, visitor="vis2", secret=None, token_expires_at=1)
    assert later["credential"] == hello["credential"]


async def test_nothing_is_forgotten_by_it(network: Network, visitor: samtale.VisitorClient) -> None:
    """What has no outcome is said again with its id and number; what was read is not read again."""
    line, _ = await opened(network)
    await until(visitor, samtale.Connected)
    line.say("event", **message(1, "one"))
    await until(visitor, samtale.LogEvent)
    asked = visitor.send("hei")
    sent = await line.hear("send")
    line, hello = await logged_in(network, visitor)
    assert [each["seq"] for each in hello["positions"]] == [1]
    assert await line.hear("send") == sent
    line.say("ack", **ack(sent))
    assert (await asked).id == sent["id"]


async def test_what_is_shown_is_shown_until_it_was_taken(network: Network, visitor: samtale.VisitorClient) -> None:
    """A line that ends before `ready` changes nothing."""
    await opened(network)
    await until(visitor, samtale.Connected)
    visitor.log_in(token)
    silent = await network.line()
    first = await silent.hear("hello")
    silent.cut()
    _, again = await opened(network, visitor="vis2", secret=None)
    assert again["credential"] == first["credential"]


async def test_a_secret_that_is_not_good_is_let_go(network: Network, visitor: samtale.VisitorClient) -> None:
    """The user comes with the token alone, and the app hears that what was shown is not theirs."""
    await opened(network)
    await until(visitor, samtale.Connected)
    visitor.log_in(token)
    line = await network.line()
    await line.hear("hello")
    line.say("refused", code="visitor_unknown", retryable=False, text="")
    line.cut(4501)
    await until(visitor, samtale.Forgotten)
    _, hello = await opened(network, visitor="vis2", secret=None)
    assert hello["credential"].keys() == {"kind", "device_key", "token"}


async def test_what_the_server_lost_is_shown_in_vain_once(network: Network, visitor: samtale.VisitorClient) -> None:
    """Once it was taken, a secret that is not good any more is dropped alone: the user goes on as they were."""
    await opened(network)
    await until(visitor, samtale.Connected)
    line, _ = await logged_in(network, visitor)
    asked = visitor.send("hei")
    sent = await line.hear("send")
    line.cut()
    late = await network.line()
    await late.hear("hello")
    late.say("refused", code="visitor_unknown", retryable=False, text="")
    line, hello = await opened(network, visitor="vis2", secret=None)
    assert hello["credential"].keys() == {"kind", "device_key", "token"}
    assert await line.hear("send") == sent
    line.say("ack", **ack(sent))
    await asked


async def test_another_user_must_log_out_first(network: Network, visitor: samtale.VisitorClient) -> None:
    """A phone has one user at a time; after the logout it is nobody's."""
    await opened(network)
    await until(visitor, samtale.Connected)
    line, _ = await logged_in(network, visitor)
    with pytest.raises(RuntimeError, match="log out first"):
        visitor.log_in(token)
    visitor.log_out()
    with pytest.raises(RuntimeError, match="log out first"):
        visitor.log_in(token)
    await line.hear("logout")
    line.say("logged_out")
    await until(visitor, samtale.Forgotten)
    line.cut()
    _, hello = await opened(network)
    assert (hello["credential"]["kind"], hello["credential"].get("visitor")) == ("anonymous", None)
    visitor.log_in(token)


async def test_a_next_life_of_the_app_may_bring_the_token(network: Network) -> None:
    """What the store has of before is shown with it."""
    store = samtale.MemoryStore()
    async with client(network, store=store) as visitor:
        await opened(network)
        await until(visitor, samtale.Connected)
    async with client(network, store=store, token=token):
        _, hello = await opened(network, visitor="vis2", secret=None)
        assert (hello["credential"]["visitor"], hello["credential"]["secrets"]) == ("vis1", ["secret-1111111111111111"])
