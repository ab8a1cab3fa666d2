"""What agents see, and what outlives a process."""

import msgspec
import pytest

from routing.core.roster import UnknownSchema
from tests.kit.shift import ACCOUNT, INBOX, Shift, account, agent

INBOX_FEED, ANN_FEED = f"inbox:{ACCOUNT}:{INBOX}", f"agent:{ACCOUNT}:ann"


def at_work() -> Shift:
    shift = Shift(account([agent("ann")]))
    shift.arrive("ann")
    return shift


def kinds_of(shift: Shift, feed: str) -> list[str]:
    return [change.what for change in shift.changes if change.feed == feed]


def test_an_offer_s_row_says_what_and_until_when() -> None:
    """The agent's feed has all that accepting needs."""
    shift = at_work()
    shift.seek("c1")
    phase = shift.offered("c1")
    row = {"offer": phase.offer, "conversation": "c1", "inbox": INBOX, "deadline_ms": shift.now_ms + 30_000}
    assert shift.rows[ANN_FEED] == {"state": {"state": "available"}, f"offer:{phase.offer}": row}


def test_accepting_replaces_the_offer_by_the_conversation() -> None:
    """Withdrawn, then assigned."""
    shift = at_work()
    shift.seek("c1")
    shift.accept("c1")
    assert kinds_of(shift, ANN_FEED) == ["state", "offered", "withdrawn", "assigned"]
    assert shift.rows[ANN_FEED]["conversation:c1"] == {"conversation": "c1", "since_ms": shift.now_ms}


def test_the_inbox_sees_a_conversation_from_first_to_last() -> None:
    """New, being offered, claimed, closed; then no row is left."""
    shift = at_work()
    shift.seek("c1")
    assert (shift.rows[INBOX_FEED]["c1"]["status"], shift.rows[INBOX_FEED]["c1"]["agent"]) == ("offered", "ann")
    shift.accept("c1")
    assert (shift.rows[INBOX_FEED]["c1"]["status"], shift.rows[INBOX_FEED]["c1"]["agent"]) == ("assigned", "ann")
    shift.release("c1")
    assert kinds_of(shift, INBOX_FEED) == ["new", "waiting", "claimed", "closed"]
    assert shift.rows[INBOX_FEED] == {}


def test_a_conversation_without_rule_is_unassigned_in_its_inbox() -> None:
    """Colleagues see that it is there to be claimed."""
    shift = at_work()
    shift.seek("c1", rule=None)
    row = {"conversation": "c1", "status": "unassigned", "since_ms": shift.now_ms, "agent": None}
    assert shift.rows[INBOX_FEED] == {"c1": row}


def test_an_unknown_snapshot_schema_is_said_so() -> None:
    """The roster is then rebuilt from its log."""
    shift = at_work()
    with pytest.raises(UnknownSchema):
        shift.decider.thaw(msgspec.msgpack.encode((99, {"new": "form"})))


def test_a_stale_timer_does_nothing() -> None:
    """A timer of a former grace has another generation."""
    shift = at_work()
    shift.seek("c1")
    shift.accept("c1")
    shift.leave("ann")
    (stale,) = [timer for timer in shift.timers if timer.kind == "grace"]
    shift.arrive("ann")
    shift.leave("ann")
    assert shift.ask(stale) == []
