"""Laws of the roster, over any sequence of what agents, visitors, gateways and configurations do."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from protocol.bus.config import AccountConfig, Agent, Rule
from protocol.bus.decisions import Already, Refusal
from routing.core.events import ConversationAssigned, ConversationOffered, ConversationTransferred
from routing.core.presence import Member
from routing.core.queue import Held, Offered, Resting, Talking, Unassigned, Waiting, shown
from routing.core.roster import Roster
from tests.kit.shift import INBOX, Shift, account, agent
from tests.kit.turns import Turns

AGENTS = ["ann", "bob", "eva", "sue"]
CONVERSATIONS = [f"c{number}" for number in range(7)]
GATEWAYS = ["gw_1", "gw_2", "gw_3"]

agents = st.sampled_from(AGENTS)
conversations = st.sampled_from(CONVERSATIONS)
gateways = st.sampled_from(GATEWAYS)
rule_ids = st.sampled_from(["r1", "r2", None])


@st.composite
def configurations(draw: st.DrawFn) -> AccountConfig:
    """Accounts of one to four agents and one or two rules, of which the second may assign at once."""
    some = draw(st.lists(agents, min_size=1, max_size=4, unique=True))
    staff = [_agent(draw, name) for name in some]
    first = Rule("r1", INBOX, "All", expiries_to_away=draw(st.integers(1, 3)), decline_pause_s=20)
    named = draw(st.lists(st.sampled_from(some), max_size=3, unique=True))
    second = Rule("r2", INBOX, "Some", agents=named, auto_accept=draw(st.booleans()), lost_grace_s=30)
    return account(staff, rules=[first, second] if draw(st.integers(0, 3)) else [first])


def _agent(draw: st.DrawFn, name: str) -> Agent:
    return agent(
        name, capacity=draw(st.integers(0, 3)), seat=draw(st.integers(0, 5)) > 0, supervisor=draw(st.booleans())
    )


class Conduct(RuleBasedStateMachine):
    """Anything may happen in any order; the laws hold at every event and at rest."""

    def __init__(self) -> None:
        super().__init__()
        self.shift: Shift | None = None
        self.turns: dict[str, Turns] = {}
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

    @rule(config=configurations())
    def configuration_comes(self, config: AccountConfig) -> None:
        shift = self.at_work(config)
        version = shift.roster.staffing.version + 1
        newer = account(config.agents, rules=config.rules, version=version)
        self.turns = {}  # windows do not outlast a change of the rules
        shift.publish(newer)

    @rule(agent=agents, gateway=gateways, session=st.integers(1, 2))
    def agent_arrives(self, agent: str, gateway: str, session: int) -> None:
        self.on.arrive(agent, gateway=gateway, session=f"{agent}_{gateway}_{session}")

    @rule(agent=agents, gateway=gateways, session=st.integers(1, 2))
    def agent_leaves(self, agent: str, gateway: str, session: int) -> None:
        self.on.leave(agent, gateway=gateway, session=f"{agent}_{gateway}_{session}")

    @rule(gateway=st.sampled_from(GATEWAYS[1:]))
    def gateway_is_lost(self, gateway: str) -> None:
        self.on.lose(gateway)

    @rule(agent=agents, state=st.sampled_from(["available", "away"]))
    def agent_sets_state(self, agent: str, state: str) -> None:
        self.on.set_state(agent, state)

    @rule(conversation=conversations, rule=rule_ids, prefer=st.none() | agents, avoid=st.none() | agents)
    def conversation_seeks(self, conversation: str, rule: str | None, prefer: str | None, avoid: str | None) -> None:
        self.on.seek(conversation, rule=rule, prefer=prefer, avoid=avoid)

    @rule(conversation=conversations, older_ms=st.integers(1, 60_000))
    def conversation_seeks_again(self, conversation: str, older_ms: int) -> None:
        self.on.seek(conversation, rule="r1", since_ms=self.on.now_ms - older_ms, reason="agent_lost")

    @rule(conversation=conversations)
    def conversation_closes(self, conversation: str) -> None:
        self.on.release(conversation)
        self.on.places = [told for told in self.on.places if told[1] != conversation]  # a new search tells anew

    @rule(conversation=conversations, yes=st.booleans())
    def offer_is_answered(self, conversation: str, yes: bool) -> None:
        if self.on.asked(conversation) is not None:
            decision = self.on.accept(conversation) if yes else self.on.decline(conversation)
            assert isinstance(decision, list)

    @rule(agent=agents, conversation=conversations)
    def agent_claims(self, agent: str, conversation: str) -> None:
        self.on.claim(agent, conversation)

    @rule(agent=agents, conversation=conversations, to=agents)
    def agent_transfers(self, agent: str, conversation: str, to: str) -> None:
        self.on.transfer(agent, conversation, to, "note")

    @rule(seconds=st.sampled_from([1, 9, 21, 31, 65]))
    def time_passes(self, seconds: int) -> None:
        self.on.pass_s(seconds)

    @rule(owed=st.booleans())
    def conversations_are_owed_replies(self, owed: bool) -> None:
        self.on.owed = owed

    @rule()
    def snapshot_is_taken(self) -> None:
        if self.on.roster.seq:
            self.snapshot = (self.on.roster.seq, self.on.decider.freeze(self.on.roster))

    # what is watched at every event, before it is true

    def watch(self, roster: Roster, event: Any) -> None:
        match event:
            case ConversationOffered(agent=chosen) | ConversationAssigned(agent=chosen, offer=None, forced=False):
                member = roster.members[chosen]
                assert member.load < member.capacity, f"{chosen} is at capacity already"
            case ConversationTransferred(to=chosen, forced=False):
                assert roster.members[chosen].load < roster.members[chosen].capacity
        if isinstance(event, ConversationOffered | ConversationAssigned) and event.turn:
            self.watch_turn(roster, event)

    def watch_turn(self, roster: Roster, event: ConversationOffered | ConversationAssigned) -> None:
        held = roster.held[event.conversation]
        assert held.rule is not None
        able = [name for name in eligible(roster, held) if not roster.was_asked(held, name)]
        assert event.agent in able, f"{event.agent} may not be asked for {event.conversation}"
        self.turns.setdefault(held.rule, Turns()).used(event.agent, able)
        if isinstance(held.phase, Waiting):
            ahead = [one for one in waiting(roster, held.rule) if one.rank < held.rank]
            assert not ahead, f"{ahead[0].conversation} waits longer than {event.conversation}"

    # what holds at rest

    @invariant()
    def whoever_waits_has_nobody_to_be_asked(self) -> None:
        """A waiting conversation has no eligible agent; a resting one only such as were asked."""
        for held in self.on.roster.held.values():
            if isinstance(held.phase, Waiting):
                assert not eligible(self.on.roster, held)
            if isinstance(held.phase, Resting):
                assert all(self.on.roster.was_asked(held, name) for name in eligible(self.on.roster, held))

    @invariant()
    def nobody_waits_without_a_deadline_or_an_owner(self) -> None:
        """Offers, rests and graces have their timer, and no other timer of theirs would do anything."""
        shift = self.on
        for timer in shift.decider.deadlines(shift.roster):
            assert shift.timers.get(timer.command) == timer.due_ms
        needed = {timer.command for timer in shift.decider.deadlines(shift.roster)}
        for stale in [timer for timer in shift.timers if timer not in needed]:
            assert shift.decider.decide(shift.roster, stale, shift.now_ms) == []

    @invariant()
    def lost_agents_are_in_their_grace_or_given_up(self) -> None:
        """An agent without session keeps conversations only for the grace, unless told to do without it."""
        given_up = {lost.conversation for lost in self.on.told if type(lost).__name__ == "AgentLost"}
        for member in self.on.roster.members.values():
            if member.conversations and not member.connected and member.grace is None:
                assert set(member.conversations) <= given_up

    @invariant()
    def offers_are_with_those_who_are_there(self) -> None:
        """Nobody is asked who has no session, no seat, or went away."""
        for member in self.on.roster.members.values():
            assert not member.offers or (member.connected and member.seat and not member.away)

    @invariant()
    def each_conversation_has_one_holder(self) -> None:
        """Loads say the same as phases do: nobody is double booked, nobody is charged for what they do not have."""
        roster = self.on.roster
        for member in roster.members.values():
            assert list(member.offers.values()) == [held.conversation for held in _held_by(roster, member, Offered)]
            talking = [held.conversation for held in _held_by(roster, member, Talking)]
            assert sorted(member.conversations) == sorted(talking)
            assert member.standing is member.stands()

    @invariant()
    def feeds_say_what_a_fresh_snapshot_says(self) -> None:
        """Changes applied in order give the rows a late reader gets."""
        fresh = self.on.decider.feed_rows(self.on.roster)
        assert {feed: rows for feed, rows in self.on.rows.items() if rows} == fresh

    @invariant()
    def places_are_told_or_about_to_be(self) -> None:
        """Whoever is in a line knows the place by the last round, or a round is due."""
        for line in self.on.roster.lines.values():
            for number, (_, _, conversation) in enumerate(line.everyone.ranks, 1):
                told = self.on.roster.held[conversation].told
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
        """Everybody not yet assigned stands in the line of their rule, by age."""
        roster = self.on.roster
        for name, line in roster.lines.items():
            inside = [held for held in roster.held.values() if held.rule == name]
            lined = sorted(held.rank for held in inside if not isinstance(held.phase, Talking | Unassigned))
            assert line.everyone.ranks == lined
            assert line.waiting.ranks == sorted(held.rank for held in inside if isinstance(held.phase, Waiting))
            assert line.resting.ranks == sorted(held.rank for held in inside if isinstance(held.phase, Resting))

    def teardown(self) -> None:
        shift = self.on
        if not shift.log:
            return
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


def eligible(roster: Roster, held: Held) -> list[str]:
    """Return who may be asked for `held`, by the words of the product: seat, access, there, available, below capacity."""
    rules = {one.id: one for one in roster.staffing.rules}
    access = next(inbox.agents for inbox in roster.staffing.inboxes if inbox.id == held.inbox)
    named = rules[held.rule].agents or access if held.rule in rules else []
    able = [roster.members[name] for name in named if name in access]
    return [one.agent for one in able if one.seat and one.connected and not one.away and one.load < one.capacity]


def waiting(roster: Roster, rule_id: str) -> list[Held]:
    return [one for one in roster.held.values() if one.rule == rule_id and isinstance(one.phase, Waiting)]


def _held_by(roster: Roster, member: Member, phase: type) -> list[Held]:
    mine = [held for held in roster.held.values() if isinstance(held.phase, phase) and held.phase.agent == member.agent]
    return sorted(mine, key=lambda held: int(held.phase.offer.split("_")[1]) if phase is Offered else 0)


Conduct.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestConduct = Conduct.TestCase


def test_nothing_is_decided_that_was_refused() -> None:
    """Refusals and already are values that change nothing."""
    shift = Shift(account([agent("ann")]))
    shift.arrive("ann")
    before = shift.decider.freeze(shift.roster)
    assert isinstance(shift.claim("ann", "c1"), Refusal)
    assert isinstance(shift.arrive("ann"), Already)
    assert shift.decider.freeze(shift.roster) == before
