"""Conversations put before agents, and what comes of it."""

from protocol.bus.commands import AcceptOffer
from protocol.bus.config import Rule
from protocol.bus.decisions import Refusal
from protocol.bus.effects import Assign
from protocol.wire.codes import Code
from protocol.wire.content import Author, Role
from routing.core.events import ConversationOffered, OfferEnded
from routing.core.queue import Resting, Waiting
from tests.kit.shift import ACCOUNT, INBOX, RULE, Shift, account, agent


def two(**rule: object) -> Shift:
    """Return a shift with ann and bob ready, in that order."""
    shift = Shift(account([agent("ann"), agent("bob")], rules=[Rule(RULE, INBOX, "R", **rule)]))  # type: ignore[arg-type]
    shift.arrive("ann", "bob")
    return shift


def test_offers_go_round() -> None:
    """Each offer uses a turn."""
    shift = two()
    shift.seek("c1", "c2", "c3")
    assert [shift.asked(c) for c in ("c1", "c2", "c3")] == ["ann", "bob", "ann"]


def test_accepting_assigns() -> None:
    """The conversation is told its agent by name, and why."""
    shift = two()
    shift.seek("c1")
    shift.accept("c1")
    assert shift.said(Assign) == [Assign(ACCOUNT, "c1", Author(Role.AGENT, "ann", "Ann"), "offer")]
    assert shift.talks("c1") == "ann"


def test_an_offer_is_accepted_once() -> None:
    """A second acceptance finds the offer gone."""
    shift = two()
    shift.seek("c1")
    offer = shift.offered("c1").offer
    shift.accept("c1")
    assert shift.ask(AcceptOffer(ACCOUNT, shift.origin("ann"), "ann", offer)) == Refusal(Code.OFFER_GONE)


def test_another_agent_may_not_accept() -> None:
    """An offer is for one agent only."""
    shift = two()
    shift.seek("c1")
    command = AcceptOffer(ACCOUNT, shift.origin("bob"), "bob", shift.offered("c1").offer)
    assert shift.ask(command) == Refusal(Code.OFFER_GONE)


def test_a_declined_offer_goes_to_the_next() -> None:
    """Who declined is not asked again before everybody else was."""
    shift = two()
    shift.seek("c1")
    shift.decline("c1")
    assert shift.asked("c1") == "bob"


def test_an_expired_offer_goes_to_the_next() -> None:
    """The deadline is the rule's, to the millisecond."""
    shift = two(offer_timeout_s=7)
    shift.seek("c1")
    shift.pass_s(6.999)
    assert shift.asked("c1") == "ann"
    shift.pass_s(0.001)
    assert shift.asked("c1") == "bob"


def test_after_a_round_of_declines_there_is_a_rest() -> None:
    """When all ready agents declined, the conversation waits, then the round begins anew."""
    shift = two(decline_pause_s=60)
    shift.seek("c1")
    shift.decline("c1")
    shift.decline("c1")
    assert isinstance(shift.roster.held["c1"].phase, Resting)
    shift.pass_s(60)
    assert shift.asked("c1") == "ann"


def test_a_change_ends_the_rest() -> None:
    """Somebody new is asked at once, whatever the others said."""
    shift = Shift(account([agent("ann"), agent("eva")]))
    shift.arrive("ann")
    shift.seek("c1")
    shift.decline("c1")
    shift.arrive("eva")
    assert shift.asked("c1") == "eva"


def test_declining_at_capacity_is_no_change() -> None:
    """The slot that a declined offer frees does not bring the same offer back."""
    shift = Shift(account([agent("ann", capacity=1)]))
    shift.arrive("ann")
    shift.seek("c1")
    shift.decline("c1")
    assert isinstance(shift.roster.held["c1"].phase, Resting)


def test_who_was_away_may_be_asked_again() -> None:
    """Coming back is a change: an earlier no does not count any more."""
    shift = two()
    shift.seek("c1")
    shift.decline("c1")
    shift.decline("c1")
    shift.set_state("ann", "away")
    shift.set_state("ann", "available")
    assert shift.asked("c1") == "ann"


def test_expiries_in_a_row_set_away() -> None:
    """The third offer let expire says that nobody is there."""
    shift = Shift(account([agent("ann")], rules=[Rule(RULE, INBOX, "R", decline_pause_s=1)]))
    shift.arrive("ann")
    shift.seek("c1")
    shift.pass_s(62)
    assert shift.roster.members["ann"].state == "available"
    shift.pass_s(31)
    assert shift.roster.members["ann"].state == "away"
    assert shift.rows[f"agent:{ACCOUNT}:ann"] == {"state": {"state": "away"}}


def test_who_answers_nobody_is_set_away_too() -> None:
    """With auto_accept nothing expires: conversations taken back unanswered count instead, in a row."""
    shift = Shift(account([agent("ann")], rules=[Rule(RULE, INBOX, "R", auto_accept=True, expiries_to_away=2)]))
    shift.arrive("ann")
    shift.seek("c1", "c2", "c3", "c4")
    shift.seek("c1", reason="no_reply", avoid="ann")
    shift.weigh("c2", counts=False)
    shift.seek("c3", reason="no_reply", avoid="ann")
    assert shift.roster.members["ann"].state == "available"
    shift.seek("c4", reason="no_reply", avoid="ann")
    assert shift.roster.members["ann"].state == "away"
    assert shift.roster.held["c4"].line  # it waits for whoever comes


