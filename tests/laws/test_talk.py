"""A help desk talks: everything that visitors and agents may do in a conversation, in whatever order.

Invariant: as in test_steps, of which this is the deeper half: few people, one chatflow, and all of the conversation.
"""

from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec.structs import replace

from engine.core.evolve import replay
from engine.core.phases import Talking
from engine.core.snapshot import freeze
from engine.core.timers import due
from protocol.bus import commands
from protocol.ids import AgentId, ConversationId, ErasureId, TeamId, VisitorId
from protocol.wire import content
from protocol.wire.content import Message, Note
from protocol.wire.kinds import Button, Buttons, Choice, Form, FormField, FormValues, Option, QuickReplies
from tests.kit.workplace import ACCOUNT, ANN, APP, BO, CY, KARI, OLA, OPEN, origin, phone
from tests.laws.cell_laws import CellLaws
from tests.laws.companies import NAMES, TEAM, company
from tests.laws.figure_laws import FigureLaws
from tests.laws.people import People
from tests.laws.talk_laws import TalkLaws

SAID = [b"Hello", b"Psst", b"Kari", b"Bye", b"Yours", b"Good", b"News", b"Who", b"Call me"]  # capitals: no id has any
REPLIES = QuickReplies([Option("yes", "Yes"), Option("no", "No")])
FORM = Form("Who", [FormField("name", "Name", required=True)])
visitors = st.sampled_from([KARI, KARI, OLA])
agents = st.sampled_from([ANN, BO, CY])
others = st.sampled_from([None, None, None, ANN, BO, CY])  # None: whoever it is about
scales = st.sampled_from(["faces", "stars", "ten", "thumbs"])
said = st.sampled_from(
    [
        None,
        None,
        REPLIES,
        Buttons([Button("call", "Call me"), Button("map", "Map", "https://nordvik.example")]),
        FORM,
        QuickReplies([]),
    ]
)


