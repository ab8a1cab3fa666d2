"""An agent's session: what one console may say and hear."""

from typing import Any

import msgspec
import pytest

from gateway.core.actions import End, Forward, LeaveFeed, ReadFeed, Tell
from gateway.core.feeds import FeedRead
from gateway.core.resume import Page
from gateway.core.session import encode
from protocol.bus import commands, topics
from protocol.bus.topics import Ephemeral
from protocol.ids import AccountId, DeviceId, InboxId, event_id
from protocol.wire import client
from protocol.wire.codes import CloseCode, Code
from protocol.wire.content import Author, Message, Role
from protocol.wire.kinds import Card
from protocol.wire.server import (
    FeedChange,
    FeedSnapshot,
    Presence,
)
from tests.kit.workplace import ACCOUNT, ANN, INBOX, workplace
from tests.unit.gateway.sessions import CHAT, NOW, agent, attach, done, head, hint, said, submitted

MINE = topics.agent_feed(ACCOUNT, ANN)
INBOX_FEED = topics.inbox_feed(ACCOUNT, INBOX)
HELLO = Message(Author(Role.VISITOR, "vis_kari"), "Hello?")


CARD = Card("Shoes", "Brown", "https://nordvik.example/shoes.jpg")


def change(seq: int, epoch: int = 1, feed: str = MINE) -> bytes:
    return msgspec.msgpack.encode(FeedChange(feed, seq, event_id(epoch, seq, 0), "offered", f"k{seq}", {"n": seq}))


@pytest.mark.parametrize(
    ("frame", "command"),
    [
        (client.AgentSend(n=1, id="a", conversation=CHAT, text="hi"), commands.AgentSends),
        (client.AgentClose(n=1, id="a", conversation=CHAT), commands.AgentCloses),
        (client.AgentSend(n=1, id="a", conversation=CHAT, canned="hours"), commands.AgentSends),
        (client.AgentSend(n=1, id="a", conversation=CHAT, content=CARD), commands.AgentSends),
        (client.AddNote(n=1, id="a", conversation=CHAT, text="hm", mentions=["agt_bo"]), commands.AddNote),
        (client.Tag(n=1, id="a", conversation=CHAT, add=["vip"]), commands.ChangeTags),
        (client.SetFields(n=1, id="a", conversation=CHAT, fields={"order": "7"}), commands.SetFields),
        (client.SetPriority(n=1, id="a", conversation=CHAT, priority="high"), commands.SetPriority),
        (client.Snooze(n=1, id="a", conversation=CHAT, until_ms=5), commands.SnoozeConversation),
        (client.Block(n=1, id="a", conversation=CHAT), commands.BlockVisitor),
        (client.SetTicket(n=1, id="a", conversation=CHAT, status="closed"), commands.SetTicket),
        (client.Transfer(n=1, id="a", conversation=CHAT, team="tea_1"), commands.TransferConversation),
        (client.SetState(n=1, id="a", state="away"), commands.SetAgentState),
        (client.Accept(n=1, id="a", offer="off_1"), commands.AcceptOffer),
        (client.Decline(n=1, id="a", offer="off_1"), commands.DeclineOffer),
        (client.Claim(n=1, id="a", conversation=CHAT), commands.ClaimConversation),
        (client.Transfer(n=1, id="a", conversation=CHAT, to="agt_bo"), commands.TransferConversation),
    ],
)
def test_each_frame_becomes_its_command(frame: Any, command: type[Any]) -> None:
    """The agent is the session's own, whatever the frame says."""
    (made,) = submitted(agent().receive(frame, NOW))
    assert type(made) is command
    assert made.agent == ANN


def test_all_frames_of_a_console_are_one_series() -> None:
    """A refusal about one conversation holds up another's frames (SPEC 5.1)."""
    session = agent(agent_message_burst=1)
    session.receive(client.AgentSend(n=1, id="a", conversation=CHAT, text="hi"), NOW)
    (refusal,) = said(session.receive(client.Claim(n=2, id="b", conversation="cnv_2"), NOW))
    assert (refusal.code, refusal.expected) == (Code.RATE_LIMITED.wire, 2)
    (behind,) = said(session.receive(client.SetState(n=3, id="c", state="away"), NOW))
    assert (behind.code, behind.expected) == (Code.OUT_OF_ORDER.wire, 2)


@pytest.mark.parametrize(
    "changes",
    [{"account": AccountId("acc_other")}, {"inbox": InboxId("inb_other")}, {"status": "gated"}],
)
def test_what_is_not_for_this_agent_is_not_found(changes: dict[str, Any]) -> None:
    """Another account's, another inbox's and gated conversations look alike: like none."""
    (refusal,) = said(attach(agent(), CHAT, Page(1, [hint(1, HELLO)], head=head(**changes))))
    assert refusal.code == Code.NOT_FOUND.wire


def test_access_that_is_taken_away_ends_the_reading() -> None:
    """A newer configuration acts at once, on conversations and on feeds."""
    session = agent()
    session.begin([])
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    config = workplace(version=2)
    actions = session.configured(
        msgspec.structs.replace(config, inboxes=[msgspec.structs.replace(config.inboxes[0], agents=[])])
    )
    (refusal,) = said(actions)
    assert (refusal.code, refusal.conversation) == (Code.NOT_FOUND.wire, CHAT)
    assert LeaveFeed(INBOX_FEED) in actions
    assert session.hinted(CHAT, [hint(2, HELLO)]) == []


