"""A visitor's session: what one phone may say and hear."""

from typing import Any

import pytest

from gateway.core.actions import End, Mark, ReadLog, ReadOutcome, ReadPage, Tell, Unfollow, Wake
from gateway.core.asides import LOGOUT
from gateway.core.flow import No
from gateway.core.mobile import SOON
from gateway.core.resume import Page
from gateway.core.session import Moment, encode
from protocol.bus.commands import VisitorAnswers, VisitorCloses, VisitorSends
from protocol.bus.topics import Ephemeral
from protocol.ids import ConversationId, DeviceId, VisitorId
from protocol.wire import client
from protocol.wire.codec import About, BadFrame
from protocol.wire.codes import CloseCode, Code
from protocol.wire.content import Author, Message, Role
from protocol.wire.server import Presence, Receipts
from tests.kit.workplace import KARI, OPEN, phone, workplace
from tests.unit.gateway.sessions import CHAT, NOW, attach, done, head, hint, mobile, said, submitted

HELLO = Message(Author(Role.AGENT, "agt_ann", "Ann"), "Hello!")


def send(n: int, text: str = "hi", conversation: str = CHAT, frame_id: str = "") -> client.Send:
    return client.Send(n=n, id=frame_id or f"id{n}", conversation=conversation, text=text)


def test_a_send_becomes_a_command_with_its_origin() -> None:
    """The command carries who, where, what, and where its outcome goes."""
    (command,) = submitted(mobile().receive(send(1), NOW))
    assert isinstance(command, VisitorSends)
    assert (command.visitor, command.chatflow, command.text) == (KARI, OPEN, "hi")
    assert (command.origin.n, command.origin.id, command.origin.device) == (1, "id1", phone(KARI))


def test_text_is_brought_to_nfc() -> None:
    """A decomposed å is stored composed."""
    (command,) = submitted(mobile().receive(send(1, "Sma\u030a"), NOW))
    assert command.text == "Små"


def test_text_that_grows_beyond_the_limit_in_nfc_is_too_large() -> None:
    """The limit holds for what would be stored."""
    (refusal,) = said(mobile().receive(send(1, "\U0001d15e" * 6_000), NOW))
    assert (refusal.code, refusal.expected) == (Code.TOO_LARGE.wire, 1)


def test_close_and_answer_become_commands() -> None:
    """The other two frames that change state."""
    session = mobile()
    (closes,) = submitted(session.receive(client.Close(n=1, id="c", conversation=CHAT), NOW))
    answer = client.Answer(n=2, id="d", conversation=CHAT, step="consent_to_process", value="declined")
    (answers,) = submitted(session.receive(answer, NOW))
    assert isinstance(closes, VisitorCloses)
    assert isinstance(answers, VisitorAnswers)


def test_somebody_elses_conversation_does_not_exist() -> None:
    """An id that is not the visitor's own is not found, and keeps no place."""
    session = mobile()
    (asked,) = session.receive(send(7, conversation="cnv_other"), NOW)
    (refusal,) = said(session.outcome_read(asked, None))
    assert refusal.code == Code.NOT_FOUND.wire
    assert submitted(session.receive(send(1), NOW))


def test_the_same_frame_twice_is_asked_once() -> None:
    """While the first is under way its repeat says nothing new."""
    session = mobile()
    assert submitted(session.receive(send(1), NOW))
    assert session.receive(send(1), NOW) == []


def test_an_id_under_a_new_n_is_asked_again() -> None:
    """Renumbered frames pass, though the old attempt has no outcome yet."""
    session = mobile()
    session.receive(send(1, frame_id="a"), NOW)
    assert submitted(session.receive(send(2, frame_id="a"), NOW))


def test_what_is_offered_again_is_not_counted() -> None:
    """32 frames below what the ledger has taken pass at once, and leave the allowance of new ones whole (SPEC 5.3)."""
    session = mobile()
    session.flow.saw(CHAT, 33)
    for n in range(1, 33):
        assert submitted(session.receive(send(n), NOW))
        session.flow.resolve(CHAT, done(n, f"id{n}"))
    for n in range(33, 43):
        assert submitted(session.receive(send(n), NOW))
    (refusal,) = said(session.receive(send(43), NOW))
    assert (refusal.code, refusal.expected) == (Code.RATE_LIMITED.wire, 43)


