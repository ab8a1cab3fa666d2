"""Agents coming and going."""

from protocol.bus.commands import AgentArrives
from protocol.bus.config import Rule
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import AgentLost
from protocol.wire.codes import Code
from tests.kit.shift import ACCOUNT, INBOX, RULE, Shift, account, agent

GONE = Refusal(Code.UNAVAILABLE)


def talking(*conversations: str) -> Shift:
    """Return a shift in which ann has `conversations`, and eva is not there yet."""
    shift = Shift(account([agent("ann", capacity=5), agent("eva", capacity=5)]))
    shift.arrive("ann")
    shift.seek(*conversations)
    for conversation in conversations:
        shift.accept(conversation)
    return shift


def test_who_arrives_is_asked_for_what_waits() -> None:
    """Coming is a change, and changes are reconsidered."""
    shift = Shift(account([agent("ann")]))
    shift.seek("c1")
    shift.arrive("ann")
    assert shift.asked("c1") == "ann"


def test_arriving_twice_is_already_so() -> None:
    """A repeated arrival of one session changes nothing."""
    shift = talking()
    assert shift.arrive("ann") == Already()


def test_a_stranger_is_not_found() -> None:
    """Only agents of the account are on its roster."""
    assert talking().arrive("mallory") == Refusal(Code.NOT_FOUND)


def test_two_devices_are_one_agent() -> None:
    """The end of one of two sessions changes nothing for conversations."""
    shift = talking("c1")
    shift.arrive("ann", session="ann_2")
    shift.leave("ann")
    shift.pass_s(600)
    assert shift.talks("c1") == "ann"


def test_offers_go_on_at_once_when_the_last_session_ends() -> None:
    """Nobody waits for the deadline of an offer that nobody sees."""
    shift = talking()
    shift.arrive("eva")
    shift.seek("c1")
    assert shift.asked("c1") == "ann"
    shift.leave("ann")
    assert shift.asked("c1") == "eva"


def test_conversations_outlast_a_short_absence() -> None:
    """Who comes back within the grace has lost nothing."""
    shift = talking("c1")
    shift.leave("ann")
    shift.pass_s(59)
    shift.arrive("ann")
    shift.pass_s(600)
    assert shift.said(AgentLost) == []


def test_the_grace_ends_on_time() -> None:
    """After it, each conversation is told that its agent is lost."""
    shift = talking("c1", "c2")
    shift.leave("ann")
    shift.pass_s(60)
    assert shift.said(AgentLost) == [AgentLost(ACCOUNT, "c1", "ann"), AgentLost(ACCOUNT, "c2", "ann")]
    assert shift.roster.members["ann"].load == 0


def test_a_lost_agent_who_came_back_may_be_asked() -> None:
    """The only agent there is not avoided for having been lost."""
    shift = talking("c1")
    shift.owed = False
    shift.leave("ann")
    shift.pass_s(61)
    shift.arrive("ann")
    shift.seek("c1", reason="agent_lost", avoid="ann")
    assert shift.asked("c1") == "ann"


def test_an_agent_to_avoid_is_asked_last() -> None:
    """Who just lost it for another reason is asked only after the others."""
    shift = talking("c1")
    shift.arrive("eva")
    shift.seek("c1", reason="no_reply", avoid="ann")
    assert shift.asked("c1") == "eva"


def test_only_the_lost_gateway_s_sessions_end() -> None:
    """An agent with another session stays; one without is gone."""
    shift = talking()
    shift.arrive("eva", gateway="gw_2")
    shift.arrive("ann", gateway="gw_2", session="ann_2")
    shift.lose("gw_1")
    assert shift.roster.members["ann"].connected
    shift.lose("gw_2")
    assert not shift.roster.members["ann"].connected
    assert not shift.roster.members["eva"].connected


def test_a_gateway_is_lost_once() -> None:
    """Telling it again is nothing new."""
    shift = talking()
    shift.lose()
    assert shift.lose() == Already()


def test_commands_of_an_ended_incarnation_are_refused() -> None:
    """A gateway that came back late has no agents here, whatever it says."""
    shift = talking("c1")
    shift.lose()
    assert shift.arrive("eva") == GONE
    assert shift.set_state("ann", "away") == GONE
    assert shift.claim("ann", "c1") == GONE
    assert shift.leave("ann") == GONE


def test_ended_incarnations_are_remembered_for_a_day() -> None:
    """Later, no command of theirs can be on its way any more."""
    shift = talking()
    shift.lose("gw_1")
    shift.pass_s(86_400)
    shift.lose("gw_2")
    assert list(shift.roster.ended) == ["gw_2"]


def test_going_away_hands_offers_on() -> None:
    """An agent who pauses does not keep visitors waiting for a deadline."""
    shift = talking()
    shift.arrive("eva")
    shift.seek("c1")
    shift.set_state("ann", "away")
    assert shift.asked("c1") == "eva"


def test_away_outlasts_a_reconnection() -> None:
    """What the agent set stays set until they set it again."""
    shift = talking()
    shift.set_state("ann", "away")
    shift.leave("ann")
    shift.arrive("ann")
    shift.seek("c1")
    assert shift.asked("c1") is None
    shift.set_state("ann", "available")
    assert shift.asked("c1") == "ann"


def test_the_same_state_is_already_so() -> None:
    """Setting what is set changes nothing."""
    assert talking().set_state("ann", "available") == Already()


def test_the_shortest_grace_of_the_account_counts() -> None:
    """Several rules: the one least patient with lost agents."""
    rules = [Rule(RULE, INBOX, "Quick", lost_grace_s=5), Rule("r2", INBOX, "Slow")]
    shift = Shift(account([agent("ann")], rules=rules))
    shift.arrive("ann")
    shift.seek("c1")
    shift.accept("c1")
    shift.leave("ann")
    shift.pass_s(5)
    assert len(shift.said(AgentLost)) == 1


def test_the_first_command_of_an_account_founds_its_roster() -> None:
    """Event 1 is the configuration, so a log can be replayed without knowing it."""
    shift = Shift(account([agent("ann")]))
    decision = shift.ask(AgentArrives(ACCOUNT, shift.origin("ann"), "ann"))
    assert [type(event).__name__ for event in decision] == ["StaffingTaken", "AgentArrived"]


def test_who_reconnected_may_be_asked_again() -> None:
    """A new session is a change: what was declined before it is offered anew."""
    shift = talking()
    shift.seek("c1")
    shift.decline("c1")
    shift.leave("ann")
    shift.arrive("ann")
    assert shift.asked("c1") == "ann"


def test_offers_go_on_at_once_when_a_gateway_is_lost() -> None:
    """Its agents see nothing any more; others are asked without waiting for a deadline."""
    shift = talking()
    shift.arrive("eva", gateway="gw_2")
    shift.seek("c1")
    shift.lose("gw_1")
    assert shift.asked("c1") == "eva"


def test_a_rule_may_keep_what_a_lost_agent_has() -> None:
    """Their conversations stay theirs, however long they are gone."""
    rules = [Rule(RULE, INBOX, "Theirs", keep_when_lost=True), Rule("r2", INBOX, "Anybody's")]
    shift = Shift(account([agent("ann"), agent("eva")], rules=rules))
    shift.arrive("ann")
    shift.seek("c1")
    shift.seek("c2", rule="r2")
    shift.accept("c1")
    shift.accept("c2")
    shift.leave("ann")
    shift.arrive("eva")
    shift.pass_s(3_600)
    assert shift.said(AgentLost) == [AgentLost(ACCOUNT, "c2", "ann")]
    assert shift.talks("c1") == "ann"
