"""The laws of a cell, over whatever its people may do in whatever order.

Invariant: nothing here knows how a conversation is decided; only what must be true of every log afterwards.
"""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec.structs import replace

from protocol.bus import commands
from protocol.ids import AgentId, ChatflowId, VisitorId
from tests.kit.workplace import (
    ACCOUNT,
    ANN,
    ASKS,
    BO,
    CY,
    IMPLIES,
    KARI,
    OLA,
    OPEN,
    UNROUTED,
    chatflow,
    phone,
    workplace,
)
from tests.laws.cell_laws import CellLaws
from tests.laws.figure_laws import FigureLaws
from tests.laws.people import People

visitors = st.sampled_from([KARI, OLA])
phones = st.sampled_from([1, 2])
agents = st.sampled_from([ANN, BO, CY])
anyone = st.sampled_from([None, None, None, ANN, BO, CY])  # None: whoever it is about
flows = st.sampled_from([ASKS, IMPLIES, OPEN, UNROUTED])
gateways = st.sampled_from(["gw_1", "gw_1", "gw_2", "gw_2", "late"])  # late: what a gateway that is over had sent
numbers = st.sampled_from([0] * 12 + [-1, 1, 5])  # how far n is from the right one
texts = st.sampled_from(["Hello", "Hello", "Hello", " "])
wait_ms = st.sampled_from([10, 100, 1_000, 5_000, 31_000, 61_000, 700_000, 3_700_000])