def test_who_repeats_for_ever_is_limited_all_the_same() -> None:
    """Repeats have an allowance of their own, and then share that of new messages."""
    session = mobile()
    session.flow.saw(CHAT, 1_000)
    outcomes = []
    for n in range(1, 45):
        outcomes += said(session.receive(send(n), NOW))
        session.flow.resolve(CHAT, done(n, f"id{n}"))
    assert [(each.code, each.expected) for each in outcomes][:1] == [(Code.RATE_LIMITED.wire, 43)]


def test_over_the_rate_frames_are_refused_with_a_wait() -> None:
    """Ten at once, then one each two seconds; those behind the refused one wait for it."""
    session = mobile()
    for n in range(1, 11):
        assert submitted(session.receive(send(n), NOW))
    (refusal,) = said(session.receive(send(11), NOW))
    assert (refusal.code, refusal.expected) == (Code.RATE_LIMITED.wire, 11)
    assert 0 < refusal.retry_after_ms <= 2_001
    (behind,) = said(session.receive(send(12), NOW))
    assert (behind.code, behind.expected) == (Code.OUT_OF_ORDER.wire, 11)
    later = Moment(NOW.at_ms + refusal.retry_after_ms)
    assert submitted(session.receive(send(11), later))


def test_a_cell_in_trouble_refuses_before_anything_is_written() -> None:
    """Overload is told with its wait, and the place is kept."""
    session = mobile()
    trouble = Moment(1, No(Code.OVERLOADED, 0, 2_000))
    (refusal,) = said(session.receive(send(1), trouble))
    assert (refusal.code, refusal.retry_after_ms, refusal.expected) == (Code.OVERLOADED.wire, 2_000, 1)


def test_an_unreadable_numbered_frame_keeps_its_place() -> None:
    """What is too large or malformed does not let the next one overtake."""
    session = mobile()
    error = BadFrame(Code.TOO_LARGE, "too long", About(n=1, id="a", conversation=CHAT))
    (refusal,) = said(session.unreadable(error, NOW.at_ms))
    assert (refusal.code, refusal.n, refusal.id, refusal.expected) == (Code.TOO_LARGE.wire, 1, "a", 1)
    (behind,) = said(session.receive(send(2), NOW))
    assert behind.code == Code.OUT_OF_ORDER.wire


def test_garbage_ends_the_session_at_the_eleventh_within_a_minute() -> None:
    """SPEC 2.2."""
    session = mobile()
    garbage = BadFrame(Code.MALFORMED, "no frame", About())
    for _ in range(10):
        assert said(session.unreadable(garbage, NOW.at_ms))
    (end,) = session.unreadable(garbage, NOW.at_ms)
    assert isinstance(end, End)
    assert end.code is CloseCode.BAD_FRAME


def test_more_frames_than_any_client_needs_end_the_session() -> None:
    """A flood of valid frames is a flood."""
    session = mobile(frame_burst=5)
    for number in range(5):
        assert said(session.receive(client.Ping(ref=str(number)), NOW))
    (end,) = session.receive(client.Ping(ref="6"), NOW)
    assert isinstance(end, End)
    assert end.code is CloseCode.RATE_LIMITED


def test_an_outcome_is_told_as_ack_or_refusal() -> None:
    """SPEC 5.2."""
    session = mobile()
    (command,) = submitted(session.receive(send(1), NOW))
    (ack,) = said(session.outcome(done(1, "id1", conversation=CHAT, seq=4, event="1.2.0"), command))
    assert (ack.n, ack.id, ack.conversation, ack.seq, ack.event) == (1, "id1", CHAT, 4, "1.2.0")
    (command,) = submitted(session.receive(send(2), NOW))
    (refusal,) = said(session.outcome(done(2, "id2", code="n_conflict", expected=5), command))
    assert (refusal.code, refusal.retryable, refusal.expected) == ("n_conflict", True, 5)


