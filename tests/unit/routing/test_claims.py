"""Taking conversations and handing them on."""

from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import Assign, HandOver
from protocol.wire.codes import Code
from protocol.wire.content import Author, Role
from routing.core.events import ConversationTransferred
from routing.core.log import encode
from routing.core.queue import Unassigned
from tests.kit.shift import ACCOUNT, Shift, account, agent


def desk() -> Shift:
    """Return a shift of ann, bob (one place each) and sue, a supervisor with one place; nim has no seat."""
    agents = [agent(name, capacity=1) for name in ("ann", "bob")]
    shift = Shift(account([*agents, agent("sue", capacity=1, role="supervisor"), agent("nim", seat=False)], side=[]))
    for name in ("ann", "bob", "sue", "nim"):
        shift.arrive(name)
        shift.set_state(name, "away")  # so that only claims and transfers move conversations
    return shift


def test_an_unrouted_conversation_is_claimed() -> None:
    """With assignment off anybody of the inbox may take it."""
    shift = desk()
    shift.seek("c1", rule=None)
    assert isinstance(shift.roster.held["c1"].phase, Unassigned)
    shift.claim("ann", "c1")
    assert shift.said(Assign) == [Assign(ACCOUNT, "c1", Author(Role.AGENT, "ann", "Ann"), "claim")]


def test_the_second_claim_is_too_late() -> None:
    """One gets it."""
    shift = desk()
    shift.seek("c1")
    shift.claim("ann", "c1")
    assert shift.claim("bob", "c1") == Refusal(Code.ALREADY_ASSIGNED)


def test_claiming_one_s_own_is_already_so() -> None:
    """A repeated claim changes nothing."""
    shift = desk()
    shift.seek("c1")
    shift.claim("ann", "c1")
    assert shift.claim("ann", "c1") == Already()


def test_a_claim_takes_an_offer_away() -> None:
    """The agent who was being asked gets the place back."""
    shift = desk()
    shift.set_state("ann", "available")
    shift.seek("c1")
    assert shift.asked("c1") == "ann"
    shift.claim("bob", "c1")
    assert (shift.talks("c1"), shift.roster.members["ann"].load) == ("bob", 0)


def test_claiming_what_one_is_asked_for_accepts_it() -> None:
    """The open offer already holds the place."""
    shift = desk()
    shift.set_state("ann", "available")
    shift.seek("c1")
    shift.claim("ann", "c1")
    assert [assign.reason for assign in shift.said(Assign)] == ["offer"]


def test_a_claim_at_capacity_is_refused() -> None:
    """Full is full."""
    shift = desk()
    shift.seek("c1", "c2")
    shift.claim("ann", "c1")
    assert shift.claim("ann", "c2") == Refusal(Code.AT_CAPACITY)


def test_a_supervisor_may_go_above_capacity_on_record() -> None:
    """Forced, and the log says so."""
    shift = desk()
    shift.seek("c1", "c2")
    shift.claim("sue", "c1")
    assert shift.claim("sue", "c2") == Refusal(Code.AT_CAPACITY)
    (assigned,) = shift.claim("sue", "c2", force=True)
    assert assigned.forced


def test_a_claim_needs_a_seat() -> None:
    """A user without seat answers nobody."""
    shift = desk()
    shift.seek("c1")
    assert shift.claim("nim", "c1") == Refusal(Code.SEAT_REQUIRED)


def test_a_claim_needs_access_to_the_inbox() -> None:
    """Conversations of other inboxes are not there to take."""
    shift = desk()
    shift.seek("c1", rule=None, inbox="side")
    assert shift.claim("ann", "c1") == Refusal(Code.NOT_AVAILABLE)


def test_what_the_roster_does_not_hold_is_not_found() -> None:
    """Closed, gated or made up: it is all the same."""
    assert desk().claim("ann", "c9") == Refusal(Code.NOT_FOUND)


def test_a_transfer_hands_over() -> None:
    """Who asked, to whom and the note go to the conversation; the places move at once, even to an agent away."""
    shift = desk()
    shift.seek("c1")
    shift.claim("ann", "c1")
    shift.transfer("ann", "c1", "bob", "knows printers")
    by, to = Author(Role.AGENT, "ann", "Ann"), Author(Role.AGENT, "bob", "Bob")
    assert shift.said(HandOver) == [HandOver(ACCOUNT, "c1", by, to, "knows printers")]
    assert (shift.talks("c1"), shift.roster.members["ann"].load) == ("bob", 0)


def test_a_transfer_uses_no_turn() -> None:
    """The ring is as it was."""
    shift = desk()
    shift.seek("c1")
    shift.claim("ann", "c1")
    before = shift.roster.lines["rul_1"].ring.turns
    shift.transfer("ann", "c1", "bob")
    assert shift.roster.lines["rul_1"].ring.turns == before


def test_only_its_agent_transfers() -> None:
    """Colleagues do not give away what they do not have: that needs a supervisor."""
    shift = desk()
    shift.seek("c1")
    shift.claim("ann", "c1")
    assert shift.transfer("bob", "c1", "sue") == Refusal(Code.NOT_PERMITTED)


def test_a_supervisor_transfers_anybody_s() -> None:
    """The target may be full, if the supervisor insists."""
    shift = desk()
    shift.seek("c1", "c2")
    shift.claim("ann", "c1")
    shift.claim("bob", "c2")
    assert shift.transfer("ann", "c1", "bob") == Refusal(Code.AT_CAPACITY)
    assert shift.transfer("sue", "c1", "bob") == Refusal(Code.AT_CAPACITY)
    shift.transfer("sue", "c1", "bob", force=True)
    assert shift.talks("c1") == "bob"


def test_a_transfer_to_who_is_not_there_is_refused() -> None:
    """The target must be connected and have a seat."""
    shift = desk()
    shift.seek("c1")
    shift.claim("ann", "c1")
    shift.leave("bob")
    assert shift.transfer("ann", "c1", "bob") == Refusal(Code.NOT_AVAILABLE)
    assert shift.transfer("ann", "c1", "nim") == Refusal(Code.SEAT_REQUIRED)
    assert shift.transfer("ann", "c1", "nobody") == Refusal(Code.NOT_FOUND)


def test_a_transfer_to_its_own_agent_is_already_so() -> None:
    """Nothing moves."""
    shift = desk()
    shift.seek("c1")
    shift.claim("ann", "c1")
    assert shift.transfer("ann", "c1", "ann") == Already()


def test_the_note_is_not_kept_in_the_roster_s_log() -> None:
    """What people wrote is stored in one place, where erasure finds it."""
    event = ConversationTransferred(1, "c1", "ann", "ann", "bob", "call 555 0100", False)
    assert b"555" not in encode(event)
