"""What is true of every conversation in a help desk under an alias, read from its log as staff and as visitors see it.

Invariant: each law is told from the product's words alone, in one pass over a log; no decider is asked.
"""

from typing import Any

import msgspec
from hypothesis.stateful import invariant

from engine.core import phases
from engine.core.timers import due
from protocol.bus.chatflow import SCORES
from protocol.bus.facts import SurveyChanged, TicketKept
from protocol.ids import ConversationId
from protocol.wire.content import (
    STAFF_ONLY,
    Author,
    Closed,
    Event,
    Message,
    Note,
    Redacted,
    Reopened,
    Role,
    Snoozed,
    Started,
    SurveyAnswered,
    SurveyAsked,
    SurveyCommented,
    SurveyExpired,
    SurveySeen,
    TicketChanged,
    TicketOpened,
    Woken,
)
from tests.kit.workplace import ACCOUNT
from tests.kit.world import World

_EVENT = msgspec.msgpack.Decoder(Event)


class TalkLaws:
    """`secrets`: what names an agent. `erased`: the entries that were redacted."""

    world: World
    secrets: list[bytes]
    erased: set[tuple[ConversationId, int]]

    @invariant()
    def notes_never_reach_a_visitor(self) -> None:
        for where in self.world.logs:
            for event, shown in zip(self.world.log(where), self.world.shown[where], strict=True):
                assert (shown == b"") == isinstance(event.body, STAFF_ONLY)

    @invariant()
    def alias_leaks_nothing(self) -> None:
        for where in self.world.logs:
            read = b"".join(self.world.shown[where])
            for secret in self.secrets:
                assert secret not in read, secret

    @invariant()
    def visitors_read_the_same_log(self) -> None:
        for where in self.world.logs:
            for event, shown in zip(self.world.log(where), self.world.shown[where], strict=True):
                if shown:
                    read = _EVENT.decode(shown)
                    assert (read.seq, read.id, read.at, type(read.body)) == (
                        event.seq, event.id, event.at, type(event.body),
                    )  # fmt: skip

    @invariant()
    def what_is_redacted_is_gone(self) -> None:
        for where in self.world.logs:
            log = self.world.log(where)
            named = {event.body.of for event in log if isinstance(event.body, Redacted)}
            assert named == {seq for there, seq in self.erased if there == where}
            for seq in named:
                body = log[seq - 1].body
                assert isinstance(body, Message | Note)
                assert (body.text, body.redacted) == ("", True)

    @invariant()
    def one_survey_per_close_that_earned_it(self) -> None:
        for where in self.world.logs:
            _check_surveys(self.world.log(where))

    @invariant()
    def the_report_is_the_log(self) -> None:
        told: dict[tuple[str, int], SurveyChanged] = {}
        for fact in self.world.facts:
            if isinstance(fact, SurveyChanged):
                before = told.get((fact.conversation, fact.ask))
                told[fact.conversation, fact.ask] = fact
                assert before is None or before.score in (None, fact.score), "the first score is final"
        read = {}
        for where in self.world.logs:
            for event in self.world.log(where):
                if isinstance(event.body, SurveyAsked):
                    read[where, event.body.ask] = None
                elif isinstance(event.body, SurveyAnswered):
                    read[where, event.body.ask] = event.body.score
        assert {which: fact.score for which, fact in told.items()} == read
        assert all((fact.platform, fact.app_version) == ("ios", "1.0") for fact in told.values())

    @invariant()
    def one_ticket_each(self) -> None:
        numbers = []
        for where in self.world.logs:
            log = self.world.log(where)
            opened = [event.body.number for event in log if isinstance(event.body, TicketOpened)]
            spoken = any(isinstance(event.body, Message) and event.body.by.role is Role.VISITOR for event in log)
            assert len(opened) == 1 or not (spoken or opened), "the first word opens it, if no agent did"
            numbers += opened
            self._check_status(where, log)
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), "every number once, from one"

    def _check_status(self, where: ConversationId, log: list[Event]) -> None:
        status = ""
        for event in log:
            match event.body:
                case TicketOpened():
                    status = "new"
                case TicketChanged(status=status):
                    pass
                case Message(by=Author(role=Role.AGENT)) if status and status != "closed":
                    status = "waiting_visitor"
                case Message(by=Author(role=Role.VISITOR)) if status and status != "new":
                    status = "waiting_us"
        kept = [fact for fact in self.world.facts if isinstance(fact, TicketKept) and fact.conversation == where]
        assert (kept[-1].status if kept else "") == status

    @invariant()
    def asleep_only_with_a_wake(self) -> None:
        for where in self.world.logs:
            asleep = 0
            for event in self.world.log(where):
                match event.body:
                    case Snoozed(until_ms=until_ms):
                        asleep = until_ms
                    case Woken() | Closed():
                        asleep = 0
                    case Message(by=Author(role=Role.VISITOR)):
                        assert not asleep, "the visitor's word wakes first"
            assert self.world.conversation(where).beside.snoozed_ms == asleep

    @invariant()
    def nothing_waits_for_ever(self) -> None:
        """Every state that waits for somebody has a deadline to come, or somebody who has it."""
        roster = self.world.rosters.get(ACCOUNT)
        for where in self.world.conversations:
            state = self.world.conversation(where)
            kinds = {kind for (kind, _), at_ms in due(state).items() if at_ms > self.world.now_ms}
            match state.phase:
                case phases.Gated() | phases.Ready():
                    assert "gate" in kinds
                case phases.Talking(owed_since_ms=int(), answered=False):
                    assert "first_reply" in kinds
                case phases.Waiting() | phases.Unassigned(since_ms=int()):
                    assert roster is not None
                    assert where in roster.held
            assert not state.beside.snoozed_ms or "wake" in kinds
            unanswered = [survey for survey in state.beside.surveys if survey.score is None]
            assert len(unanswered) == len([kind for kind, _ in due(state) if kind == "survey"])

    @invariant()
    def blocked_visitors_say_nothing(self) -> None:
        for where in self.world.conversations:
            state = self.world.conversation(where)
            record = self.world.visitor(state.terms.visitor)
            assert record is not None
            if record.blocked:
                assert isinstance(state.phase, phases.Closed | phases.Parked)