def test_a_conversation_that_continues_elsewhere_may_be_addressed_there() -> None:
    """`instead` is the visitor's own, under the same chatflow."""
    session = mobile()
    (command,) = submitted(session.receive(send(1), NOW))
    over = done(1, "id1", code="continued", expected=1, instead="cnv_next")
    (asked,) = session.outcome(over, command)
    assert asked == ReadOutcome(ConversationId(CHAT), over)
    (refusal,) = said(session.outcome_read(asked, None))
    assert (refusal.code, refusal.instead) == ("continued", "cnv_next")
    (again,) = submitted(session.receive(send(1, conversation="cnv_next", frame_id="id1"), NOW))
    assert again.chatflow == OPEN


def test_what_a_conversation_took_before_it_left_redis_is_taken_once() -> None:
    """A days-late send is told what SQL remembers of it, and does not move to the next conversation."""
    session = mobile()
    (command,) = submitted(session.receive(send(1), NOW))
    over = done(1, "id1", code="continued", expected=1, instead="cnv_next")
    (asked,) = session.outcome(over, command)
    (ack,) = said(session.outcome_read(asked, done(1, "id1", conversation=CHAT, seq=2, event="1.1.1")))
    assert (ack.n, ack.seq, ack.event) == (1, 2, "1.1.1")


def test_a_visitor_whom_the_cell_let_go_of_comes_again() -> None:
    """The refusal is told, and hello brings the record back from SQL."""
    session = mobile()
    (command,) = submitted(session.receive(send(1), NOW))
    *told, end = session.outcome(done(1, "id1", code="unavailable", expected=1), command)
    assert said(told)[0].expected == 1
    assert isinstance(end, End)
    assert end.code is CloseCode.RESTARTED


def test_reading_begins_with_what_is_missed_and_ends_with_caught_up() -> None:
    """Entries, the other side's receipts, then where the log stands and the next n."""
    page = Page(1, [hint(1, HELLO), hint(2, HELLO)], head=head(), receipts={"staff": (2, 1)}, next_n=3)
    frames = said(attach(mobile(), CHAT, page))
    assert [frame["seq"] for frame in frames[:2]] == [1, 2]
    assert frames[2] == Receipts(CHAT, "staff", 2, 1)
    assert (frames[3].seq, frames[3].id, frames[3].next_n) == (2, "1.2.0", 3)


def test_caught_up_never_takes_back_a_number_whose_outcome_was_told() -> None:
    """The page was read before the outcome: a client that believed it would let a later frame in before an earlier."""
    session = mobile()
    (reading,) = [
        a for a in session.receive(client.Resume(client.Position(CHAT, 0, "")), NOW) if isinstance(a, ReadLog)
    ]
    (command,) = submitted(session.receive(send(1), NOW))
    session.outcome(done(1, "id1", conversation=CHAT, seq=2, event="1.2.0"), command)
    frames = said(session.log_read(CHAT, reading.turn, Page(1, [hint(1, HELLO)], head=head(), next_n=1)))
    assert frames[-1].next_n == 2


def test_a_run_of_hidden_entries_is_told_as_one() -> None:
    """Sequences stay whole for a reader who may not see everything (SPEC 7.4)."""
    entries = [hint(1, HELLO), hint(2, None), hint(3, None), hint(4, HELLO)]
    frames = said(attach(mobile(), CHAT, Page(1, entries, head=head())))
    assert (frames[1].from_seq, frames[1].to_seq, frames[1].id) == (2, 3, "1.3.0")


def test_another_visitors_log_is_not_shown() -> None:
    """The committed head decides; nothing of the page leaves."""
    stranger = ConversationId("cnv_stranger")
    page = Page(1, [hint(1, HELLO, stranger)], head=head(visitor=VisitorId("vis_other")))
    actions = attach(mobile(), stranger, page)
    (refusal,) = said(actions)
    assert refusal.code == Code.NOT_FOUND.wire
    assert any(isinstance(action, Unfollow) for action in actions)


def test_a_log_that_does_not_exist_is_read_only_if_it_is_ones_own() -> None:
    """A foreign id that was never started looks like any other foreign id."""
    assert said(attach(mobile(), CHAT, Page(1, [])))[-1].seq == 0
    (refusal,) = said(attach(mobile(), ConversationId("cnv_none"), Page(1, [])))
    assert refusal.code == Code.NOT_FOUND.wire


