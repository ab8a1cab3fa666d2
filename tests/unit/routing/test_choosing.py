"""Who is asked: by turns, by load, by language, by who looks after the contact, by team."""

from protocol.bus.config import AccountConfig, Rule
from protocol.bus.effects import Assign
from tests.kit.shift import INBOX, RULE, Shift, account, agent


def by(**rule: object) -> AccountConfig:
    """Return an account of ann, bob and eva, whose rule is as said; red is a team of bob and eva."""
    staff = [agent(name, capacity=9) for name in ("ann", "bob", "eva")]
    return account(staff, rules=[Rule(RULE, INBOX, "R", **rule)], teams={"red": ["bob", "eva"]})  # type: ignore[arg-type]


def at_work(config: AccountConfig) -> Shift:
    shift = Shift(config)
    shift.arrive(*(one.id for one in config.agents))
    return shift


def test_a_rule_asks_its_agents_and_the_members_of_its_teams() -> None:
    """Each once, in turn."""
    shift = at_work(by(agents=["eva"], teams=["red"]))
    shift.seek("c1", "c2", "c3")
    assert {shift.asked(one) for one in ("c1", "c2")} == {"bob", "eva"}
    assert shift.asked("c3") == shift.asked("c1")


def test_a_rule_of_a_team_asks_nobody_else() -> None:
    """Who is ready but not of the team is not asked."""
    shift = at_work(by(teams=["red"], offer_timeout_s=600))
    shift.seek("c1")
    shift.decline("c1")
    shift.decline("c1")
    assert shift.asked("c1") is None


def test_the_least_busy_is_asked() -> None:
    """Whoever has the fewest conversations and offers, whosever turn it is."""
    shift = at_work(by(choice="least_busy"))
    shift.seek("c1", "c2", "c3")
    for conversation in ("c1", "c2", "c3"):
        shift.accept(conversation)
    shift.release("c2")
    shift.seek("c4")
    assert (shift.talks("c1"), shift.talks("c3"), shift.asked("c4")) == ("ann", "eva", "bob")


def test_among_the_least_busy_turns_decide() -> None:
    """Equal loads are shared in turn."""
    shift = at_work(by(choice="least_busy"))
    shift.seek("c1", "c2", "c3", "c4")
    assert [shift.asked(one) for one in ("c1", "c2", "c3", "c4")] == ["ann", "bob", "eva", "ann"]


def speaking(*languages: list[str], **rule: object) -> Shift:
    """Return a shift of ann, bob … who speak what is said, under a rule that prefers languages."""
    names = ["ann", "bob", "eva"]
    staff = [agent(name, capacity=2, languages=spoken) for name, spoken in zip(names, languages, strict=False)]
    only = Rule(RULE, INBOX, "R", prefer_languages=True, **rule)  # type: ignore[arg-type]
    return at_work(account(staff, rules=[only]))


def test_who_speaks_the_language_is_asked_first() -> None:
    """Regions do not matter, and nb, nn and no understand each other."""
    shift = speaking(["de"], ["no", "en"])
    shift.seek("c1", language="nb-NO")
    assert shift.asked("c1") == "bob"


def test_languages_are_preferred_and_not_required() -> None:
    """If nobody who speaks it is ready, somebody else is asked."""
    shift = speaking(["de"], ["nb"])
    shift.set_state("bob", "away")
    shift.seek("c1", language="nb")
    assert shift.asked("c1") == "ann"


def test_those_who_speak_the_language_take_turns() -> None:
    """Among them the ring decides."""
    shift = speaking(["fr"], ["de"], ["fr"])
    shift.seek("c1", "c2", "c3", language="fr-CA")
    assert [shift.asked(one) for one in ("c1", "c2", "c3")] == ["ann", "eva", "ann"]