def test_an_answer_ends_the_row_of_expiries() -> None:
    """Declining shows that somebody is there."""
    shift = Shift(account([agent("ann")], rules=[Rule(RULE, INBOX, "R", decline_pause_s=1, expiries_to_away=2)]))
    shift.arrive("ann")
    shift.seek("c1")
    shift.pass_s(32)
    shift.decline("c1")
    shift.pass_s(32)
    assert shift.roster.members["ann"].state == "available"


def test_auto_accept_assigns_at_once() -> None:
    """The rule may spare agents the asking; a turn is used all the same."""
    shift = two(auto_accept=True)
    shift.seek("c1", "c2")
    assert [shift.talks("c1"), shift.talks("c2")] == ["ann", "bob"]
    assert [assign.reason for assign in shift.said(Assign)] == ["auto", "auto"]


def test_open_offers_count_against_capacity() -> None:
    """An agent with two places and two offers is not asked a third time."""
    shift = Shift(account([agent("ann", capacity=2)]))
    shift.arrive("ann")
    shift.seek("c1", "c2", "c3")
    assert isinstance(shift.roster.held["c3"].phase, Waiting)


def test_a_freed_place_goes_to_who_waits_longest() -> None:
    """The queue is first in, first out."""
    shift = Shift(account([agent("ann", capacity=1)]))
    shift.arrive("ann")
    shift.seek("c1", "c2", "c3")
    shift.accept("c1")
    shift.release("c1")
    assert (shift.asked("c2"), shift.asked("c3")) == ("ann", None)


def test_one_agent_of_two_rules_gets_the_longest_waiting() -> None:
    """Rules do not starve each other at an agent they share."""
    rules = [Rule("r1", INBOX, "One"), Rule("r2", INBOX, "Two")]
    shift = Shift(account([agent("ann", capacity=1)], rules=rules))
    shift.seek("old", rule="r2")
    shift.seek("new", rule="r1")
    shift.arrive("ann")
    assert shift.asked("old") == "ann"


def test_the_last_agent_is_preferred_without_a_turn() -> None:
    """A returning visitor gets their agent back, and the ring does not notice."""
    shift = two()
    shift.seek("c1", prefer="bob", reason="returned")
    assert shift.asked("c1") == "bob"
    shift.accept("c1")
    assert shift.said(Assign)[-1].reason == "last_agent"
    shift.seek("c2")
    assert shift.asked("c2") == "ann"


def test_a_preferred_agent_who_is_away_is_not_asked() -> None:
    """Preference is only among those who may be asked."""
    shift = two()
    shift.set_state("bob", "away")
    shift.seek("c1", prefer="bob", reason="returned")
    assert shift.asked("c1") == "ann"


def test_a_closed_conversation_withdraws_its_offer() -> None:
    """Nobody can accept what is over, and the agent's place is free again."""
    shift = two()
    shift.seek("c1")
    shift.release("c1")
    assert shift.roster.held == {}
    assert shift.roster.members["ann"].load == 0
    assert [timer for timer in shift.timers if timer.kind == "offer"] == []


def test_an_offer_id_is_not_reused_for_another_conversation() -> None:
    """A rebuilt roster that counts anew cannot have an old acceptance take another conversation."""
    first, second = two(), two()
    first.seek("cnv_aaaaaaaa")
    second.seek("cnv_bbbbbbbb")
    assert first.offered("cnv_aaaaaaaa").offer != second.offered("cnv_bbbbbbbb").offer


def test_an_offer_says_who_was_considered_and_why() -> None:
    """Counts per standing, and the candidates with their reasons."""
    shift = Shift(account([agent("ann"), agent("bob"), agent("eva"), agent("kim", seat=False)]))
    shift.arrive("ann", "bob", "eva")
    shift.set_state("eva", "away")
    shift.seek("c1")
    why = next(event for event in shift.events if isinstance(event, ConversationOffered)).reasons
    assert why is not None
    assert why.counts == {"ready": 2, "away": 1, "no_seat": 1}
    assert why.candidates == [("ann", "chosen"), ("bob", "later_in_turn"), ("eva", "away"), ("kim", "no_seat")]


def test_who_is_set_away_keeps_no_other_offer() -> None:
    """All that was put before an absent agent goes on at once, each offer ending once."""
    shift = Shift(account([agent("ann"), agent("bob")], rules=[Rule(RULE, INBOX, "R", expiries_to_away=1)]))
    shift.arrive("ann")
    shift.seek("c1")
    shift.pass_s(10)
    shift.seek("c2")
    shift.arrive("bob")
    shift.pass_s(20)
    ended = [(event.conversation, event.how) for event in shift.events if isinstance(event, OfferEnded)]
    assert ended == [("c1", "expired"), ("c2", "withdrawn")]
    assert (shift.asked("c1"), shift.asked("c2")) == ("bob", "bob")


def test_accepting_ends_the_row_of_expiries() -> None:
    """Two expiries with an acceptance between them are not two in a row."""
    shift = Shift(account([agent("ann")], rules=[Rule(RULE, INBOX, "R", decline_pause_s=1, expiries_to_away=2)]))
    shift.arrive("ann")
    shift.seek("c1")
    shift.pass_s(32)
    shift.accept("c1")
    shift.seek("c2")
    shift.pass_s(31)
    assert shift.roster.members["ann"].state == "available"