def test_an_own_older_conversation_may_be_addressed_once_read() -> None:
    """The head says whose it is, and under which chatflow."""
    session = mobile()
    older = ConversationId("cnv_older")
    attach(session, older, Page(1, [hint(1, HELLO, older)], head=head()))
    assert submitted(session.receive(send(1, conversation=older), NOW))


def test_a_gap_in_the_hints_makes_the_log_be_read() -> None:
    """What was missed is fetched; what came too early is not shown."""
    session = mobile()
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    actions = session.hinted(CHAT, [hint(3, HELLO)])
    assert said(actions) == []
    (read,) = [action for action in actions if isinstance(action, ReadLog)]
    assert read.from_seq == 1
    frames = said(session.log_read(CHAT, read.turn, Page(1, [hint(n, HELLO) for n in (1, 2, 3)], head=head())))
    assert [frame["seq"] for frame in frames] == [2, 3]


def test_a_reader_who_lost_nothing_is_told_that_the_epoch_rose() -> None:
    """What it was acknowledged may be lost all the same: `resync` from behind its position drops nothing (SPEC 6.4)."""
    session = mobile()
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    (read,) = session.checked(CHAT, 1, 2)
    assert isinstance(read, ReadLog)
    after = [hint(1, HELLO), hint(2, HELLO, epoch=2)]
    resync, event = said(session.log_read(CHAT, read.turn, Page(2, after, head=head(seq=2))))
    assert (resync.from_seq, resync.epoch) == (2, 2)
    assert event["seq"] == 2
    (again,) = session.checked(CHAT, 3, 2)
    assert isinstance(again, ReadLog)
    assert said(session.log_read(CHAT, again.turn, Page(2, after[1:], head=head(seq=2)))) == []


def test_a_page_of_an_earlier_resume_is_void() -> None:
    """Resuming again begins anew; the answer to the first read is dropped."""
    session = mobile()
    (first,) = [a for a in session.receive(client.Resume(client.Position(CHAT, 0, "")), NOW) if isinstance(a, ReadLog)]
    session.receive(client.Resume(client.Position(CHAT, 0, "")), NOW)
    assert session.log_read(CHAT, first.turn, Page(1, [hint(1, HELLO)], head=head())) == []


def test_one_session_reads_a_bounded_number_of_conversations() -> None:
    """The 33rd is refused."""
    session = mobile()
    for number in range(32):
        session.receive(client.Resume(client.Position(f"cnv_{number}", 0, "")), NOW)
    (refusal,) = said(session.receive(client.Resume(client.Position("cnv_33", 0, "")), NOW))
    assert refusal.code == Code.RATE_LIMITED.wire


def test_receipts_never_pass_what_was_shown() -> None:
    """A horizon beyond the reader's place is cut to it; what was read was delivered."""
    session = mobile()
    attach(session, CHAT, Page(1, [hint(1, HELLO), hint(2, HELLO)], head=head()))
    (mark,) = session.receive(client.Receipt(conversation=CHAT, delivered=0, read=99), NOW)
    assert mark == Mark(CHAT, "visitor", 2, 2)


@pytest.mark.parametrize(
    "frame",
    [client.Receipt(conversation=CHAT, delivered=1), client.Typing(conversation=CHAT, on=True)],
)
def test_what_passes_by_is_for_open_conversations_only(frame: Any) -> None:
    """Without having resumed it, a session says nothing at a conversation."""
    (refusal,) = said(mobile().receive(frame, NOW))
    assert refusal.code == Code.NOT_FOUND.wire


def test_one_does_not_hear_oneself_but_ones_other_phone() -> None:
    """What passes by goes to everybody but the device that said it."""
    session = mobile()
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    frame = encode(Presence(CHAT, True))
    assert session.ephemeral(CHAT, Ephemeral("visitor", phone(KARI), frame)) == []
    assert said(session.ephemeral(CHAT, Ephemeral("visitor", DeviceId("dev_other"), frame)))
    assert session.ephemeral(CHAT, Ephemeral("staff", phone(KARI), frame)) == []


