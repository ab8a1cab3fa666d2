"""What a roster counts for others: waits, replies, tickets, who is there, who would be next."""

import pytest

from protocol.bus.commands import AskWhoNext
from protocol.bus.config import Rule
from protocol.bus.decisions import Refusal
from protocol.bus.effects import NumberTicket
from protocol.bus.records import NextInLine
from protocol.wire.codes import Code
from tests.kit.shift import ACCOUNT, INBOX, RULE, Shift, account, agent

FEED = f"rules:{ACCOUNT}"
DAY_S = 86_400


def served(shift: Shift, *waits_s: int) -> None:
    """Let one conversation after the other wait so long until it is claimed."""
    for number, wait_s in enumerate(waits_s):
        shift.seek(f"served{number}")
        shift.pass_s(wait_s)
        shift.claim("ann", f"served{number}")
        shift.release(f"served{number}")


def at_work() -> Shift:
    shift = Shift(
        account([agent("ann")], rules=[Rule(RULE, INBOX, "R"), Rule("owned", INBOX, "O", "contact_owner", RULE)])
    )
    shift.arrive("ann")
    return shift


def test_the_expected_wait_is_the_median_of_the_last_assignments() -> None:
    """Told with the place."""
    shift = at_work()
    shift.set_state("ann", "away")
    served(shift, 10, 200, 30, 20, 40)
    shift.seek("c1")
    assert shift.waits_s[-1] == 30


def test_too_few_assignments_tell_nothing() -> None:
    """Below five there is no estimate."""
    shift = at_work()
    shift.set_state("ann", "away")
    served(shift, 10, 20, 30, 40)
    shift.seek("c1")
    assert shift.waits_s[-1] is None


def test_only_the_last_thirty_assignments_count() -> None:
    """What was long ago says nothing of today."""
    shift = at_work()
    shift.set_state("ann", "away")
    served(shift, *[200] * 10, *[1] * 30)
    assert shift.roster.lines[RULE].wait_s == 1


@pytest.mark.parametrize(("waited_s", "told"), [(60, "minutes"), (1_801, "hour"), (5_401, "day")])
def test_the_typical_reply_is_the_median_of_first_human_words(waited_s: int, told: str) -> None:
    """In words that it keeps."""
    shift = at_work()
    for _ in range(20):
        shift.replied(waited_s)
    assert shift.rows[FEED][RULE]["reply"] == told


def test_too_few_replies_tell_nothing() -> None:
    """Nineteen are no measure."""
    shift = at_work()
    for _ in range(19):
        shift.replied(60)
    assert shift.rows[FEED][RULE]["reply"] == ""


def test_replies_are_forgotten_after_two_weeks() -> None:
    """Without a new one, nothing is told any more; and no timer is left."""
    shift = at_work()
    for _ in range(20):
        shift.replied(60)
    shift.pass_s(14 * DAY_S - 3_600)
    assert shift.rows[FEED][RULE]["reply"] == "minutes"
    shift.pass_s(2 * 3_600)
    assert shift.rows[FEED][RULE]["reply"] == ""
    assert shift.timers == {}


def test_at_most_a_few_hundred_replies_are_kept() -> None:
    """The newest."""
    shift = at_work()
    for number in range(400):
        shift.replied(60 if number < 200 else 7_200)
    assert len(shift.roster.replies[INBOX].last) == 300
    assert shift.rows[FEED][RULE]["reply"] == "day"


def test_tickets_are_numbered_from_one() -> None:
    """For the account, in the order in which they open."""
    shift = at_work()
    shift.open_ticket("c1")
    shift.open_ticket("c2")
    assert shift.said(NumberTicket) == [NumberTicket(ACCOUNT, "c1", 1), NumberTicket(ACCOUNT, "c2", 2)]


def test_a_rule_is_ready_while_somebody_is_at_work_for_it() -> None:
    """At capacity too: the visitor gets a place. The row changes only when that does."""
    shift = at_work()
    assert shift.decider.ready(shift.roster, RULE, INBOX)
    assert shift.rows[FEED] == {RULE: {"ready": True, "reply": ""}, "owned": {"ready": True, "reply": ""}}
    shift.changes.clear()
    shift.seek("c1", "c2", "c3")
    shift.accept("c1")
    shift.accept("c2")
    assert [change for change in shift.changes if change.feed == FEED] == []
    shift.set_state("ann", "away")
    assert not shift.decider.ready(shift.roster, RULE, INBOX)
    assert shift.rows[FEED][RULE]["ready"] is False


def test_without_a_rule_anybody_of_the_inbox_is_enough() -> None:
    """Assignment is off, and somebody may claim."""
    shift = Shift(account([agent("ann")], rules=[], side=[]))
    assert not shift.decider.ready(shift.roster, None, INBOX)
    shift.arrive("ann")
    assert shift.decider.ready(shift.roster, None, INBOX)
    assert not shift.decider.ready(shift.roster, None, "side")


def test_a_rule_that_is_gone_has_no_row() -> None:
    """Nor one that is new none."""
    shift = at_work()
    shift.publish(account([agent("ann")], rules=[Rule("new", INBOX, "New")], version=2))
    assert shift.rows[FEED] == {"new": {"ready": True, "reply": ""}}


def test_a_publish_that_changes_nobody_s_row_tells_nothing() -> None:
    """Gateways hear of changes only."""
    shift = at_work()
    config = shift.config
    shift.changes.clear()
    shift.publish(account(config.agents, rules=config.rules, version=2))
    assert shift.changes == []


def test_who_would_be_next_and_why_not_the_others() -> None:
    """A dry run: candidates, counts, and nothing happens."""
    shift = Shift(account([agent("ann"), agent("bob"), agent("eva", seat=False)]))
    shift.arrive("ann", "bob")
    shift.seek("c1")
    before = shift.decider.freeze(shift.roster)
    candidates = [("bob", "chosen"), ("ann", "later_in_turn"), ("eva", "no_seat")]
    assert shift.who_next("ann") == NextInLine("bob", candidates, {"ready": 2, "no_seat": 1})
    assert shift.decider.freeze(shift.roster) == before


def test_nobody_may_be_next() -> None:
    """Then it says why."""
    shift = at_work()
    shift.set_state("ann", "away")
    assert shift.who_next("ann", "owned") == NextInLine(None, [("ann", "away")], {"away": 1})


def test_a_rule_of_another_inbox_is_not_told_of() -> None:
    """Nor one that does not exist."""
    rules = [Rule(RULE, INBOX, "R"), Rule("r2", "side", "Side")]
    shift = Shift(account([agent("ann")], rules=rules, side=[]))
    shift.arrive("ann")
    for rule in ("r2", "r9"):
        assert shift.ask(AskWhoNext(ACCOUNT, shift.origin("ann"), "ann", rule)) == Refusal(Code.NOT_FOUND)
