"""A visitor's client against a server played by the test, over lines in memory."""

import asyncio

import pytest
import samtale
from samtale import journal
from samtale.line import MSGPACK, encode

from tests.unit.sdk.memory_line import Network, message
from tests.unit.sdk.phones import ack, client, opened, until


async def test_what_is_said_before_the_first_ready_goes_to_the_conversation_it_names(
    network: Network, visitor: samtale.VisitorClient
) -> None:
    """Words are kept until there is somewhere to say them."""
    asked = visitor.send("hei")
    line, hello = await opened(network)
    sent = await line.hear("send")
    line.say("ack", **ack(sent))
    assert (await asked).seq == 1
    assert (sent["conversation"], sent["n"], sent["text"]) == ("c1", 1, "hei")
    assert network.urls == ["ws://h:1/v1/mobile"]
    assert hello["credential"]["kind"] == "anonymous"


async def test_a_frame_without_outcome_is_sent_again_unchanged(
    network: Network, visitor: samtale.VisitorClient
) -> None:
    """After a lost line the same n and id come again."""
    line, _ = await opened(network)
    visitor.send("hei")
    first = await line.hear("send")
    line.cut()
    again, _ = await opened(network)
    assert await again.hear("send") == first


async def test_a_reader_resumes_from_what_it_has_seen(network: Network, visitor: samtale.VisitorClient) -> None:
    """The position in the next hello is the last event taken."""
    line, _ = await opened(network)
    line.say("event", **message(1, "one"))
    await until(visitor, samtale.LogEvent)
    line.cut()
    _, hello = await opened(network)
    assert hello["positions"] == [{"conversation": "c1", "seq": 1, "id": "1.1.0"}]


async def test_a_gap_is_resumed_and_never_shown(network: Network, visitor: samtale.VisitorClient) -> None:
    """An event after a missing one is not shown; the missing one is asked for."""
    line, _ = await opened(network)
    line.say("event", **message(1, "one"))
    line.say("caught_up", conversation="c1", seq=1, id="1.1.0", next_n=1)
    line.say("event", **message(3, "three"))
    resume = await line.hear("resume")
    assert resume["position"] == {"conversation": "c1", "seq": 1, "id": "1.1.0"}
    line.say("event", **message(2, "two"))
    line.say("event", **message(3, "three"))
    seen = [(await until(visitor, samtale.LogEvent)).seq for _ in range(3)]
    assert seen == [1, 2, 3]


async def test_what_others_say_is_receipted(network: Network, visitor: samtale.VisitorClient) -> None:
    """A message of an agent raises the delivered horizon; reading raises both."""
    line, _ = await opened(network)
    line.say("event", **message(1, "hello"))
    receipt = await line.hear("receipt")
    assert (receipt["delivered"], receipt["read"]) == (1, 0)


async def test_nothing_passes_an_unanswered_consent(network: Network, visitor: samtale.VisitorClient) -> None:
    """What is said behind an answer waits for the answer's outcome."""
    line, _ = await opened(network)
    visitor.answer_consent(True)
    visitor.send("hei")
    answer = await line.hear("answer")
    line.say("pong", ref="x", at=0)
    await asyncio.sleep(0)
    assert line.heard_nothing()
    line.say("ack", **ack(answer))
    assert (await line.hear("send"))["n"] == 2


async def test_a_late_word_about_numbers_takes_back_none(network: Network, visitor: samtale.VisitorClient) -> None:
    """`caught_up` may be written before an ack and arrive after it; what was acknowledged keeps its number."""
    line, _ = await opened(network)
    asked = visitor.send("first")
    line.say("ack", **ack(await line.hear("send")))
    await asked
    line.say("caught_up", conversation="c1", seq=0, id="", next_n=1)
    line.say("pong", ref="x", at=0)
    await asyncio.sleep(0)
    visitor.send("second")
    assert (await line.hear("send"))["n"] == 2


async def test_a_refusal_is_raised_where_it_is_awaited(network: Network, visitor: samtale.VisitorClient) -> None:
    """consent_required is told to whoever awaits the send, and its number is used again."""
    line, _ = await opened(network)
    asked = visitor.send("too early")
    sent = await line.hear("send")
    about = {"n": 1, "id": sent["id"], "conversation": "c1", "retryable": True, "text": ""}
    line.say("refused", code="consent_required", expected=1, **about)
    with pytest.raises(samtale.RefusedError, match="consent_required"):
        await asked
    visitor.send("again")
    assert (await line.hear("send"))["n"] == 1


