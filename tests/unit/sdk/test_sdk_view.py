"""What is shown: held by its etag, kept current, and no reason to leave a conversation."""

from typing import Any

import pytest
import samtale

from tests.unit.sdk.memory_line import Network
from tests.unit.sdk.phones import client, event, opened, until

WHOLE: dict[str, Any] = {
    "id": "f",
    "version": 2,
    "name": "F",
    "locale": "nb",
    "heading": {"kind": "users_and_teams", "people": [{"name": "Kari"}]},
    "welcome": "Hei!",
    "consent": {"mode": "explicit", "text": "Greit?", "text_hash": "h",
                "communicate": {"subscription": "s", "label": "Nyheter", "text_hash": "k"}},
    "email": {"text": "Hvor?"},
    "display": {"small": "launcher", "large": "open", "accent": "#000000", "on_accent": "#ffffff"},
    "texts": {"send": "Send"},
    "etag": "w-1",
}  # fmt: skip
SHORT = {name: WHOLE[name] for name in ("id", "version", "name", "locale", "etag")}


async def test_a_view_is_typed_throughout(network: Network, visitor: samtale.VisitorClient) -> None:
    """Heading, consent with its box, e-mail, display, texts, availability and steps."""
    there = {"open": False, "text": "Tilbake kl. 8", "opens_at": 5, "reply": "hour"}
    await opened(network, chatflow=WHOLE, availability=there, steps={"outstanding": ["email"]})
    connected = await until(visitor, samtale.Connected)
    flow = connected.chatflow
    assert flow.heading == samtale.Heading("users_and_teams", people=[samtale.Person("Kari")])
    assert flow.heading.title == "Kari"
    assert flow.consent.communicate == samtale.Communicate("s", "Nyheter", "k")
    assert (flow.email, flow.display.large) == (samtale.EmailAsk("Hvor?"), "open")
    assert connected.availability == samtale.Availability(False, True, "Tilbake kl. 8", 5, "hour")
    assert (connected.steps, visitor.chatflow) == (samtale.Steps(["email"]), flow)


async def test_a_view_that_is_held_is_not_sent_again(network: Network) -> None:
    """The etag goes with hello, also in the next life of the app; what comes is taken into what is held."""
    store = samtale.MemoryStore()
    async with client(network, store=store) as visitor:
        _, hello = await opened(network, chatflow=WHOLE)
        await until(visitor, samtale.Connected)
        assert "view" not in hello
    async with client(network, store=store) as visitor:
        heading = {"kind": "users_and_teams", "people": [{"name": "Ola"}]}
        _, hello = await opened(network, chatflow={**SHORT, "heading": heading})
        flow = (await until(visitor, samtale.Connected)).chatflow
    assert (hello["view"], flow.welcome, flow.texts) == ("w-1", "Hei!", {"send": "Send"})
    assert flow.heading.title == "Ola"


async def test_another_view_takes_the_place_of_the_one_held(network: Network, visitor: samtale.VisitorClient) -> None:
    """Nothing of the old one shines through."""
    line, _ = await opened(network, chatflow=WHOLE)
    line.say("chatflow", chatflow={**SHORT, "heading": {"kind": "custom", "name": "N"}, "etag": "w-2"})
    flow = (await until(visitor, samtale.Serving)).chatflow
    assert (flow.welcome, flow.consent, flow.texts, visitor.chatflow) == (None, None, {}, flow)


async def test_what_is_served_now_is_told(network: Network, visitor: samtale.VisitorClient) -> None:
    """Closed, and then nobody serves the tag any more."""
    line, _ = await opened(network, chatflow=WHOLE, availability={"open": True})
    line.say(
        "chatflow", chatflow=SHORT | {"heading": WHOLE["heading"]}, conversation="c1", availability={"open": False}
    )
    line.say("chatflow", chatflow=None, reason="no_chatflow")
    closed, gone = await until(visitor, samtale.Serving), await until(visitor, samtale.Serving)
    assert (closed.availability.open, closed.chatflow.welcome) == (False, "Hei!")
    assert (gone.chatflow, gone.reason, visitor.availability) == (None, "no_chatflow", None)


async def test_a_view_is_held_while_nothing_is_served(network: Network, visitor: samtale.VisitorClient) -> None:
    """Switched off and on again, it is shown whole, though only what may differ was sent."""
    line, _ = await opened(network, chatflow=WHOLE)
    line.say("chatflow", chatflow=None, reason="no_chatflow")
    line.say("chatflow", chatflow=SHORT | {"heading": WHOLE["heading"]}, conversation="c1")
    gone, back = await until(visitor, samtale.Serving), await until(visitor, samtale.Serving)
    assert (gone.chatflow, back.chatflow.welcome) == (None, "Hei!")


@pytest.mark.parametrize(("log", "talks_in"), [([], "c2"), (["started"], "c1"), (["started", "closed"], "c2")])
async def test_a_conversation_that_goes_on_is_not_left(
    network: Network, visitor: samtale.VisitorClient, log: list[str], talks_in: str
) -> None:
    """Another chatflow is for the next conversation; whoever has none open begins it there."""
    bodies: dict[str, Any] = {
        "started": {"chatflow": "f", "version": 1, "locale": "en", "welcome": None},
        "closed": {"by": {"role": "visitor", "id": "v"}, "reason": "visitor"},
    }
    line, _ = await opened(network)
    for seq, kind in enumerate(log, start=1):
        line.say("event", **event(seq, kind, **bodies[kind]))
    line.say("chatflow", chatflow=WHOLE, conversation="c2")
    await until(visitor, samtale.Serving)
    visitor.send("hei")
    assert (await line.hear("send"))["conversation"] == talks_in


async def test_a_line_that_was_lost_does_not_move_the_user_either(
    network: Network, visitor: samtale.VisitorClient
) -> None:
    """`ready` may name another conversation to begin; the one that is open stays in front."""
    line, _ = await opened(network)
    line.say("event", **event(1, "started", chatflow="f", version=1, locale="en", welcome=None))
    await until(visitor, samtale.LogEvent)
    line.cut()
    open_now = {"id": "c1", "status": "open", "seq": 1, "event": "1.1.0", "next_n": 1}
    line, _ = await opened(network, conversation="c2", conversations=[open_now])
    visitor.send("hei")
    assert (await line.hear("send"))["conversation"] == "c1"


async def test_a_user_may_go_back_to_another_conversation(network: Network, visitor: samtale.VisitorClient) -> None:
    """It is read, and what is said next goes there."""
    line, _ = await opened(network)
    await until(visitor, samtale.Connected)
    visitor.talk_in("c0")
    assert (await line.hear("resume"))["position"]["conversation"] == "c0"
    visitor.send("hei")
    assert (await line.hear("send"))["conversation"] == "c0"
