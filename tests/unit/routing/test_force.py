"""What a supervisor may do with what is another's or nobody's, and nobody else."""

from protocol.bus.decisions import Refusal
from protocol.bus.effects import Assign, HandOver
from protocol.wire.codes import Code
from protocol.wire.content import Author, Role
from routing.core.events import ConversationAssigned, ConversationTransferred
from tests.kit.shift import ACCOUNT, Shift, account, agent

DENIED = Refusal(Code.NOT_PERMITTED)


def desk() -> Shift:
    """Return a shift of ann, bob and sue, a supervisor, with one place each, all away; ann has c1."""
    staff = [agent("ann", capacity=1), agent("bob", capacity=1), agent("sue", capacity=1, role="supervisor")]
    shift = Shift(account(staff))
    for name in ("ann", "bob", "sue"):
        shift.arrive(name)
        shift.set_state(name, "away")
    shift.seek("c1")
    shift.claim("ann", "c1")
    return shift


def test_a_supervisor_takes_what_another_has() -> None:
    """Forced, on record, and the conversation is told so."""
    shift = desk()
    assert shift.claim("sue", "c1") == Refusal(Code.ALREADY_ASSIGNED)
    shift.claim("sue", "c1", force=True)
    assert (shift.talks("c1"), shift.roster.members["ann"].load) == ("sue", 0)
    assert shift.said(Assign)[-1] == Assign(ACCOUNT, "c1", Author(Role.AGENT, "sue", "Sue"), "forced")
    assert [event.forced for event in shift.events if isinstance(event, ConversationAssigned)] == [False, True]


def test_only_supervisors_force() -> None:
    """Neither a claim nor a transfer."""
    shift = desk()
    assert shift.claim("bob", "c1", force=True) == DENIED
    assert shift.transfer("ann", "c1", "bob", force=True) == DENIED


def test_a_supervisor_hands_on_what_is_another_s() -> None:
    """No force is needed for that, but it is logged as forced."""
    shift = desk()
    shift.transfer("sue", "c1", "bob")
    assert shift.talks("c1") == "bob"
    assert [event.forced for event in shift.events if isinstance(event, ConversationTransferred)] == [True]


def test_a_supervisor_assigns_what_nobody_has() -> None:
    """From the queue, or from under an offer."""
    shift = desk()
    shift.seek("c2", "c3", rule=None)
    shift.transfer("sue", "c2", "bob", "please")
    sue, bob = Author(Role.AGENT, "sue", "Sue"), Author(Role.AGENT, "bob", "Bob")
    assert shift.said(HandOver)[-1] == HandOver(ACCOUNT, "c2", sue, bob, "please", None, True)
    shift.release("c1")
    shift.set_state("ann", "available")
    shift.seek("c4")
    assert shift.asked("c4") == "ann"
    shift.transfer("sue", "c4", "sue")
    assert (shift.talks("c4"), shift.roster.members["ann"].load) == ("sue", 0)


def test_nobody_else_hands_on_what_is_not_theirs() -> None:
    """Not another's, and not nobody's."""
    shift = desk()
    shift.seek("c2")
    assert shift.transfer("bob", "c1", "sue") == DENIED
    assert shift.transfer("bob", "c2", "sue") == DENIED


def test_above_capacity_only_by_force() -> None:
    """The same for what a supervisor gives and takes."""
    shift = desk()
    shift.seek("c2", "c3")
    shift.claim("bob", "c2")
    assert shift.transfer("sue", "c1", "bob") == Refusal(Code.AT_CAPACITY)
    shift.transfer("sue", "c1", "bob", force=True)
    shift.claim("sue", "c3")
    assert shift.claim("sue", "c2") == Refusal(Code.ALREADY_ASSIGNED)
    assert (shift.talks("c1"), shift.roster.members["bob"].load) == ("bob", 2)


def test_force_that_is_not_needed_is_not_on_record() -> None:
    """A claim of what nobody has, below capacity, is a claim."""
    shift = desk()
    shift.seek("c2")
    (assigned,) = shift.claim("sue", "c2", force=True)
    assert (assigned.how, assigned.forced) == ("claim", False)


def test_a_transfer_of_one_s_own_is_not_forced() -> None:
    """Nobody's power was needed."""
    shift = desk()
    (moved,) = shift.transfer("ann", "c1", "bob")
    assert not moved.forced