class Cell(CellLaws, FigureLaws, People, RuleBasedStateMachine):
    """Two visitors with two phones each, three agents behind two gateways, and a configuration that changes."""

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        People.__init__(self)

    @initialize(gateway=st.sampled_from(["gw_1", "gw_2"]), auto=st.booleans())
    def a_working_day(self, gateway: str, auto: bool) -> None:
        self.world.configs[ACCOUNT] = workplace(capacity=2, auto_accept=auto)
        for agent in (ANN, BO):
            self.agent_arrives(agent, gateway)

    # What visitors do

    @rule(visitor=visitors, number=phones, flow=flows, off=numbers, text=texts)
    def visitor_sends(self, visitor: VisitorId, number: int, flow: ChatflowId, off: int, text: str) -> None:
        where = self.place(visitor, flow)
        asked = self.origin(where, phone(visitor, number), off)
        self.ask(commands.VisitorSends(ACCOUNT, asked, where, visitor, flow, text, "en"))

    @rule(visitor=visitors, number=phones, flow=flows, value=st.sampled_from(["granted", "declined"]))
    def visitor_answers(self, visitor: VisitorId, number: int, flow: ChatflowId, value: Any) -> None:
        where = self.place(visitor, flow)
        asked = self.origin(where, phone(visitor, number))
        outcome = self.ask(commands.VisitorAnswers(ACCOUNT, asked, where, visitor, flow, value, "en"))
        if value == "granted" and not outcome.code:
            self.granted.add(visitor)

    @precondition(lambda self: self.world.logs)
    @rule(visitor=visitors, number=phones, flow=flows)
    def visitor_closes(self, visitor: VisitorId, number: int, flow: ChatflowId) -> None:
        where = self.place(visitor, flow)
        self.ask(commands.VisitorCloses(ACCOUNT, self.origin(where, phone(visitor, number)), where, visitor))

    @precondition(lambda self: self.world.logs)
    @rule(data=st.data(), stranger=st.one_of(st.none(), st.none(), visitors))
    def visitor_sends_anywhere(self, data: st.DataObject, stranger: VisitorId | None) -> None:
        where = self.any_conversation(data)
        terms = self.world.conversation(where).terms
        visitor = stranger or terms.visitor
        asked = self.origin(where, phone(visitor))
        self.ask(commands.VisitorSends(ACCOUNT, asked, where, visitor, terms.chatflow, "Here?", "en"))

    # What agents do

    @rule(agent=agents, gateway=gateways)
    def agent_arrives(self, agent: AgentId, gateway: str) -> None:
        self.world.do(commands.AgentArrives(ACCOUNT, self.desk(agent, gateway, asked=False), agent))

    @rule(agent=agents, gateway=gateways)
    def agent_leaves(self, agent: AgentId, gateway: str) -> None:
        self.world.do(commands.AgentLeaves(ACCOUNT, self.desk(agent, gateway, asked=False), agent))

    @rule(agent=agents, gateway=gateways, state=st.sampled_from(["available", "available", "away"]))
    def agent_sets_state(self, agent: AgentId, gateway: str, state: Any) -> None:
        self.ask(commands.SetAgentState(ACCOUNT, self.desk(agent, gateway), agent, state))

    @precondition(lambda self: self.offers())
    @rule(data=st.data(), other=anyone, gateway=gateways, accept=st.booleans())
    def agent_answers_offer(self, data: st.DataObject, other: AgentId | None, gateway: str, accept: bool) -> None:
        offer, asked = data.draw(st.sampled_from(self.offers()))
        agent = other or asked
        answer = commands.AcceptOffer if accept else commands.DeclineOffer
        self.ask(answer(ACCOUNT, self.desk(agent, gateway), agent, offer))

    @precondition(lambda self: self.offers())
    @rule(gateway=st.sampled_from(["gw_1", "gw_2"]))
    def offer_is_accepted(self, gateway: str) -> None:
        offer, asked = self.offers()[0]
        self.ask(commands.AcceptOffer(ACCOUNT, self.desk(asked, gateway), asked, offer))

    @precondition(lambda self: self.world.logs)
    @rule(data=st.data(), other=anyone, gateway=gateways, off=numbers)
    def agent_sends(self, data: st.DataObject, other: AgentId | None, gateway: str, off: int) -> None:
        where, agent = self.whose(data, other)
        self.ask(commands.AgentSends(ACCOUNT, self.desk(agent, gateway, off=off), where, agent, "Hi"))

    @precondition(lambda self: self.world.logs)
    @rule(data=st.data(), other=anyone, gateway=gateways)
    def agent_closes(self, data: st.DataObject, other: AgentId | None, gateway: str) -> None:
        where, agent = self.whose(data, other)
        self.ask(commands.AgentCloses(ACCOUNT, self.desk(agent, gateway), where, agent))

    @precondition(lambda self: self.world.logs)
    @rule(data=st.data(), agent=agents, gateway=gateways)
    def agent_claims(self, data: st.DataObject, agent: AgentId, gateway: str) -> None:
        where = self.any_conversation(data)
        self.ask(commands.ClaimConversation(ACCOUNT, self.desk(agent, gateway), agent, where))

    @precondition(lambda self: self.world.logs)
    @rule(data=st.data(), other=anyone, to=agents, gateway=gateways)
    def agent_transfers(self, data: st.DataObject, other: AgentId | None, to: AgentId, gateway: str) -> None:
        where, agent = self.whose(data, other)
        self.ask(commands.TransferConversation(ACCOUNT, self.desk(agent, gateway), agent, where, to, "Yours"))

    # What happens to all of them

    @rule(gateway=st.sampled_from(["gw_1", "gw_2"]))
    def gateway_is_lost(self, gateway: str) -> None:
        self.world.do(commands.GatewayLost(self.incarnation(gateway)))
        self.lives[gateway] += 1

    @rule()
    def power_is_cut(self) -> None:
        for gateway in ("gw_1", "gw_2"):
            self.gateway_is_lost(gateway)
        self.world.pass_time(61_000)

    @rule(by_ms=wait_ms)
    def time_passes(self, by_ms: int) -> None:
        self.world.pass_time(by_ms)

    @rule(capacity=st.integers(0, 3), auto=st.booleans(), flow=flows, mode=flows)
    def configuration_changes(self, capacity: int, auto: bool, flow: ChatflowId, mode: ChatflowId) -> None:
        version = self.world.configs[ACCOUNT].version + 1
        config = workplace(version=version, capacity=capacity, auto_accept=auto)
        asked = [
            replace(kept, consent=chatflow(mode).consent) if kept.id == flow else kept for kept in config.chatflows
        ]
        self.world.configs[ACCOUNT] = replace(config, chatflows=asked)
        self.world.do(commands.PublishConfig(ACCOUNT, version))

    @precondition(lambda self: self.answered)
    @rule(data=st.data(), session=st.sampled_from(["ses_1", "ses_2"]))
    def frame_comes_again(self, data: st.DataObject, session: Any) -> None:
        command, outcome = data.draw(st.sampled_from(self.answered[-20:]))
        again = replace(command, origin=replace(command.origin, session=session))
        result = self.world.do(again)
        assert result.outcomes == [(again.origin.gateway, replace(outcome, session=session))], "redelivery is silent"
        assert [result.events, result.roster_events, result.ledger, result.effects] == [[], [], [], []]


CELL_SETTINGS = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestCell = Cell.TestCase
TestCell.settings = CELL_SETTINGS
