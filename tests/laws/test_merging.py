"""The laws of logging in: phones change hands, and nobody ever reads, loses or doubles a word by it.

Invariant: whose a conversation is, and what was said in it, is written down here as it happens (product §9, merge and
logout); no decider is asked.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from protocol.bus.commands import LogOut, VisitorCloses, VisitorWithdraws
from protocol.bus.facts import VisitorMerged
from protocol.ids import ChatflowId, ConversationId, VisitorId
from protocol.wire import content
from protocol.wire.content import Role
from tests.kit.workplace import ACCOUNT, ANN, ASKS, OPEN, answers, hangs_up, origin, replies
from tests.laws.cell_laws import CellLaws
from tests.laws.phones import Street

NAMES = ["blue", "red", "green"]
_NO = frozenset({"unavailable", "consent_required", "continued", "not_found", "blocked", "n_conflict", "out_of_order"})
phones = st.sampled_from(range(len(NAMES)))
flows = st.sampled_from([OPEN, OPEN, ASKS])
users = st.sampled_from(["kari", "kari", "kari", "ola"])


class Merging(RuleBasedStateMachine, Street, CellLaws):
    """Three phones, on which nobody in particular, Kari or Ola talks; an agent answers."""

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        Street.__init__(self, NAMES)
        self.taken: set[VisitorId] = set()  # of whom all has become somebody else's
        self.withdrawn: set[VisitorId] = set()

    # What people do

    @rule(number=phones, flow=flows)
    def says(self, number: int, flow: ChatflowId) -> None:
        phone = self.phones[number]
        where = self.place(phone, flow)
        outcome = self.send(phone, flow, where)
        assert (not outcome.code) or outcome.code in _NO, outcome
        if not outcome.code:
            self.owns.setdefault(where, phone.visitor)
            self.said.setdefault(where, []).append(f"word {self.words}")

    @rule(number=phones, data=st.data())
    def says_again(self, number: int, data: st.DataObject) -> None:
        """Whatever was said since the last logout is answered as before, or not taken; it is never there twice."""
        phone = self.phones[number]
        if phone.frames:
            frame = data.draw(st.sampled_from(phone.frames))
            before = dict(self.said)
            outcome = self.again(phone, frame)
            if not outcome.code and frame.text not in before.get(frame.conversation, []):
                self.owns.setdefault(frame.conversation, phone.visitor)
                self.said.setdefault(frame.conversation, []).append(frame.text)

    @rule(number=phones, value=st.sampled_from(["granted", "granted", "declined"]))
    def answers_the_card(self, number: int, value: str) -> None:
        phone = self.phones[number]
        where = self.place(phone, ASKS)
        asked = origin(phone.device, self.world.next_n(where, phone.device))
        outcome = self.world.ask(answers(value=value, conversation=where, visitor=phone.visitor, origin=asked))
        if not outcome.code and where in self.world.logs:
            self.owns.setdefault(where, phone.visitor)
            self.said.setdefault(where, [])
        if not outcome.code and value == "granted":
            self.withdrawn.discard(phone.visitor)

    @rule(number=phones)
    def takes_consent_back(self, number: int) -> None:
        phone = self.phones[number]
        asked = (origin(phone.device, 0, "withdraws"), phone.visitor, "process", phone.device, "en")
        assert self.world.ask(VisitorWithdraws(ACCOUNT, *asked)).code == ""
        self.withdrawn.add(phone.visitor)

    @rule(number=phones, user=users, cold=st.booleans())
    def logs_in_as(self, number: int, user: str, cold: bool) -> None:
        """What was begun is the user's; of somebody who is logged in already nothing becomes another's."""
        phone = self.phones[number]
        began_as = VisitorId(f"vis_{phone.name}_{phone.lives}")
        outcome = self.logs_in(phone, user, began_as=began_as, secret=phone.secret, cold=cold)
        if phone.user and phone.user != user:
            assert outcome.code == "subject_changed"
            return
        assert outcome.code == "", outcome
        phone.user, phone.visitor = user, VisitorId(f"vis_{user}")
        if began_as in self.taken:
            return
        self.taken.add(began_as)
        self.owns = {where: phone.visitor if owner == began_as else owner for where, owner in self.owns.items()}
        if began_as in self.withdrawn:
            self.withdrawn.add(phone.visitor)
        record = self.world.visitor(phone.visitor)
        assert record is not None
        if phone.visitor in self.withdrawn:
            assert all(each.closed_at_ms is not None for each in record.current.values()), (
                "withdrawal ends what is open"
            )

    @rule(number=phones, user=users, flow=flows)
    def talks_and_logs_in(self, number: int, user: str, flow: ChatflowId) -> None:
        self.says(number, flow)
        self.logs_in_as(number, user, cold=False)

    @rule(number=phones, flow=flows)
    def comes_late(self, number: int, flow: ChatflowId) -> None:
        """What was still on its way under the name from before is told to come again, and is nowhere."""
        phone = self.phones[number]
        if phone.user:
            earlier, entries = self.earlier(phone), sum(map(len, self.world.logs.values()))
            where = next((where for where, owner in self.owns.items() if owner == phone.visitor), ConversationId("new"))
            assert self.send(earlier, flow, where).code == "unavailable"
            assert sum(map(len, self.world.logs.values())) == entries

    @rule(number=phones, user=users)
    def guesses(self, number: int, user: str) -> None:
        """A secret that is none moves nothing."""
        phone = self.phones[number]
        if not phone.user:
            outcome = self.logs_in(phone, user, began_as=phone.visitor, secret=b"a guess", cold=False)
            assert outcome.code == "visitor_unknown"

    @rule(number=phones, data=st.data())
    def logs_out(self, number: int, data: st.DataObject) -> None:
        """The next one on the phone sees nothing; what is shown of the time before opens nothing."""
        phone = self.phones[number]
        left = LogOut(ACCOUNT, origin(phone.device, 0, "leaves"), phone.visitor, phone.device)
        assert self.world.ask(left).code == ""
        began_as, secret = VisitorId(f"vis_{phone.name}_{phone.lives}"), phone.secret
        if not phone.user:
            user = data.draw(users)
            assert self.logs_in(phone, user, began_as=began_as, secret=secret, cold=False).code == "visitor_unknown"
        self.begin(phone)

    @precondition(lambda self: self.owns)
    @rule(data=st.data(), number=phones)
    def tries_what_is_not_theirs(self, data: st.DataObject, number: int) -> None:
        phone, where = self.phones[number], data.draw(st.sampled_from(sorted(self.owns)))
        if self.owns[where] != phone.visitor:
            before = len(self.world.logs[where])
            assert self.send(phone, OPEN, where).code in ("not_found", "continued", "blocked")
            phone.frames.pop()
            assert len(self.world.logs[where]) == before

    @precondition(lambda self: self.owns)
    @rule(data=st.data(), end=st.sampled_from(["agent", "visitor", ""]))
    def is_answered_or_closed(self, data: st.DataObject, end: str) -> None:
        where = data.draw(st.sampled_from(sorted(self.owns)))
        n = self.world.next_n("desk", f"desk_{ANN}")
        if end == "agent":
            self.world.ask(hangs_up(ANN, n, where))
        elif end == "visitor":
            self.closes(where)
        else:
            self.world.ask(replies(ANN, n, where))

    def closes(self, where: ConversationId) -> None:
        owner = self.owns[where]
        phone = next((phone for phone in self.phones if phone.visitor == owner), None)
        if phone is not None:
            asked = origin(phone.device, self.world.next_n(where, phone.device), f"close-{self.world.commit_no}")
            self.world.ask(VisitorCloses(ACCOUNT, asked, where, owner))

    @rule(by_s=st.sampled_from([1, 700, 4_000, 90_000]))
    def time_passes(self, by_s: int) -> None:
        self.world.pass_time(by_s * 1000)

    # What is true of it

    @invariant()
    def everything_is_whose_it_must_be(self) -> None:
        for where, owner in self.owns.items():
            assert self.world.conversation(where).terms.visitor == owner

    @invariant()
    def every_word_is_there_once_and_in_order(self) -> None:
        for where, texts in self.said.items():
            bodies = [event.body for event in self.world.log(where)]
            said = [body.text for body in bodies if isinstance(body, content.Message) and body.by.role is Role.VISITOR]
            assert said == texts

    @invariant()
    def nothing_begins_under_a_name_that_is_taken(self) -> None:
        for phone in self.phones:
            for flow in (OPEN, ASKS):
                where, record = self.place(phone, flow), self.world.visitor(phone.visitor)
                assert record is not None
                goes_on = flow in record.current and record.current[flow].conversation == where
                assert (where in self.world.logs) == goes_on

    @invariant()
    def whoever_is_somebody_else_has_nothing(self) -> None:
        for visitor in self.taken:
            record = self.world.visitor(visitor)
            assert record is not None
            assert not record.current
            assert not record.consents
            assert all(device.revoked and not device.secret for device in record.devices.values())
        merged = [fact.visitor for fact in self.world.facts if isinstance(fact, VisitorMerged)]
        assert sorted(merged) == sorted(self.taken), "SQL hears of each once"

    @invariant()
    def what_was_taken_back_stays_so(self) -> None:
        for visitor in self.withdrawn - self.taken:
            record = self.world.visitor(visitor)
            assert record is not None
            assert record.consents["process"].answer == "withdrawn"


TestMerging = Merging.TestCase
TestMerging.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
