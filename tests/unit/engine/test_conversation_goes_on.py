"""Talking, losing, handing over, closing, reopening, parking."""

from msgspec.structs import replace

from engine.core import phases
from engine.core.decide import Park
from engine.core.react import on_refusal
from protocol.bus.commands import ClaimConversation
from protocol.bus.decisions import Already, First, Refusal
from protocol.bus.effects import Assign, NoteClosed, Release, Seek
from protocol.ids import AccountId
from protocol.wire.codes import Code
from tests.kit.threads import Thread
from tests.kit.workplace import (
    ACCOUNT,
    ANN,
    ASKS,
    BO,
    OLA,
    OPEN,
    RULE,
    UNROUTED,
    answers,
    author,
    closes,
    conversation,
    hangs_up,
    replies,
    sends,
    workplace,
)


def talking(answered: bool = False) -> Thread:
    """A conversation that Ann has; `answered` if she owes no reply."""
    thread = Thread()
    thread.ask(sends())
    thread.assign(ANN)
    if answered:
        thread.ask(replies(ANN, 1, thread.state.id))
    return thread


def closed(at_ms: int = 5_000) -> Thread:
    """A conversation that Ann had and closed."""
    thread = talking()
    thread.ask(hangs_up(ANN, 2, thread.state.id), at_ms)
    thread.current(closed_at_ms=at_ms)
    return thread


def test_assignment() -> None:
    """An assigned agent has the conversation and owes a reply since the visitor first waited."""
    assert talking().state.phase == phases.Talking(author(ANN), 1_000, 2_000)


def test_reply_pays() -> None:
    """A reply pays what is owed; the visitor's next message owes again from then."""
    thread = talking(answered=True)
    assert thread.state.phase == phases.Talking(author(ANN), None, 2_000, answered=True)
    thread.ask(sends(2), 9_000)
    thread.ask(sends(3), 10_000)
    assert thread.state.phase == phases.Talking(author(ANN), 9_000, 2_000, answered=True)


def test_messages_ask_nothing() -> None:
    """A message in a conversation that somebody has asks nothing of the cell."""
    thread = talking()
    thread.ask(sends(2))
    assert thread.asked == []


def test_another_agent() -> None:
    """An agent who does not have the conversation can neither send nor close."""
    thread = talking()
    assert thread.ask(replies(BO, 1, thread.state.id)) == Refusal(Code.NOT_ASSIGNED)
    assert thread.ask(hangs_up(BO, 1, thread.state.id)) == Refusal(Code.NOT_ASSIGNED)


def test_reply_claims() -> None:
    """A reply to a conversation that nobody has claims it first, under no number of its own."""
    thread = Thread()
    thread.ask(sends())
    decision = thread.ask(replies(BO, 7, thread.state.id))
    assert isinstance(decision, First)
    assert isinstance(decision.command, ClaimConversation)
    assert (decision.command.agent, decision.command.origin.n) == (BO, 0)


def test_agents_do_not_see_the_gate() -> None:
    """To agents, a gated conversation does not exist."""
    thread = Thread(ASKS)
    thread.ask(answers(value="declined"))
    assert thread.ask(replies(ANN, 1, thread.state.id)) == Refusal(Code.NOT_FOUND)
    assert thread.ask(hangs_up(ANN, 1, thread.state.id)) == Refusal(Code.NOT_FOUND)


def test_lost_while_owing() -> None:
    """A lost agent who owes a reply loses the conversation at once, and the visitor keeps the place."""
    thread = talking()
    assert [type(body).__name__ for body in thread.lose(ANN)] == ["Unassigned", "Queued"]
    assert thread.state.phase == phases.Waiting(1_000)
    (seek,) = thread.asked
    assert (seek.avoid, seek.prefer, seek.since_ms, seek.rule) == (ANN, None, 1_000, RULE)


def test_lost_owing_nothing() -> None:
    """A lost agent who owes nothing leaves the conversation to be claimed, until the visitor speaks."""
    thread = talking(answered=True)
    assert [type(body).__name__ for body in thread.lose(ANN)] == ["Unassigned"]
    (seek,) = thread.asked
    assert isinstance(seek, Seek)
    assert (thread.state.phase, seek.rule) == (phases.Unassigned(None), None)
    assert thread.kinds(sends(2), 9_000) == ["Message", "Queued"]
    (seek,) = thread.asked
    assert (seek.prefer, seek.since_ms, seek.rule) == (ANN, 9_000, RULE)


def test_lost_somebody_else() -> None:
    """Losing an agent who does not have the conversation changes nothing."""
    assert talking().lose(BO) == Already()


def test_lost_without_a_rule() -> None:
    """With assignment off, a lost agent leaves the conversation unassigned."""
    thread = Thread(UNROUTED)
    thread.ask(sends(flow=UNROUTED))
    thread.assign(ANN)
    assert [type(body).__name__ for body in thread.lose(ANN)] == ["Unassigned", "Unrouted"]


