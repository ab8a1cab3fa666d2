"""Laws of the roster, over any sequence of what agents, visitors, gateways, clocks and configurations do."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from protocol.bus.config import AccountConfig, Rule
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import AgentLost, NumberTicket
from routing.core.lines import shown
from routing.core.presence import Member
from routing.core.queue import LINED, SEEKING, Held, Offered, Resting, Talking, UntilOpen, Waiting
from routing.core.roster import Roster
from tests.kit.shift import INBOX, Shift, account, agent
from tests.laws.accounts import AGENTS, agents, configurations, hours_ids
from tests.laws.roster_watch import Watch, eligible, load, shut

CONVERSATIONS = [f"c{number}" for number in range(7)]
GATEWAYS = ["gw_1", "gw_2", "gw_3"]
PRIORITIES = ["low", "normal", "high", "urgent"]

some = st.none() | agents
conversations = st.sampled_from(CONVERSATIONS)
gateways = st.sampled_from(GATEWAYS)
rule_ids = st.sampled_from(["r1", "r1", "r1", "r2", "r2", "owned", None])
priorities = st.sampled_from(PRIORITIES)
languages = st.sampled_from(["", "nb-NO", "de"])
states = st.sampled_from([*("available",) * 5, "away", "offline"])
seconds = st.sampled_from([1, 9, 21, 31, 65, 130, 310])


class Conduct(RuleBasedStateMachine):
    """Anything may happen in any order; the laws hold at every event and at rest."""

    def __init__(self) -> None:
        super().__init__()
        self.shift: Shift | None = None
        self.watch = Watch()
        self.snapshot: tuple[int, bytes] | None = None

    def at_work(self, config: AccountConfig) -> Shift:
        if self.shift is None:
            self.shift = Shift(config)
            self.shift.before_event = self.watch
        return self.shift

    @property
    def on(self) -> Shift:
        return self.at_work(account([agent(name) for name in AGENTS], rules=[Rule("r1", INBOX, "All")]))

    # what may happen

    @initialize(config=configurations(), absent=st.sets(agents, max_size=2))
    def a_shift_begins(self, config: AccountConfig, absent: set[str]) -> None:
        for name in AGENTS:
            if name not in absent:
                self.at_work(config).arrive(name, session=f"{name}_gw_1_1")

    @rule(config=configurations(), rarely=st.integers(0, 4))
    def configuration_comes(self, config: AccountConfig, rarely: int) -> None:
        shift = self.at_work(config)
        if rarely:
            return
        version = shift.roster.staffing.version + 1
        teams = {team.id: team.members for team in config.teams}
        self.watch.turns = {}  # windows do not outlast a change of the rules
        shift.publish(account(config.agents, rules=config.rules, version=version, teams=teams, hours=config.hours))

    @rule(agent=agents, gateway=gateways, session=st.integers(1, 2), stays=st.sampled_from([True, True, False]))
    def agent_comes_or_goes(self, agent: str, gateway: str, session: int, stays: bool) -> None:
        name = f"{agent}_{gateway}_{session}"
        (self.on.arrive if stays else self.on.leave)(agent, gateway=gateway, session=name)

    @rule(gateway=st.sampled_from(["gw_3", "gw_2", *("nobody's",) * 6]), agent=agents, state=states, by=some)
    def somebody_is_there_no_longer(self, gateway: str, agent: str, state: str, by: str | None) -> None:
        self.on.lose(gateway)
        self.on.set_state(agent, state, by)

    @rule(
        some=st.lists(conversations, min_size=1, max_size=3, unique=True), rule=rule_ids, prefer=some, avoid=some,
        owner=some, hours=hours_ids, priority=priorities, language=languages, team=st.sampled_from([None, None, "team"]),
        anyway=st.booleans(),
    )  # fmt: skip
    def conversations_seek(self, some: list[str], hours: str | None, anyway: bool, **seek: Any) -> None:
        self.on.seek(*some, hours=hours, available_anyway=anyway, **seek)

    @rule(
        conversation=conversations,
        older_ms=st.integers(1, 60_000),
        reason=st.sampled_from([*("agent_lost",) * 3, "lost"]),
    )
    def conversation_seeks_again(self, conversation: str, older_ms: int, reason: str) -> None:
        rule = "r1" if reason == "agent_lost" else None
        self.on.seek(conversation, rule=rule, since_ms=self.on.now_ms - older_ms, reason=reason)

    @rule(conversation=conversations)
    def conversation_closes(self, conversation: str) -> None:
        self.on.release(conversation)
        self.on.places = [told for told in self.on.places if told[1] != conversation]  # a new search tells anew

    @rule(which=st.integers(0, 6), counts=st.booleans(), priority=priorities, waited_s=st.integers(0, 9_000))
    def conversations_go_on(self, which: int, counts: bool, priority: str, waited_s: int) -> None:
        self.on.weigh(self.one(Talking, which) or f"c{which}", counts=counts)
        self.on.prioritise(f"c{which}", priority)
        self.on.replied(waited_s)
        self.on.open_ticket(f"c{which}")

    @rule(which=st.integers(0, 6), yes=st.sampled_from([True, True, False]), owed=st.booleans())
    def offer_is_answered(self, which: int, yes: bool, owed: bool) -> None:
        self.on.owed = owed
        conversation = self.one(Offered, which)
        if conversation:
            decision = self.on.accept(conversation) if yes else self.on.decline(conversation)
            assert isinstance(decision, list)

    @rule(
        agent=some, which=st.integers(0, 6), to=agents, team=st.sampled_from([None, None, "team"]), force=st.booleans()
    )
    def conversation_is_moved(self, agent: str | None, which: int, to: str, team: str | None, force: bool) -> None:
        conversation = self.one(Talking, which)
        by = agent or (self.on.talks(conversation) if conversation else None)
        self.on.transfer(by or "ann", conversation or f"c{which}", to, "note", team, force=force)
        self.on.claim(to, f"c{which}", force=force)

    @rule(seconds=seconds)
    def time_passes(self, seconds: int) -> None:
        self.on.pass_s(seconds)

    def one(self, phase: type, which: int) -> str | None:
        """One of the conversations in a phase, if there is any."""
        able = [name for name, held in self.on.roster.held.items() if isinstance(held.phase, phase)]
        return able[which % len(able)] if able else None

    @rule()
    def snapshot_is_taken(self) -> None:
        if self.on.roster.seq:
            self.snapshot = (self.on.roster.seq, self.on.decider.freeze(self.on.roster))

    # what holds at rest

    @invariant()
    def whoever_waits_has_nobody_to_be_asked(self) -> None:
        """A waiting conversation has no eligible agent; a resting one only such as were asked."""
        roster = self.on.roster
        for held in roster.held.values():
            able = {name for line in (held.line, held.also) for name in eligible(roster, held, line, self.on.now_ms)}
            if isinstance(held.phase, Waiting):
                assert not able
            if isinstance(held.phase, Resting):
                assert all(roster.was_asked(held, name) for name in able)

    @invariant()
    def whoever_seeks_is_kept_back_exactly_outside_hours(self) -> None:
        """Until the doors open nobody is asked; then at once."""
        for held in self.on.roster.held.values():
            if type(held.phase) in SEEKING and not isinstance(held.phase, Offered):
                assert isinstance(held.phase, UntilOpen) == shut(self.on.roster, held, self.on.now_ms)

    @invariant()
    def nobody_waits_without_a_deadline_or_an_owner(self) -> None:
        """What was promised for a time has its timer, and no other timer would do anything."""
        shift = self.on
        for timer in shift.decider.deadlines(shift.roster):
            assert shift.timers.get(timer.command) == timer.due_ms
        needed = {timer.command for timer in shift.decider.deadlines(shift.roster)}
        assert set(shift.timers) == needed

    @invariant()
    def whoever_waits_overflows_in_time_or_has(self) -> None:
        """If the rule says when a wait is too long, it is being counted, or was too long already."""
        lines = self.on.roster.lines
        for held in self.on.roster.held.values():
            if type(held.phase) in LINED and held.line in lines and lines[held.line].rule.overflow.after_s:
                assert held.overflowed or held.overflow_ms

    @invariant()
    def lost_agents_are_in_their_grace_or_given_up(self) -> None:
        """An agent without session keeps conversations only for the grace, or where the rule says so."""
        given_up = {lost.conversation for lost in self.on.told if isinstance(lost, AgentLost)}
        for member in self.on.roster.members.values():
            if member.conversations and not member.connected and member.grace is None:
                kept = {name for name in member.conversations if self.on.roster.held[name].rule == "r2"}
                assert set(member.conversations) - kept <= given_up

    @invariant()
    def offers_are_with_those_who_are_there(self) -> None:
        """Nobody is asked who has no session, no seat, is off work or went away."""
        for member in self.on.roster.members.values():
            assert not member.offers or (member.connected and member.seat and member.seems == "available")

    @invariant()
    def each_conversation_has_one_holder(self) -> None:
        """Loads say the same as phases do: nobody is double booked, nobody is charged for what they do not have."""
        roster = self.on.roster
        for member in roster.members.values():
            assert list(member.offers.values()) == [held.conversation for held in _held_by(roster, member, Offered)]
            talking = [held.conversation for held in _held_by(roster, member, Talking)]
            assert sorted(member.conversations) == sorted(talking)
            assert (member.load, member.standing) == (load(roster, member.agent), member.stands())

    @invariant()
    def feeds_say_what_a_fresh_snapshot_says(self) -> None:
        """Changes applied in order give the rows a late reader gets."""
        fresh = self.on.decider.feed_rows(self.on.roster)
        assert {feed: rows for feed, rows in self.on.rows.items() if rows} == fresh

    @invariant()
    def places_are_told_or_about_to_be(self) -> None:
        """Whoever is in a line knows the place by the last round, or a round is due."""
        for line in self.on.roster.lines.values():
            for number, rank in enumerate(line.everyone.ranks, 1):
                told = self.on.roster.held[rank[3]].told
                assert line.round is not None or (told is not None and told[0] == shown(number))

    @invariant()
    def nobody_is_told_a_place_too_often(self) -> None:
        """At most one in ten seconds for each conversation."""
        last: dict[str, int] = {}
        for at_ms, conversation, _, _ in self.on.places:
            assert at_ms - last.get(conversation, -10_000) >= 10_000
            last[conversation] = at_ms

    @invariant()
    def lines_hold_exactly_those_who_wait(self) -> None:
        """Everybody not yet assigned stands in their line by aged priority and age; in a team's too after an overflow."""
        held = list(self.on.roster.held.values())
        for name, line in self.on.roster.lines.items():
            lined = sorted(one.rank for one in held if one.line == name and type(one.phase) in LINED)
            assert line.everyone.ranks == lined
            for phase, ranks in ((Waiting, line.waiting.ranks), (Resting, line.resting.ranks)):
                asked = [one for one in held if name in (one.line, one.also) and isinstance(one.phase, phase)]
                assert ranks == sorted(one.rank for one in asked)

    @invariant()
    def tickets_are_numbered_without_a_gap(self) -> None:
        """1, 2, 3 …"""
        numbers = [told.number for told in self.on.told if isinstance(told, NumberTicket)]
        assert numbers == list(range(1, len(numbers) + 1))

    def teardown(self) -> None:
        shift = self.on
        if not shift.log:
            return
        self.watch.moved(shift.roster)
        frozen = shift.decider.freeze(shift.roster)
        assert shift.decider.freeze(replayed(shift, shift.decider.new(shift.config), 0)) == frozen
        if self.snapshot is not None:
            seq, snapshot = self.snapshot
            assert shift.decider.freeze(replayed(shift, shift.decider.thaw(snapshot), seq)) == frozen


def replayed(shift: Shift, roster: Roster, seq: int) -> Roster:
    """Return `roster` after the stored events past `seq`."""
    for stored in shift.log[seq:]:
        shift.decider.evolve(roster, shift.decider.decode_event(stored))
    return roster


def _held_by(roster: Roster, member: Member, phase: type) -> list[Held]:
    mine = [held for held in roster.held.values() if isinstance(held.phase, phase) and held.phase.agent == member.agent]
    return sorted(mine, key=lambda held: int(held.phase.offer.split("_")[1]) if phase is Offered else 0)


Conduct.TestCase.settings = settings(max_examples=120, stateful_step_count=50, deadline=None)
TestConduct = Conduct.TestCase


def test_nothing_is_decided_that_was_refused() -> None:
    """Refusals and already are values that change nothing."""
    shift = Shift(account([agent("ann")]))
    shift.arrive("ann")
    before = shift.decider.freeze(shift.roster)
    assert isinstance(shift.claim("ann", "c1"), Refusal)
    assert isinstance(shift.arrive("ann"), Already)
    assert shift.decider.freeze(shift.roster) == before