def test_a_rule_that_does_not_prefer_languages_asks_in_turn() -> None:
    """Languages alone change nothing."""
    shift = Shift(account([agent("ann", languages=["de"]), agent("bob", languages=["nb"])]))
    shift.arrive("ann", "bob")
    shift.seek("c1", language="nb")
    assert shift.asked("c1") == "ann"


def owned(**rule: object) -> Shift:
    """Return a shift of ann, bob and eva under a rule that asks the owner, and leaves the rest to ann and bob."""
    fallback = Rule("rest", INBOX, "Rest", agents=["ann", "bob"], **rule)  # type: ignore[arg-type]
    first = Rule(RULE, INBOX, "Owner", assignment="contact_owner", fallback="rest")
    return at_work(account([agent("ann"), agent("bob"), agent("eva")], rules=[first, fallback]))


def test_the_contact_s_owner_is_asked_first() -> None:
    """Without a turn, even if the fallback rule does not name them."""
    shift = owned()
    shift.seek("c1", owner="eva")
    assert shift.asked("c1") == "eva"
    assert shift.roster.lines["rest"].ring.turns == 0


def test_the_owner_s_assignment_says_so() -> None:
    """The log tells why."""
    shift = owned(auto_accept=True)
    shift.seek("c1", owner="eva")
    assert [assign.reason for assign in shift.said(Assign)] == ["owner"]


def test_without_an_owner_the_fallback_rule_decides() -> None:
    """A contact that nobody looks after, or no contact at all."""
    shift = owned()
    shift.seek("c1")
    assert shift.asked("c1") == "ann"


def test_an_owner_who_may_not_be_asked_leaves_it_to_the_fallback() -> None:
    """Away, at capacity, unknown: it does not wait for them."""
    shift = owned()
    shift.set_state("eva", "away")
    shift.seek("c1", owner="eva")
    shift.seek("c2", owner="nobody")
    assert (shift.asked("c1"), shift.asked("c2")) == ("ann", "bob")


def test_what_the_owner_declines_goes_to_the_fallback() -> None:
    """The others are asked in turn."""
    shift = owned()
    shift.seek("c1", owner="eva")
    shift.decline("c1")
    assert shift.asked("c1") == "ann"


def test_an_owner_means_nothing_to_other_rules() -> None:
    """Only a rule of that assignment asks them first."""
    shift = at_work(by())
    shift.seek("c1", owner="eva")
    assert shift.asked("c1") == "ann"


def test_the_last_agent_of_a_returning_visitor_is_asked_first() -> None:
    """If they may be asked; no turn is used."""
    shift = at_work(by())
    shift.seek("c1", prefer="eva", reason="returned")
    assert shift.asked("c1") == "eva"
    assert shift.roster.lines[RULE].ring.turns == 0


def test_a_last_agent_at_capacity_is_not_asked() -> None:
    """The preference never goes above capacity."""
    shift = Shift(account([agent("ann"), agent("eva", capacity=0)]))
    shift.arrive("ann", "eva")
    shift.seek("c1", prefer="eva", reason="returned")
    assert shift.asked("c1") == "ann"


def test_who_just_left_it_unanswered_is_asked_last() -> None:
    """No reply in time: it goes to the next; and comes back only when everybody else was asked."""
    shift = at_work(by())
    shift.seek("c1")
    shift.accept("c1")
    shift.seek("c1", reason="no_reply", avoid="ann")
    assert shift.asked("c1") == "bob"
    shift.decline("c1")
    shift.decline("c1")
    shift.pass_s(61)
    assert shift.asked("c1") is not None


def test_an_agent_without_a_seat_is_skipped() -> None:
    """A rule may still name who lost theirs."""
    shift = at_work(
        account([agent("ann", seat=False), agent("bob")], rules=[Rule(RULE, INBOX, "R", agents=["ann", "bob"])])
    )
    shift.seek("c1", "c2")
    assert [shift.asked(one) for one in ("c1", "c2")] == ["bob", "bob"]