def test_who_is_asked_for_answers() -> None:
    """Staff that comes later learns that the visitor is here; so it does when another phone left."""
    session = mobile()
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    here = Tell(CHAT, "staff", encode(Presence(CHAT, True)))
    assert session.ephemeral(CHAT, Ephemeral("present", DeviceId("dev_ann"), b"")) == [here]
    gone = encode(Presence(CHAT, False))
    assert session.ephemeral(CHAT, Ephemeral("staff", DeviceId("dev_other"), gone)) == [here]


def test_staff_hears_of_coming_and_going() -> None:
    """Presence is told when a conversation is opened and when the line is lost."""
    session = mobile()
    came = attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    assert Tell(CHAT, "staff", encode(Presence(CHAT, True))) in came
    assert session.lost() == [Tell(CHAT, "staff", encode(Presence(CHAT, False)))]


def test_history_shows_only_ones_own() -> None:
    """The head that came with the page decides."""
    session = mobile()
    (asked,) = session.receive(client.History(ref="r", conversation=CHAT, before=3), NOW)
    assert asked == ReadPage("r", CHAT, 3, 50)
    (page,) = said(session.history_read(asked, head(), [hint(1, HELLO), hint(2, None)], more=False))
    assert (page.ref, len(page.events), page.more) == ("r", 2, False)
    (refusal,) = said(session.history_read(asked, head(visitor=VisitorId("vis_x")), [hint(1, HELLO)], more=False))
    assert (refusal.code, refusal.ref) == (Code.NOT_FOUND.wire, "r")


def test_a_token_is_warned_of_and_then_ends_the_session() -> None:
    """60 s before, token_expiring; at the end, 4401 (SPEC 3.5)."""
    session = mobile()
    assert session.token.holds(200_000) == [Wake(140_000)]
    expiring, wake = session.woke(140_000)
    assert said([expiring])[0].in_ms == 60_000
    assert wake == Wake(200_000)
    (end,) = session.woke(200_000)
    assert isinstance(end, End)
    assert end.code is CloseCode.TOKEN_EXPIRED


def test_a_renewed_token_moves_the_end() -> None:
    """Wakes of the old one say nothing any more."""
    session = mobile()
    session.token.holds(200_000)
    (refreshed,) = said(session.token_checked(900_000))
    assert refreshed.token_expires_at == 900_000
    assert session.woke(140_000) == session.woke(200_000) == []


def test_a_token_that_fails_changes_nothing() -> None:
    """The old one goes on until its end."""
    session = mobile()
    session.token.holds(200_000)
    (refusal,) = said(session.token_checked(None, Code.SUBJECT_CHANGED))
    assert refusal.code == Code.SUBJECT_CHANGED.wire
    assert session.woke(200_000)


def test_logging_out_ends_the_session_once_it_is_committed() -> None:
    """logged_out, then 4504 (SPEC 3.7)."""
    session = mobile()
    (command,) = submitted(session.receive(client.Logout(), NOW))
    told, end = session.outcome(done(0, LOGOUT), command)
    assert type(said([told])[0]).__name__ == "LoggedOut"
    assert isinstance(end, End)
    assert end.code is CloseCode.REVOKED


def test_a_logout_is_asked_once_and_refused_by_nobody() -> None:
    """The cell let go of the visitor: come again, so that the record comes back and the device is revoked after all."""
    session = mobile()
    (command,) = submitted(session.receive(client.Logout(), NOW))
    assert session.receive(client.Logout(), NOW) == []
    (end,) = session.outcome(done(0, LOGOUT, code=Code.VISITOR_UNKNOWN.wire), command)
    assert isinstance(end, End)
    assert end.code.come_back


def test_an_app_that_is_no_more_ends_its_sessions() -> None:
    """Revocation acts on open sockets."""
    session = mobile()
    assert session.configured(workplace(version=2)) == [SOON]
    (end,) = session.configured(None)
    assert isinstance(end, End)
    assert end.code is CloseCode.REVOKED


def test_a_second_hello_is_no_frame() -> None:
    """Who somebody is does not change on an open socket."""
    hello = client.Hello(
        v=1, app_key="a", tag="t", credential=client.Anonymous("k" * 16), device=client.Device("ios", "1", "en")
    )
    (refusal,) = said(mobile().receive(hello, NOW))
    assert refusal.code == Code.MALFORMED.wire