async def test_a_rate_limited_frame_comes_again_by_itself(network: Network, visitor: samtale.VisitorClient) -> None:
    """The same frame is sent again after retry_after_ms."""
    line, _ = await opened(network)
    visitor.send("hei")
    sent = await line.hear("send")
    about = {"n": 1, "id": sent["id"], "conversation": "c1", "retryable": True, "text": ""}
    line.say("refused", code="rate_limited", expected=1, retry_after_ms=1, **about)
    assert await line.hear("send") == sent


async def test_what_is_over_for_good_continues_elsewhere(network: Network, visitor: samtale.VisitorClient) -> None:
    """After `continued` the same words with the same id go to the other conversation, which is resumed."""
    line, _ = await opened(network)
    visitor.send("hei")
    sent = await line.hear("send")
    about = {"n": 1, "id": sent["id"], "conversation": "c1", "retryable": True, "text": ""}
    line.say("refused", code="continued", instead="c2", **about)
    frames = {frame["t"]: frame for frame in [await line.hear(), await line.hear()]}
    assert frames["resume"]["position"]["conversation"] == "c2"
    assert (frames["send"]["conversation"], frames["send"]["id"]) == ("c2", sent["id"])
    assert visitor.conversation == "c2"


async def test_what_may_have_been_taken_is_asked_where_it_was(network: Network, visitor: samtale.VisitorClient) -> None:
    """`continued` moves its own frame and what was never sent; another's outcome comes from where it was sent."""
    line, _ = await opened(network)
    visitor.send("one")
    visitor.send("two")
    one, two = await line.hear("send"), await line.hear("send")
    about = {"n": 1, "id": one["id"], "conversation": "c1", "retryable": True, "text": ""}
    line.say("refused", code="continued", instead="c2", **about)
    moved = await line.hear("send")
    assert (moved["conversation"], moved["id"]) == ("c2", one["id"])
    visitor.send("three")
    line.say("ack", **ack(moved))
    line.say("ack", **ack(two))
    third = await line.hear("send")
    assert (third["text"], third["n"]) == ("three", 3)


async def test_after_data_loss_acknowledged_frames_are_offered_again(
    network: Network, visitor: samtale.VisitorClient
) -> None:
    """A higher epoch in `ready` brings the last sends back, before new ones, and the app hears of each once."""
    line, _ = await opened(network)
    first = visitor.send("one")
    sent = await line.hear("send")
    line.say("ack", **ack(sent))
    await first
    line.cut()
    again, _ = await opened(network, epoch=2)
    assert await again.hear("send") == sent


async def test_the_two_newest_secrets_are_presented(network: Network) -> None:
    """Newest first, from a store that outlives the client."""
    store = samtale.MemoryStore()
    keys = []
    for secret in ("a" * 16, "b" * 16, "c" * 16):
        async with client(network, store=store) as visitor:
            _, hello = await opened(network, secret=secret)
            keys.append(hello["credential"]["device_key"])
            await until(visitor, samtale.Connected)
    async with client(network, store=store):
        _, hello = await opened(network)
        assert hello["credential"]["secrets"] == ["c" * 16, "b" * 16]
        assert hello["credential"]["visitor"] == "vis1"
        assert set(keys) == {hello["credential"]["device_key"]}


async def test_an_unknown_visitor_begins_anew(network: Network, visitor: samtale.VisitorClient) -> None:
    """visitor_unknown: everything is forgotten, and the next hello is a new visitor's."""
    line, _ = await opened(network)
    await until(visitor, samtale.Connected)
    line.cut()
    line = await network.line()
    old = await line.hear("hello")
    line.say("refused", code="visitor_unknown", retryable=False, text="")
    _, hello = await opened(network)
    assert old["credential"]["visitor"] == "vis1"
    assert "visitor" not in hello["credential"]
    assert hello["credential"]["device_key"] != old["credential"]["device_key"]
    assert hello["positions"] == []


async def test_a_token_is_renewed_on_the_same_line(network: Network) -> None:
    """token_expiring asks the hook for a new one; every hello asks it too."""
    tokens = iter(["one", "two"])

    async def token() -> str:
        return next(tokens)

    async with client(network, token=token):
        line, hello = await opened(network, secret=None, token_expires_at=1)
        assert hello["credential"]["token"] == "one"
        line.say("token_expiring", in_ms=60_000)
        assert (await line.hear("refresh"))["token"] == "two"


@pytest.mark.parametrize("code", [4005, 4501, 4502, 4504, 4509])
async def test_some_closes_are_final(network: Network, visitor: samtale.VisitorClient, code: int) -> None:
    """The client says so, and its events end."""
    line, _ = await opened(network)
    line.cut(code)
    events = [event async for event in visitor.events()]
    assert events[-1] == samtale.Disconnected(code, "", None)