def test_a_seat_that_is_taken_away_ends_the_session() -> None:
    """4504 (SPEC 11)."""
    config = workplace(version=2)
    agents = [msgspec.structs.replace(each, seat=each.id != ANN) for each in config.agents]
    (end,) = agent().configured(msgspec.structs.replace(config, agents=agents))
    assert isinstance(end, End)
    assert end.code is CloseCode.REVOKED


def test_typing_is_told_to_the_visitor_and_to_colleagues() -> None:
    """Once for each audience, with the agent's name."""
    session = agent()
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    tells = session.receive(client.Typing(conversation=CHAT, on=True), NOW)
    assert [tell.audience for tell in tells if isinstance(tell, Tell)] == ["visitor", "staff"]
    assert all(b"Ann" in tell.frame for tell in tells if isinstance(tell, Tell))


def test_the_visitors_presence_is_told_when_it_changes() -> None:
    """Answers to our own asking are no news."""
    session = agent()
    came = attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    assert [tell.audience for tell in came if isinstance(tell, Tell)] == ["staff", "present"]
    online = Ephemeral("staff", DeviceId("dev_kari1"), encode(Presence(CHAT, True)))
    assert session.ephemeral(CHAT, online) == [Forward([online.frame])]
    assert session.ephemeral(CHAT, online) == []


def test_a_visitor_who_stays_silent_for_two_checks_is_gone() -> None:
    """Presence converges within two heartbeats, however many frames were lost (G10)."""
    session = agent()
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    session.ephemeral(CHAT, Ephemeral("staff", DeviceId("dev_kari1"), encode(Presence(CHAT, True))))
    assert said(session.check()) == []
    assert said(session.check()) == [Presence(CHAT, False)]
    assert said(session.check()) == []


def test_a_visitor_who_answers_stays() -> None:
    """Being asked and answering changes nothing."""
    session = agent()
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    online = Ephemeral("staff", DeviceId("dev_kari1"), encode(Presence(CHAT, True)))
    for _ in range(3):
        session.ephemeral(CHAT, online)
        assert said(session.check()) == []


def test_leaving_is_told_to_the_roster() -> None:
    """A lost line is the end of a session, whatever else is."""
    (leaves,) = submitted(agent().lost())
    assert isinstance(leaves, commands.AgentLeaves)


def test_an_outcome_of_a_claim_names_its_conversation() -> None:
    """Though agents' frames are one series, what they are about is told."""
    session = agent()
    (command,) = submitted(session.receive(client.Claim(n=1, id="a", conversation=CHAT), NOW))
    (ack,) = said(session.outcome(done(1, "a", seq=3, event="1.2.0"), command))
    assert (ack.conversation, ack.seq) == (CHAT, 3)


# Feeds.


def test_each_feed_is_read_from_where_the_client_is() -> None:
    """Own feed and one per inbox; what the client does not have begins at nothing."""
    actions = agent().begin([client.FeedPosition(MINE, 4, "1.4.0"), client.FeedPosition("inbox:other", 1, "1.1.0")])
    assert actions == [ReadFeed(MINE, 4, "1.4.0"), ReadFeed(INBOX_FEED, 0, "")]


def test_rows_come_as_a_snapshot_and_changes_as_they_are() -> None:
    """SPEC 8.3."""
    session = agent()
    session.begin([])
    rows = {f"k{size}": {f"f{number}": number for number in range(size)} for size in (0, 14, 15, 16)}
    stored = {key: msgspec.msgpack.encode(row) for key, row in rows.items()}
    (snapshot,) = said(session.feed_read(MINE, FeedRead(7, "1.7.0", None, stored)))
    told = msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot), type=FeedSnapshot)
    assert told == FeedSnapshot(MINE, 7, "1.7.0", [{"key": key, **row} for key, row in rows.items()])
    (frame,) = said(session.feed_read(INBOX_FEED, FeedRead(1, "1.1.0", [change(1, feed=INBOX_FEED)])))
    assert frame["seq"] == 1


def test_changes_published_while_a_feed_is_read_come_after_it_once() -> None:
    """Those the read had are not repeated."""
    session = agent()
    session.begin([])
    session.feed_changed(MINE, [change(1), change(2)])
    frames = said(session.feed_read(MINE, FeedRead(1, event_id(1, 1, 0), None, {})))
    assert [getattr(frame, "seq", None) or frame["seq"] for frame in frames] == [1, 2]


@pytest.mark.parametrize("missed", [change(3), change(1, epoch=2), change(2, epoch=2)])
def test_a_change_that_does_not_follow_makes_the_feed_be_read(missed: bytes) -> None:
    """A gap, or another epoch."""
    session = agent()
    session.begin([])
    session.feed_read(MINE, FeedRead(1, event_id(1, 1, 0), None, {}))
    assert session.feed_changed(MINE, [missed]) == [ReadFeed(MINE, 1, event_id(1, 1, 0))]


def test_a_repeated_change_is_dropped() -> None:
    """Hints may come twice."""
    session = agent()
    session.begin([])
    session.feed_read(MINE, FeedRead(2, event_id(1, 2, 0), None, {}))
    assert session.feed_changed(MINE, [change(1), change(2)]) == []


def test_what_passes_by_while_a_resume_is_read_is_no_reason_to_refuse() -> None:
    """A receipt right behind a resume is dropped; `not_found` would tell the client to forget the conversation."""
    session = agent()
    (early,) = said(session.receive(client.Receipt(CHAT, 1), NOW))
    assert early.code == Code.NOT_FOUND.wire
    session.receive(client.Resume(client.Position(CHAT, 0, "")), NOW)
    assert said(session.receive(client.Receipt(CHAT, 1), NOW)) == []
    assert said(session.receive(client.Typing(CHAT, True), NOW)) == []