def _check_surveys(log: list[Event]) -> None:
    """Read one log: a close asks exactly if it earned it, and each ask is answered once, in time, by its scale."""
    started = log[0].body
    assert isinstance(started, Started)
    visitor = agent = False
    asks: dict[int, SurveyAsked] = {}
    over: dict[int, str] = {}
    for number, event in enumerate(log):
        body: Any = event.body
        if isinstance(body, Message) and body.by.role is not Role.SYSTEM:
            visitor, agent = visitor or body.by.role is Role.VISITOR, agent or body.by.role is Role.AGENT
        elif isinstance(body, Closed):
            plan = started.survey
            by = body.reason in ("agent", "visitor") or (
                body.reason == "inactivity" and plan is not None and plan.on_inactivity
            )
            asked = number + 1 < len(log) and isinstance(log[number + 1].body, SurveyAsked)
            assert asked == (plan is not None and by and visitor and agent), body.reason
        elif isinstance(body, SurveyAsked):
            assert isinstance(log[number - 1].body, Closed), "right behind the close"
            assert (log[number - 1].at, body.ask) == (event.at, len(asks) + 1), "in the commit that closes"
            asks[body.ask], visitor, agent = body, False, False
        elif isinstance(body, SurveySeen | SurveyAnswered | SurveyCommented):
            assert event.at < asks[body.ask].until_ms, "not after its time"
            _check_answer(body, asks[body.ask], over)
        elif isinstance(body, SurveyExpired):
            assert over.setdefault(body.ask, "expired") == "expired", "what was answered does not expire"
            assert event.at >= asks[body.ask].until_ms
        elif isinstance(body, Reopened):
            assert number, "only what was closed is reopened"


def _check_answer(body: SurveySeen | SurveyAnswered | SurveyCommented, ask: SurveyAsked, over: dict[int, str]) -> None:
    before = over.get(body.ask, "")
    match body:
        case SurveyAnswered(score=score):
            assert before == "", "the first score is final"
            assert score in SCORES[ask.scale]
            over[body.ask] = "answered"
        case SurveyCommented():
            assert before == "answered", "one comment, after the score"
            over[body.ask] = "commented"
        case SurveySeen():
            assert before in ("", "answered")