class Talk(CellLaws, FigureLaws, TalkLaws, People, RuleBasedStateMachine):
    """Two visitors, three agents (Cy supervises), one chatflow."""

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        People.__init__(self)
        self.erased: set[tuple[ConversationId, int]] = set()
        self.secrets = [text.encode() for agent, name in NAMES.items() for text in (agent, name, "faces.example")]

    @initialize(scale=scales, inactive=st.booleans(), auto=st.booleans())
    def a_working_day(self, scale: Any, inactive: bool, auto: bool) -> None:
        self.world.configs[ACCOUNT] = company(scale, inactive, auto=auto)
        for agent in (ANN, BO):
            self.agent_arrives(agent)
        self.visitor_says(KARI, 1)

    # What visitors do

    @rule(visitor=visitors, number=st.sampled_from([1, 2]))
    def visitor_says(self, visitor: VisitorId, number: int) -> None:
        where = self.place(visitor, OPEN)
        asked = self.origin(where, phone(visitor, number))
        self.ask(commands.VisitorSends(ACCOUNT, asked, where, visitor, OPEN, "Hello", "en"))

    @precondition(lambda self: self.talks())
    @rule(data=st.data())
    def visitor_goes_on(self, data: st.DataObject) -> None:
        where, _ = data.draw(st.sampled_from(self.talks()))
        visitor = self.world.conversation(where).terms.visitor
        asked = self.origin(where, phone(visitor))
        self.ask(commands.VisitorSends(ACCOUNT, asked, where, visitor, OPEN, "And", "en"))

    @precondition(lambda self: self.talks())
    @rule(data=st.data(), choice=st.booleans())
    def something_is_asked_and_answered(self, data: st.DataObject, choice: bool) -> None:
        where, agent = data.draw(st.sampled_from(self.talks()))
        visitor, what = self.world.conversation(where).terms.visitor, FORM if not choice else REPLIES
        self.ask(commands.AgentSends(ACCOUNT, self.desk(agent, "gw_1"), where, agent, "", what))
        of = self.world.conversation(where).seq
        answer = Choice(of, "yes") if choice else FormValues(of, {"name": "Kari"})
        asked = self.origin(where, phone(visitor))
        self.ask(commands.VisitorSends(ACCOUNT, asked, where, visitor, OPEN, "", "en", content=answer))

    @precondition(lambda self: self.asking())
    @rule(data=st.data(), option=st.sampled_from(["yes", "no", "call", "map"]), fill=st.booleans())
    def visitor_answers_what_was_asked(self, data: st.DataObject, option: str, fill: bool) -> None:
        where = data.draw(st.sampled_from(self.asking()))
        visitor = self.world.conversation(where).terms.visitor
        asking = [asked.seq for asked in self.world.conversation(where).beside.chooseable]
        of = data.draw(st.sampled_from([*asking, *asking, *asking, 1]))
        answer = FormValues(of, {"name": "Kari"}) if fill else Choice(of, option)
        asked = self.origin(where, phone(visitor))
        self.ask(commands.VisitorSends(ACCOUNT, asked, where, visitor, OPEN, "", "en", content=answer))

    @precondition(lambda self: self.world.logs)
    @rule(data=st.data())
    def visitor_closes(self, data: st.DataObject) -> None:
        where = self.any_conversation(data)
        visitor = self.world.conversation(where).terms.visitor
        self.ask(commands.VisitorCloses(ACCOUNT, self.origin(where, phone(visitor)), where, visitor))

    @precondition(lambda self: self.asked_surveys())
    @rule(
        data=st.data(),
        action=st.sampled_from(["seen", "dismiss", "answer", "answer", "comment"]),
        score=st.integers(0, 5),
        off=st.sampled_from([0, 0, 0, 1]),
    )
    def visitor_rates(self, data: st.DataObject, action: str, score: int, off: int) -> None:
        where, ask = data.draw(st.sampled_from(self.asked_surveys()))
        visitor = self.world.conversation(where).terms.visitor
        asked = self.origin(where, phone(visitor, 2))
        self.ask(commands.VisitorRates(ACCOUNT, asked, where, visitor, ask + off, action, score, "Good"))

    @rule(visitor=visitors)
    def visitor_withdraws(self, visitor: VisitorId) -> None:
        asked = origin(phone(visitor), 0, "withdraw")
        self.world.do(commands.VisitorWithdraws(ACCOUNT, asked, visitor, "process", phone(visitor), "en"))

    @rule(visitor=visitors)
    def company_writes(self, visitor: VisitorId) -> None:
        where, name = self.place(visitor, OPEN), NAMES[ANN]
        asked = origin("server", 0, "call")
        self.world.do(commands.CompanySends(ACCOUNT, asked, where, visitor, OPEN, "News", name, "en", APP))

    # What agents do

    @rule(agent=agents)
    def agent_arrives(self, agent: AgentId) -> None:
        self.world.do(commands.AgentArrives(ACCOUNT, self.desk(agent, "gw_1", asked=False), agent))

    @rule(agent=agents)
    def agent_leaves(self, agent: AgentId) -> None:
        self.world.do(commands.AgentLeaves(ACCOUNT, self.desk(agent, "gw_1", asked=False), agent))

    @precondition(lambda self: self.offers())
    @rule(accept=st.sampled_from([True, True, False]))
    def agent_answers_offer(self, accept: bool) -> None:
        offer, agent = self.offers()[0]
        answer = commands.AcceptOffer if accept else commands.DeclineOffer
        self.ask(answer(ACCOUNT, self.desk(agent, "gw_1"), agent, offer))

    @precondition(lambda self: self.talks())
    @rule(data=st.data(), what=said)
    def agent_answers(self, data: st.DataObject, what: Any) -> None:
        where, agent = data.draw(st.sampled_from(self.talks()))
        self.ask(commands.AgentSends(ACCOUNT, self.desk(agent, "gw_1"), where, agent, "Hi", what))

    @precondition(lambda self: self.talks())
    @rule(data=st.data(), spam=st.sampled_from([False, False, True]))
    def talk_ends(self, data: st.DataObject, spam: bool) -> None:
        where, agent = data.draw(st.sampled_from(self.talks()))
        # An answer first, so that there is something to ask about.
        self.ask(commands.AgentSends(ACCOUNT, self.desk(agent, "gw_1"), where, agent, "Bye"))
        self.ask(commands.AgentCloses(ACCOUNT, self.desk(agent, "gw_1"), where, agent, spam))

    @precondition(lambda self: self.world.logs)
    @rule(data=st.data(), other=others, what=said, canned=st.sampled_from(["", "", "hello", "nope"]))
    def agent_says(self, data: st.DataObject, other: AgentId | None, what: Any, canned: str) -> None:
        where, agent = self.whose(data, other)
        text = "" if canned else "Hi"
        said_by = self.desk(agent, "gw_1")
        self.ask(commands.AgentSends(ACCOUNT, said_by, where, agent, text, None if canned else what, canned))

    @precondition(lambda self: self.world.logs)
    @rule(data=st.data(), other=others, spam=st.sampled_from([False, False, False, True]), ticket=st.booleans())
    def agent_closes(self, data: st.DataObject, other: AgentId | None, spam: bool, ticket: bool) -> None:
        where, agent = self.whose(data, other)
        self.ask(commands.AgentCloses(ACCOUNT, self.desk(agent, "gw_1"), where, agent, spam, ticket))

    @precondition(lambda self: self.world.logs)
    @rule(data=st.data(), other=others, force=st.booleans())
    def agent_claims(self, data: st.DataObject, other: AgentId | None, force: bool) -> None:
        where, agent = self.whose(data, other)
        self.ask(commands.ClaimConversation(ACCOUNT, self.desk(agent, "gw_1"), agent, where, force))

    @precondition(lambda self: self.world.logs)
    @rule(data=st.data(), other=others, to=agents, team=st.sampled_from([None, TEAM]), force=st.booleans())
    def agent_transfers(
        self, data: st.DataObject, other: AgentId | None, to: AgentId, team: TeamId | None, force: bool
    ) -> None:
        where, agent = self.whose(data, other)
        target = AgentId("") if team is not None else to
        asked = self.desk(agent, "gw_1")
        self.ask(commands.TransferConversation(ACCOUNT, asked, agent, where, target, "Yours", team, force))

    @precondition(lambda self: self.world.logs)
    @rule(data=st.data(), agent=agents, deed=st.sampled_from(["note", "tags", "fields", "priority", "ticket", "block"]))
    def agent_works(self, data: st.DataObject, agent: AgentId, deed: str) -> None:
        where, asked = self.any_conversation(data), self.desk(agent, "gw_1")
        match deed:
            case "note":
                self.ask(commands.AddNote(ACCOUNT, asked, where, agent, "Psst", [BO], agent == CY))
            case "tags":
                self.ask(commands.ChangeTags(ACCOUNT, asked, where, agent, ["vip"], data.draw(tags)))
            case "fields":
                self.ask(commands.SetFields(ACCOUNT, asked, where, agent, {"order": data.draw(values)}))
            case "priority":
                self.ask(commands.SetPriority(ACCOUNT, asked, where, agent, data.draw(priorities)))
            case "ticket":
                self.ask(commands.SetTicket(ACCOUNT, asked, where, agent, data.draw(statuses)))
            case _:
                self.ask(commands.BlockVisitor(ACCOUNT, asked, where, agent, data.draw(st.booleans())))

    @precondition(lambda self: self.talks())
    @rule(data=st.data(), other=others, for_ms=st.sampled_from([-1, 1_000, 300_000, 9_000_000]))
    def agent_snoozes(self, data: st.DataObject, other: AgentId | None, for_ms: int) -> None:
        where, agent = data.draw(st.sampled_from(self.talks()))
        agent = other or agent
        until_ms = self.world.now_ms + for_ms
        self.ask(commands.SnoozeConversation(ACCOUNT, self.desk(agent, "gw_1"), where, agent, until_ms))

    @precondition(lambda self: self.world.logs)
    @rule(data=st.data(), agent=agents)
    def agent_redacts(self, data: st.DataObject, agent: AgentId) -> None:
        where = self.any_conversation(data)
        log = self.world.log(where)
        said = [event for event in log if isinstance(event.body, Message | Note)]
        event = data.draw(st.sampled_from([*(said or log), log[-1]]))
        frame = msgspec.msgpack.encode(event)
        asked = self.desk(agent, "gw_1")
        outcome = self.ask(commands.RedactMessage(ACCOUNT, asked, where, agent, event.seq, frame))
        if not outcome.code:
            assert isinstance(event.body, Message | Note), "nothing else is removed"
            self.erased.add((where, event.seq))

    def teardown(self) -> None:
        """In the end both visitors are erased: whatever was said, no word of it is left, and every log replays."""
        for visitor in (KARI, OLA):
            every = [commands.Emptied(where, b"") for where in self.world.conversations]  # of others, too: they stay
            self.world.do(commands.ErasePerson(ACCOUNT, visitor, ErasureId("era_1"), conversations=every))
        self.world.pass_time(91_000_000)
        for where in self.world.conversations:
            left = b"".join([*self.world.logs[where], *self.world.shown[where], self.world.conversations[where]])
            assert [word for word in SAID if word in left] == []
            again = replay(ACCOUNT, self.world.log(where))
            assert again is not None
            assert freeze(again) == self.world.conversations[where]
            assert not due(again), "nothing is waited for"

    # What happens to all of them

    @rule(by_ms=st.sampled_from([10, 1_000, 31_000, 250_000, 610_000, 3_700_000, 7_600_000, 91_000_000]))
    def time_passes(self, by_ms: int) -> None:
        self.world.pass_time(by_ms)

    @rule(scale=scales, inactive=st.booleans(), auto=st.booleans(), leaves=st.sampled_from([None, None, ANN, BO]))
    def configuration_changes(self, scale: Any, inactive: bool, auto: bool, leaves: AgentId | None) -> None:
        before = self.world.configs[ACCOUNT]
        config = company(scale, inactive, auto=auto)
        inbox = config.inboxes[0]
        version = before.version + 1
        self.world.configs[ACCOUNT] = replace(
            config,
            version=version,
            chatflows=[replace(flow, version=version + 2) for flow in config.chatflows],
            past=[*before.past, *before.chatflows],
            inboxes=[replace(inbox, agents=[agent for agent in inbox.agents if agent != leaves])],
        )
        self.world.do(commands.PublishConfig(ACCOUNT, version))

    @precondition(lambda self: self.answered)
    @rule(data=st.data())
    def frame_comes_again(self, data: st.DataObject) -> None:
        command, outcome = data.draw(st.sampled_from(self.answered[-20:]))
        result = self.world.do(command)
        assert result.outcomes == [(command.origin.gateway, outcome)], "redelivery is silent"
        assert [result.events, result.roster_events, result.ledger, result.effects] == [[], [], [], []]

    def talks(self) -> list[tuple[ConversationId, AgentId]]:
        """The conversations that somebody has, and who."""
        states = [self.world.conversation(where) for where in self.world.conversations]
        return [(state.id, state.phase.agent.id) for state in states if isinstance(state.phase, Talking)]

    def asking(self) -> list[ConversationId]:
        """The conversations in which something may be chosen or filled in."""
        return [where for where in self.world.conversations if self.world.conversation(where).beside.chooseable]

    def asked_surveys(self) -> list[tuple[ConversationId, int]]:
        return [
            (where, event.body.ask)
            for where in self.world.logs
            for event in self.world.log(where)
            if isinstance(event.body, content.SurveyAsked)
        ]


tags = st.sampled_from([[], ["vip"], ["ski"]])
values = st.sampled_from(["", "7", "8"])
priorities = st.sampled_from(["low", "normal", "high", "urgent"])
statuses = st.sampled_from(["new", "waiting_us", "waiting_visitor", "closed"])

TestTalk = Talk.TestCase
TestTalk.settings = settings(
    max_examples=120, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