def test_hand_over() -> None:
    """A transfer tells the colleagues why, and leaves the visitor's wait as it was."""
    thread = talking()
    told, taken, given = thread.hand_over(ANN, BO)
    assert (told.note, taken.agent.id, given.agent.id) == ("Knows more", ANN, BO)
    assert thread.state.phase == phases.Talking(author(BO), 1_000, 3_000)
    assert thread.hand_over(ANN, BO) == Already()
    assert thread.asked == []


def test_assigned_twice() -> None:
    """Assigning who has it already changes nothing."""
    assert talking().assign(ANN) == Already()


def test_close_by_agent() -> None:
    """Closing tells the visitor's record, and frees the agent."""
    thread = talking()
    (body,) = thread.ask(hangs_up(ANN, 2, thread.state.id), 5_000)
    assert (body.reason, body.by) == ("agent", author(ANN))
    assert [type(asked) for asked in thread.asked] == [NoteClosed, Release]
    assert thread.ask(hangs_up(ANN, 3, thread.state.id)) == Already(5, thread.log[-1].id)
    assert thread.ask(hangs_up(BO, 3, thread.state.id)) == Refusal(Code.NOT_ASSIGNED)


def test_close_by_visitor() -> None:
    """The visitor may close; closing again names the entry that did."""
    thread = talking()
    (body,) = thread.ask(closes(2))
    assert body.reason == "visitor"
    assert thread.ask(closes(3)) == Already(5, thread.log[-1].id)


def test_nobody_on_an_empty_line() -> None:
    """An assignment that comes after the end is refused, and the agent released."""
    late = Assign(ACCOUNT, closed().state.id, author(BO), "offer")
    assert closed().ask(late) == Refusal(Code.CONVERSATION_CLOSED)
    assert on_refusal(late) == [Release(ACCOUNT, late.conversation)]


def test_agent_after_the_end() -> None:
    """Agents cannot write into a closed conversation."""
    thread = closed()
    assert thread.ask(replies(ANN, 3, thread.state.id)) == Refusal(Code.CONVERSATION_CLOSED)


def test_reopen_prefers_the_last_agent() -> None:
    """A message within the reopen window reopens; the last agent is preferred within the rule's window."""
    thread = closed()
    assert thread.kinds(sends(2), 1_000_000) == ["Reopened", "Message", "Queued"]
    noted, seek = thread.asked
    assert (noted.closed, seek.prefer, seek.since_ms) == (False, ANN, 1_000_000)


def test_reopen_later() -> None:
    """Past the rule's window the last agent is not preferred any more."""
    thread = closed()
    thread.ask(sends(2), 5_000 + 1_800_000)
    assert thread.asked[-1].prefer is None


def test_past_the_reopen_window() -> None:
    """At the end of the reopen window the conversation is over for good, and the next one is named."""
    thread = closed()
    assert thread.kinds(sends(2), 5_000 + 3_600_000 - 1)[0] == "Reopened"
    thread = closed()
    over = thread.ask(sends(2), 5_000 + 3_600_000)
    assert over == Refusal(Code.CONTINUED, instead=conversation(ordinal=2))


def test_answer_reopens_nothing() -> None:
    """An answer to a chatflow that asks by now is logged in the closed conversation, which stays closed."""
    thread = closed()
    thread.config = workplace(consent=workplace().chatflows[0].consent)
    assert thread.ask(sends(2), 6_000) == Refusal(Code.CONSENT_REQUIRED)
    assert thread.kinds(answers(3, flow=OPEN), 6_000) == ["ConsentAnswered"]
    assert thread.state.phase == closed().state.phase
    assert thread.ask(closes(4)) == Already(thread.state.seq - 1, thread.log[-2].id)


def test_parking() -> None:
    """A parked conversation frees its agent, is told to staff, and refuses everybody."""
    thread = talking()
    unassigned, parked = thread.ask(Park(ACCOUNT, thread.state.id, "ZeroDivisionError"))
    assert (unassigned.reason, parked.error) == ("parked", "ZeroDivisionError")
    assert thread.asked == [Release(ACCOUNT, thread.state.id)]
    for command in (sends(2), closes(2), replies(ANN, 1, thread.state.id), hangs_up(ANN, 1, thread.state.id)):
        assert thread.ask(command) == Refusal(Code.PARKED)


def test_isolation() -> None:
    """Another account's command, or another visitor's, finds nothing."""
    thread = talking()
    foreign = replace(sends(2), account=AccountId("acc_other"))
    assert thread.ask(foreign) == Refusal(Code.NOT_FOUND)
    for command in (sends(2), closes(2), answers(2)):
        stranger = replace(command, visitor=OLA, conversation=thread.state.id)
        assert thread.ask(stranger) == Refusal(Code.NOT_FOUND)