async def test_a_message_that_is_no_frame_ends_the_line_not_the_client(
    network: Network, visitor: samtale.VisitorClient
) -> None:
    """Garbage from a server makes the client connect again."""
    line, _ = await opened(network)
    line._down.put_nowait(b"\xc1")
    _, hello = await opened(network)
    assert hello["t"] == "hello"


async def test_unknown_frames_and_kinds_are_ignored(network: Network, visitor: samtale.VisitorClient) -> None:
    """What a newer server says does no harm, and an unknown kind counts as read."""
    line, _ = await opened(network)
    line.say("hologram", depth=3)
    event = message(1, "x")
    line.say("event", **{**event, "body": {"kind": "hologram", "depth": 3}})
    line.say("event", **message(2, "y"))
    assert isinstance((await until(visitor, samtale.LogEvent)).body, samtale.Unknown)
    assert (await until(visitor, samtale.LogEvent)).seq == 2


async def test_the_journal_tells_what_happened(
    network: Network, visitor: samtale.VisitorClient, facts: list[journal.Fact]
) -> None:
    """Asked, opened, sent, acked, seen, resynced, closed: in that order, with one digest for one text."""
    line, _ = await opened(network)
    asked = visitor.send("hei")
    line.say("ack", **ack(await line.hear("send"), 2))
    await asked
    line.say("event", **message(1, "velkommen"))
    line.say("event", **message(2, "hei", role="visitor"))
    line.say("resync", **{"conversation": "c1", "from": 1, "epoch": 1})
    line.cut(4001)
    await until(visitor, samtale.Disconnected)
    kinds = [type(fact).__name__ for fact in facts]
    assert kinds == ["Asked", "Opened", "Sent", "Acked", "Seen", "Seen", "Resynced", "Closed"]
    sent, seen = facts[2], facts[5]
    assert isinstance(sent, journal.Sent)
    assert isinstance(seen, journal.Seen)
    assert sent.digest == seen.digest


async def test_hidden_events_move_the_position_and_show_nothing(
    network: Network, visitor: samtale.VisitorClient
) -> None:
    """hidden{from, to, id} is a step of the position."""
    line, _ = await opened(network)
    line.say("hidden", **{"conversation": "c1", "from": 1, "to": 3, "id": "1.3.0"})
    line.say("event", **message(4, "four"))
    assert (await until(visitor, samtale.LogEvent)).seq == 4


async def test_history_is_a_page_of_typed_events(network: Network, visitor: samtale.VisitorClient) -> None:
    """Hidden ones are left out."""
    line, _ = await opened(network)
    await until(visitor, samtale.Connected)
    asking = asyncio.create_task(visitor.history("c1", before=9))
    asked = await line.hear("history")
    event = {"t": "event", **message(8, "eight")}
    line.say("history", ref=asked["ref"], conversation="c1", events=[event], more=True)
    page = await asking
    assert ([event.seq for event in page.events], page.more) == ([8], True)


def test_json_lines_carry_text_messages() -> None:
    """The JSON subprotocol sends str, MessagePack bytes."""
    assert encode({"t": "ping"}, samtale.JSON) == '{"t":"ping"}'
    assert isinstance(encode({"t": "ping"}, MSGPACK), bytes)


async def test_a_logout_is_said_as_soon_as_there_is_a_connection(network: Network) -> None:
    """It outlives the app that was told in a tunnel, and lines that end before it was answered."""
    store = samtale.MemoryStore()
    async with client(network, store=store) as visitor:
        await opened(network)
        await until(visitor, samtale.Connected)
    in_a_tunnel = client(network, store=store)
    async with in_a_tunnel:
        await network.line()  # which answers nothing
        in_a_tunnel.log_out()
    async with client(network, store=store) as visitor:
        line, _ = await opened(network)
        await line.hear("logout")
        line.cut()
        again, _ = await opened(network)
        await again.hear("logout")
        again.say("logged_out")
        await until(visitor, samtale.Forgotten)
        again.cut()
        _, hello = await opened(network)
        assert "visitor" not in hello["credential"]


async def test_an_epoch_that_rose_is_no_reason_to_drop_what_was_shown(
    network: Network, visitor: samtale.VisitorClient
) -> None:
    """A `resync` from behind the position: what was acknowledged is offered again, the app hears nothing of it."""
    line, _ = await opened(network)
    asked = visitor.send("hei")
    sent = await line.hear("send")
    line.say("ack", **ack(sent))
    await asked
    line.say("event", **message(1, "hei"))
    line.say("resync", **{"conversation": "c1", "from": 2, "epoch": 2})
    assert await line.hear("send") == sent
    line.cut(4501)
    heard = [event async for event in visitor.events()]
    assert not any(isinstance(event, samtale.Resynced) for event in heard)
