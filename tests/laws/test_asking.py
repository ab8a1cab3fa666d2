"""The laws of asking: each consent as the table says, an address at its moment, nothing stored before consent.

Invariant: what is expected is written here from product §3 alone, over chatflows, visitors and days drawn at random;
no decider is asked what it would do.
"""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from protocol.bus.chatflow import Availability, Communicate, Consent, EmailCapture, Storage
from protocol.bus.commands import CompanySends
from protocol.bus.facts import ConsentGiven
from protocol.bus.hours import Hours, Interval
from protocol.bus.records import Profile
from protocol.ids import ChatflowId, ConversationId, HoursId, VisitorId
from protocol.wire import content
from protocol.wire.content import Role
from tests.kit.visits import Visit
from tests.kit.workplace import ACCOUNT, ANN, APP, ASKS, IMPLIES, KARI, OLA, OPEN, origin, workplace
from tests.laws.asks import check_asks
from tests.laws.table import ALWAYS, NEVER, NEWS, YEAR_MS, Table

_OTHERS = frozenset({"blocked", "continued", "too_many_open", "nobody_there", "no_chatflow", "unavailable"})
REFUSALS = {"storage": "storage_required", "process": "consent_required", "email": "email_required"}
moments = st.sampled_from(["never", "before_chat", "on_first_message", "after_delay"])
there = st.sampled_from(
    [
        Availability(),
        Availability("office_hours", NEVER),
        Availability("office_hours", ALWAYS),
        Availability("agents_available"),
    ]
)
asking = st.fixed_dictionaries(
    {
        "consent": st.builds(Consent, st.sampled_from(["explicit", "explicit", "legitimate_interest", "off"])),
        "storage": st.builds(Storage, st.sampled_from(["never", "before_chat", "on_exit_intent"])),
        "email": st.builds(EmailCapture, moments, moments),
        "availability": there,
        "communicate": st.sampled_from([None, Communicate(NEWS)]),
    }
)
flows = st.sampled_from([ASKS, ASKS, ASKS, IMPLIES, OPEN])
people = st.sampled_from([KARI, KARI, KARI, OLA])
values = st.sampled_from(["granted", "granted", "declined"])
addresses = st.sampled_from(["kari@example.no", "kari@example.no", "kari", "@"])


