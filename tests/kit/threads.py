"""One conversation, decided and evolved by itself: what it asks of others is kept, and answered by nobody.

Invariant: every event went through `decide`, `evolve` and `react`, so a thread is always one that could exist.
"""

from typing import Any

from engine.core.asked import Despite, Facts, Stamped, With
from engine.core.conversation import Conversation, not_started
from engine.core.decide import Park, decide
from engine.core.evolve import evolve
from engine.core.react import react
from engine.core.timers import GENERATION, due
from protocol.bus.commands import TimerFired
from protocol.bus.config import AccountConfig
from protocol.bus.effects import AgentLost, Assign, HandOver, Inner
from protocol.bus.figures import Figure
from protocol.bus.records import CurrentConversation, VisitorRecord
from protocol.ids import AgentId, ChatflowId, ConversationId, event_id
from protocol.wire.content import AnyBody, Event
from tests.kit.workplace import ACCOUNT, KARI, OPEN, author, conversation, record, workplace


class Thread:
    """A conversation of Kari's, from before it starts."""

    def __init__(self, flow: ChatflowId = OPEN, answer: str = "", config: AccountConfig | None = None) -> None:
        self.config = config or workplace()
        self.visitor: VisitorRecord | None = record(answer=answer)
        self.state: Conversation = not_started(ACCOUNT, conversation(flow))
        self.log: list[Event] = []
        self.asked: list[Any] = []  # inner commands since the last command
        self.effects: list[Any] = []  # and effects
        self.figures: list[Figure] = []  # and, since it started, what it counts for

    def ask(self, command: Any, at_ms: int = 1_000) -> Any:
        """Put a command before the conversation; return the bodies it logged, or what it answered instead."""
        facts = Facts(self.visitor, self.config)
        decision = decide(self.state, Stamped(command, at_ms, facts))
        self.asked, self.effects = [], []
        bodies = decision.bodies if isinstance(decision, With | Despite) else decision
        if not isinstance(bodies, list):
            return decision
        for body in bodies:
            self.happen(body, at_ms)
        if isinstance(decision, With):
            self._take(decision.asks)
        return decision.refusal if isinstance(decision, Despite) else bodies

    def happen(self, body: AnyBody, at_ms: int = 1_000) -> None:
        """Log one body."""
        seq = self.state.seq + 1
        event = Event(self.state.id, seq, event_id(1, seq, 0), at_ms, body)
        before, self.state = self.state, evolve(self.state, event)
        self.log.append(event)
        self._take(react(before, event, self.state))

    def _take(self, reaction: list[Any]) -> None:
        for asked in reaction:
            if isinstance(getattr(asked, "fact", None), Figure):
                self.figures.append(asked.fact)
            else:
                (self.asked if isinstance(asked, Inner) else self.effects).append(asked)

    def timer(self, kind: str, key: str = "") -> TimerFired:
        """What one of the conversation's timers puts in."""
        return TimerFired(ACCOUNT, self.state.id, kind, key, GENERATION)

    def fire(self, kind: str, at_ms: int, key: str = "") -> Any:
        """A timer comes."""
        return self.ask(self.timer(kind, key), at_ms)

    def due(self, kind: str, key: str = "") -> int | None:
        """When that timer is due; None if it is not set."""
        return due(self.state).get((kind, key))

    def kinds(self, command: Any, at_ms: int = 1_000) -> list[str]:
        """The names of the bodies that `command` logs."""
        return [type(body).__name__ for body in self.ask(command, at_ms)]

    def assign(self, agent: AgentId, at_ms: int = 2_000) -> Any:
        """The roster assigns the conversation."""
        return self.ask(Assign(ACCOUNT, self.state.id, author(agent), "offer"), at_ms)

    def hand_over(self, by: AgentId, to: AgentId) -> Any:
        """The roster transfers it."""
        return self.ask(HandOver(ACCOUNT, self.state.id, author(by), author(to), "Knows more"), 3_000)

    def lose(self, agent: AgentId, at_ms: int = 4_000) -> Any:
        """The agent's grace is over."""
        return self.ask(AgentLost(ACCOUNT, self.state.id, agent), at_ms)

    def park(self) -> Any:
        """Deciding it raised."""
        return self.ask(Park(ACCOUNT, self.state.id, "KeyError"))

    def gate_expires(self, at_ms: int = 700_000) -> Any:
        """The gate's timer comes."""
        return self.fire("gate", at_ms)

    def current(self, closed_at_ms: int | None, ordinal: int = 1, window_s: int = 3_600) -> None:
        """Make the visitor's record say that conversation `ordinal` is the current one."""
        flow = self.state.terms.chatflow or OPEN
        where: ConversationId = conversation(flow, ordinal)
        self.visitor = record(KARI, **{flow: CurrentConversation(where, ordinal, closed_at_ms, window_s)})
