"""The people of a cell under test, and the rules of numbering that every frame of theirs must meet.

Invariant: what they send is what gateways would have sent, wrong numbers and late gateways included.
"""

from typing import Any

from hypothesis import strategies as st

from engine.core.ledger import DESK
from engine.core.starting import place_of
from protocol.bus import commands
from protocol.bus.records import Outcome
from protocol.ids import AgentId, ChatflowId, ConversationId, DeviceId, Incarnation, VisitorId
from protocol.wire import content
from tests.kit.workplace import ACCOUNT, ANN, KARI, OLA, admits, origin, phone, workplace
from tests.kit.world import World

_FROM_VISITORS = commands.VisitorSends | commands.VisitorAnswers | commands.VisitorCloses | commands.VisitorRates


class People:
    """Two visitors with two phones each, and the agents of the workplace behind two gateways."""

    def __init__(self) -> None:
        self.world = World(workplace(capacity=2))
        self.answered: list[tuple[Any, Outcome]] = []  # numbered commands that consumed their n, with their outcomes
        self.made = 0
        self.granted: set[VisitorId] = set()
        self.lives = {"gw_1": 1, "gw_2": 1}
        for visitor in (KARI, OLA):
            for number in (1, 2):
                device = phone(visitor, number)
                self.world.ask(admits(visitor, identified=True, device=device, origin=origin(device, 0, "hello")))

    def ask(self, command: Any) -> Outcome:
        """Put a numbered command before the cell, and check what its numbering deserves."""
        visiting = isinstance(command, _FROM_VISITORS)
        owner, device = command.conversation if visiting else DESK, command.origin.device
        expected = self.world.next_n(owner, device)
        off = command.origin.n - expected
        asks = visiting and getattr(command, "chatflow", None) and self.asks(command.conversation, command.chatflow)
        result = self.world.do(command)
        ((_, outcome),) = result.outcomes
        assert outcome.seq in {0, *(logged.event.seq for logged in result.events)} or not result.events
        if result.ledger:
            assert (off, outcome.expected, self.world.next_n(owner, device)) == (0, 0, expected + 1)
            self.answered.append((command, outcome))
        else:
            assert self.world.next_n(owner, device) == expected, "nothing is consumed unsaid"
            assert outcome.expected == (expected if outcome.code else 0)
        if off and outcome.code in ("out_of_order", "n_conflict"):
            assert outcome.code == ("out_of_order" if off > 0 else "n_conflict")
        elif off:
            assert outcome.expected == 1, "only on an id without state is anything else refused first"
        said = any(type(logged.event.body) is content.Message for logged in result.events)
        if said and asks and isinstance(command, commands.VisitorSends):
            assert command.visitor in self.granted, "consent first"
        return outcome

    def asks(self, where: ConversationId, served: ChatflowId) -> bool:
        """Whether the chatflow of a conversation asks explicitly, as configured now."""
        state = self.world.conversation(where)
        name = state.terms.chatflow if state is not None else served
        return any(
            flow.id == name and flow.consent.mode == "explicit" for flow in self.world.configs[ACCOUNT].chatflows
        )

    def place(self, visitor: VisitorId, flow: ChatflowId) -> ConversationId:
        """The conversation that `hello` would name."""
        config, record = self.world.configs[ACCOUNT], self.world.visitor(visitor)
        assert record is not None
        served = next(known for known in config.chatflows if known.id == flow)
        return place_of(config, record, served, self.world.now_ms).conversation

    def any_conversation(self, data: st.DataObject) -> ConversationId:
        """Any that exists."""
        return data.draw(st.sampled_from(sorted(self.world.logs)))

    def whose(self, data: st.DataObject, other: AgentId | None) -> tuple[ConversationId, AgentId]:
        """A conversation, and `other`, or else the agent who has it or had it last."""
        where = self.any_conversation(data)
        return where, other or self.world.conversation(where).last_agent or ANN

    def offers(self) -> list[Any]:
        roster = self.world.rosters.get(ACCOUNT)
        if roster is None:
            return []
        return [(offer, roster.held[where].phase.agent) for offer, where in roster.offers.items()]

    def incarnation(self, gateway: str) -> Incarnation:
        if gateway == "late":
            return Incarnation(f"gw_1_{self.lives['gw_1'] - 1}")
        return Incarnation(f"{gateway}_{self.lives[gateway]}")

    def origin(self, owner: str, device: str, off: int = 0, gateway: str = "gw_1") -> Any:
        self.made += 1
        n = max(self.world.next_n(owner, device) + off, 1)
        return origin(device, n, f"id-{self.made}", gateway=self.incarnation(gateway))

    def desk(self, agent: AgentId, gateway: str, *, asked: bool = True, off: int = 0) -> Any:
        device = DeviceId(f"desk_{agent}")
        if not asked:
            return origin(device, 0, "", f"ses_{agent}_{gateway}", self.incarnation(gateway))
        return self.origin(DESK, device, off, gateway)