class Asking(RuleBasedStateMachine, Table):
    """Two visitors under three chatflows, whatever they answer and in whatever order; one agent."""

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        Table.__init__(self)
        self.refused: list[str] = []  # what was said and not taken
        self.said = 0
        self.there = False  # the agent

    @initialize(
        drawn=st.tuples(asking, asking, asking),
        privacy=st.sampled_from([True, True, True, False]),
        storage=st.booleans(),
    )
    def a_day(self, drawn: Any, privacy: bool, storage: bool) -> None:
        hours = [_daily(NEVER, []), _daily(ALWAYS, [Interval(0, 1_440)])]
        plans = dict(zip((ASKS, IMPLIES, OPEN), drawn, strict=True))
        chatflows = [replace(flow, **plans.get(flow.id, {})) for flow in workplace().chatflows]
        self.world.configs[ACCOUNT] = replace(
            workplace(), chatflows=chatflows, hours=hours, data_privacy=privacy, storage_consent=storage
        )
        self.visits = {KARI: Visit(world=self.world, visitor=KARI)}
        self.visits[OLA] = Visit(world=self.world, visitor=OLA, identified=True)

    # What people do

    @rule(who=people, flow=flows, address=st.sampled_from([False, False, False, True]))
    def says(self, who: VisitorId, flow: ChatflowId, address: bool) -> None:
        visit, now_ms = self.at(who, flow), self.world.now_ms + 1
        outstanding = self.outstanding(who, flow, now_ms)
        self.said += 1
        text = "ola@example.no" if address else f"words-{self.said}-end"
        code = visit.say(text)
        if code not in ("", *REFUSALS.values()):
            return  # another law's
        assert code == (REFUSALS[outstanding[0]] if outstanding else ""), "asked exactly what is outstanding, in order"
        if code and not address:
            self.refused.append(text)
        implied = self.mode(flow) == "legitimate_interest" and self.standing(who, "process", flow, now_ms) not in (
            "granted", "implied",
        )  # fmt: skip
        if not code and implied:
            self.note(who, "process", "implied", flow)

    @rule(who=people, flow=flows, value=values, box=st.sampled_from([None, True, False]))
    def answers_card(self, who: VisitorId, flow: ChatflowId, value: str, box: bool | None) -> None:
        visit, now_ms = self.at(who, flow), self.world.now_ms + 1
        due = "process" in self.outstanding(who, flow, now_ms)
        code = visit.answer("consent_to_process", value, communicate=box)
        same = self.standing(who, "process", flow, now_ms) == value
        assert code in (("",) if due or same else ("not_outstanding",)) or code in _OTHERS
        if code or not due:
            return
        self.note(who, "process", value, flow)
        boxed = "granted" if box else "declined"
        if value == "granted" and box is not None and self.flow(flow).communicate is not None:
            self.boxed(who, boxed, flow, now_ms)

    @rule(who=people, flow=flows, value=values)
    def answers_box(self, who: VisitorId, flow: ChatflowId, value: str) -> None:
        visit, now_ms = self.at(who, flow), self.world.now_ms + 1
        due = "process" in self.outstanding(who, flow, now_ms)
        code = visit.answer("consent_to_communicate", value)
        assert code != "" or not due, "nothing else is consented to before the consent to process"
        if not code:
            self.boxed(who, value, flow, now_ms)

    @rule(who=people, flow=flows, value=values)
    def answers_storage(self, who: VisitorId, flow: ChatflowId, value: str) -> None:
        visit, now_ms = self.at(who, flow), self.world.now_ms + 1
        before = self.standing(who, "storage", flow, now_ms)
        code = visit.answer("storage_consent", value)
        if not code and before != value:
            assert self.storage(flow) != "never", "nobody answers what nobody asks"
            assert who == KARI
            self.note(who, "storage", value, flow)

    @rule(who=people, flow=flows, address=addresses)
    def answers_email(self, who: VisitorId, flow: ChatflowId, address: str) -> None:
        visit, now_ms = self.at(who, flow), self.world.now_ms + 1
        outstanding = self.outstanding(who, flow, now_ms)
        code = visit.answer("email", address)
        if outstanding and outstanding[0] != "email" and code not in _OTHERS:
            assert code == REFUSALS[outstanding[0]], "no address is taken before the consents"
        if outstanding == ["email"] and code not in _OTHERS:
            assert code == ("" if "example" in address else "bad_answer")

    @rule(who=people, flow=flows)
    def insists_on_no_address(self, who: VisitorId, flow: ChatflowId) -> None:
        codes = [self.at(who, flow).answer("email", "no") for _ in range(4)]
        assert "" not in codes

    @rule(who=people, purpose=st.sampled_from(["process", "process", "storage", "communicate"]))
    def withdraws(self, who: VisitorId, purpose: str) -> None:
        self.visits[who].withdraw(purpose)
        taken = [f"communicate:{NEWS}"] if purpose == "communicate" else [purpose]
        for each in taken:
            answer, _, flow, version = self.known[who].get(each, ("", 0, OPEN, 0))
            if answer == "granted" or (answer != "withdrawn" and purpose != "communicate"):
                self.known[who][each] = ("withdrawn", self.world.now_ms, flow, version)
                self.lines += 1

    @rule(who=people, flow=flows)
    def app_tells(self, who: VisitorId, flow: ChatflowId) -> None:
        visit, now_ms = self.at(who, flow), self.world.now_ms + 1
        due = "process" in self.outstanding(who, flow, now_ms)
        assert visit.tell(chatflow=flow, properties={"plan": "pro"}) == ("consent_required" if due else "")

    @rule(flow=flows)
    def comes_with_a_token(self, flow: ChatflowId) -> None:
        due = "process" in self.outstanding(OLA, flow, self.world.now_ms + 1)
        before = self.visits[OLA].record.profile
        self.visits[OLA].hello(identified=True, profile=Profile("Ola", "", None, "user-1"), chatflow=flow)
        assert self.visits[OLA].record.profile == (before if due else Profile("Ola", "", None, "user-1"))

    @rule(who=people, flow=flows)
    def closes(self, who: VisitorId, flow: ChatflowId) -> None:
        self.at(who, flow).close()

    @rule()
    def agent_comes_and_goes(self) -> None:
        visit = self.visits[KARI]
        if self.there:
            self.world.do(visit.leaves())
        else:
            visit.agent_comes()
        self.there = not self.there

    @precondition(lambda self: self.there)
    @rule(who=people, flow=flows)
    def agent_says(self, who: VisitorId, flow: ChatflowId) -> None:
        self.at(who, flow).agent_says(agent=ANN)

    @rule(flow=flows)
    def company_writes(self, flow: ChatflowId) -> None:
        visit = self.at(OLA, flow)
        asked = origin("server", 0, f"call-{self.said}")
        self.world.ask(CompanySends(ACCOUNT, asked, visit.where, OLA, flow, "News.", "Nordvik", "en", APP))

    @rule(by_ms=st.sampled_from([1_000, 10_000, 29_990, 31_000, 3_700_000, 86_400_000, YEAR_MS]))
    def time_passes(self, by_ms: int) -> None:
        self.world.pass_time(by_ms)

    @rule(flow=flows, changes=asking, again=st.sampled_from([False, False, True]))
    def publishes(self, flow: ChatflowId, changes: dict[str, Any], again: bool) -> None:
        visit = self.at(KARI, flow)
        version = visit.served.version + 1
        asks = version if again else visit.served.consent.ask_again_from
        visit.publish(**{**changes, "consent": replace(changes["consent"], ask_again_from=asks)})

    # The laws

    @invariant()
    def every_answer_has_its_line(self) -> None:
        lines = [fact for fact in self.world.facts if isinstance(fact, ConsentGiven)]
        assert len(lines) == len({line.id for line in lines}) == self.lines

    @invariant()
    def records_hold_the_answers(self) -> None:
        for who, visit in self.visits.items():
            held = {purpose: answer.answer for purpose, answer in visit.record.consents.items()}
            assert held == {purpose: answer for purpose, (answer, *_) in self.known[who].items()}

    @invariant()
    def nothing_refused_is_stored(self) -> None:
        world = self.world
        stores = [*world.conversations.values(), *world.visitors.values()]
        stores += [entry for log in (*world.logs.values(), *world.roster_log.values()) for entry in log]
        kept = b"".join(stores) + repr((world.ledgers, world.facts)).encode()
        for text in self.refused:
            assert text.encode() not in kept, "what was refused is nowhere"

    @invariant()
    def logs_begin_with_their_answers(self) -> None:
        for where in self.world.logs:
            left: set[str] = set()
            for event in self.world.log(where):
                match event.body:
                    case content.Started():
                        left = set(event.body.steps) - {"email"}
                    case content.ConsentAnswered(purpose="storage"):
                        left.discard("storage_consent")
                    case content.ConsentAnswered(purpose="process", answer="granted" | "implied"):
                        left.discard("consent_to_process")
                    case content.Message(by=by) if by.role is Role.VISITOR:
                        assert self._still_asked(where, left) == set(), "a word stands behind every answer"

    def _still_asked(self, where: ConversationId, left: set[str]) -> set[str]:
        """What of `left` the chatflow has asked in every version since, and the account throughout."""
        versions = {
            flow.version
            for flow in self.world.configs[ACCOUNT].past
            if flow.id == self.world.conversation(where).terms.chatflow
        }
        return set() if versions else left

    @invariant()
    def one_open_per_chatflow(self) -> None:
        for visit in self.visits.values():
            live = [where for where in self.world.conversations if self._live(where, visit.visitor)]
            flows = [self.world.conversation(where).terms.chatflow for where in live]
            assert len(flows) == len(set(flows)) <= self.world.configs[ACCOUNT].max_open

    def _live(self, where: ConversationId, who: VisitorId) -> bool:
        state = self.world.conversation(where)
        return bool(state.terms.visitor == who and type(state.phase).__name__ != "Closed")

    @invariant()
    def an_address_is_asked_at_its_moment(self) -> None:
        for where in self.world.logs:
            known_ms = self.known_ms(self.world.conversation(where).terms.visitor)
            log = [(event.at, event.body) for event in self.world.log(where)]
            check_asks(log, known_ms or self.world.now_ms + 1, self.world.now_ms)


def _daily(name: HoursId, intervals: list[Interval]) -> Hours:
    return Hours(name, name, "UTC", [intervals] * 7)


TestAsking = Asking.TestCase
TestAsking.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
