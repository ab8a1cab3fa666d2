"""A visitor on a phone, under one chatflow, in a cell of their own.

Invariant: every frame goes where `hello` would have sent it, numbered as the cell expects it.
"""

from typing import Any, TypeVar

from msgspec.structs import replace

from engine.core.starting import place_of
from protocol.bus import commands
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig
from protocol.bus.records import Outcome, VisitorRecord
from protocol.ids import ChatflowId, ConversationId, VisitorId
from protocol.wire.content import AnyBody
from tests.kit.workplace import ACCOUNT, ANN, KARI, OPEN, admits, hangs_up, origin, phone, replies, workplace
from tests.kit.world import World

Kind = TypeVar("Kind")


class Visit:
    """Kari, unless somebody else, who has said hello. `flow` is served to her in its newest version."""

    def __init__(
        self,
        flow: ChatflowId = OPEN,
        config: AccountConfig | None = None,
        *,
        world: World | None = None,
        visitor: VisitorId = KARI,
        **hello: Any,
    ) -> None:
        self.world = world or World(config)
        self.flow, self.visitor, self.made = flow, visitor, 0
        self.hello(**hello)

    def hello(self, **changes: Any) -> Outcome:
        """Say hello, as the phone that is known already."""
        return self.world.ask(admits(self.visitor, **{"presented": [b"fresh"] if self.known else [], **changes}))

    @property
    def known(self) -> bool:
        return self.world.visitor(self.visitor) is not None

    @property
    def record(self) -> VisitorRecord:
        record = self.world.visitor(self.visitor)
        assert record is not None
        return record

    @property
    def served(self) -> Chatflow:
        return next(flow for flow in self.world.configs[ACCOUNT].chatflows if flow.id == self.flow)

    @property
    def where(self) -> ConversationId:
        """The conversation that `hello` would name."""
        config = self.world.configs[ACCOUNT]
        return place_of(config, self.record, self.served, self.world.now_ms).conversation

    def say(self, text: str = "Hello", **changes: Any) -> str:
        """Send a message; return the code of its outcome."""
        asked = self._origin()
        return self.ask(commands.VisitorSends(ACCOUNT, asked, self.where, self.visitor, self.flow, text, "en"), changes)

    def answer(self, step: str, value: str = "granted", **changes: Any) -> str:
        """Answer a step; return the code of the outcome."""
        asked = self._origin()
        frame = commands.VisitorAnswers(ACCOUNT, asked, self.where, self.visitor, self.flow, value, "en", step=step)
        return self.ask(frame, changes)

    def rate(self, ask: int, action: str, **changes: Any) -> str:
        """Say something of a survey; return the code of the outcome."""
        frame = commands.VisitorRates(ACCOUNT, self._origin(), self.where, self.visitor, ask, action)
        return self.ask(frame, changes)

    def close(self) -> str:
        """End the conversation."""
        return self.ask(commands.VisitorCloses(ACCOUNT, self._origin(), self.where, self.visitor), {})

    def withdraw(self, purpose: str) -> str:
        """Take a consent back."""
        return self.ask(
            commands.VisitorWithdraws(ACCOUNT, self._unnumbered(), self.visitor, purpose, phone(self.visitor), "en"), {}
        )

    def analytics(self, *, granted: bool) -> str:
        """The app says whether optional device properties may be kept."""
        asked = self._unnumbered()
        return self.ask(commands.SetAnalytics(ACCOUNT, asked, self.visitor, granted, phone(self.visitor), "en"), {})

    def tell(self, **changes: Any) -> str:
        """The app tells of its visitor."""
        told = commands.NoteContext(ACCOUNT, self._unnumbered(), self.visitor, None, {}, {}, [], self.flow)
        return self.ask(told, changes)

    def ask(self, command: Any, changes: dict[str, Any]) -> str:
        """Put in a command; return the code of its outcome."""
        self.last = replace(command, **changes)
        return self.world.ask(self.last).code

    def again(self) -> str:
        """Put in the last command once more."""
        return self.world.ask(self.last).code

    def agent_comes(self, agent: Any = ANN) -> None:
        """An agent arrives and is available."""
        desk = f"desk_{agent}"
        self.world.do(commands.AgentArrives(ACCOUNT, origin(desk, 0, "", f"ses_{agent}"), agent))
        asked = origin(desk, self.world.next_n("desk", desk), session=f"ses_{agent}")
        self.world.ask(commands.SetAgentState(ACCOUNT, asked, agent, "available"))

    def leaves(self, agent: Any = ANN) -> commands.AgentLeaves:
        """The end of an agent's session."""
        return commands.AgentLeaves(ACCOUNT, origin(f"desk_{agent}", 0, "", f"ses_{agent}"), agent)

    def agent_says(self, text: str = "Hi", agent: Any = ANN) -> str:
        """An agent replies, and thereby claims."""
        return self.world.ask(replies(agent, self.world.next_n("desk", f"desk_{agent}"), self.where, text)).code

    def agent_closes(self, agent: Any = ANN) -> str:
        """The agent ends it."""
        return self.world.ask(hangs_up(agent, self.world.next_n("desk", f"desk_{agent}"), self.where)).code

    def publish(self, **flow: Any) -> None:
        """Publish a new version of the chatflow, with these changes."""
        config = self.world.configs[ACCOUNT]
        before, newer = self.served, replace(self.served, version=self.served.version + 1, **flow)
        flows = [newer if kept.id == self.flow else kept for kept in config.chatflows]
        version = config.version + 1
        self.world.configs[ACCOUNT] = replace(config, version=version, chatflows=flows, past=[*config.past, before])
        self.world.do(commands.PublishConfig(ACCOUNT, version))

    def kinds(self, where: ConversationId | None = None) -> list[str]:
        """The names of the log's bodies."""
        return self.world.kinds(where or self.where)

    def logged(self, kind: type[Kind], where: ConversationId | None = None) -> list[Kind]:
        """The bodies of one kind, in order."""
        bodies: list[AnyBody] = [event.body for event in self.world.log(where or self.where)]
        return [body for body in bodies if isinstance(body, kind)]

    def kept(self, kind: type[Kind]) -> list[Kind]:
        """The facts of one kind that SQL was given, in order."""
        return [fact for fact in self.world.facts if isinstance(fact, kind)]

    def phase(self) -> Any:
        """The conversation's phase."""
        return self.world.conversation(self.where).phase

    def _origin(self) -> Any:
        self.made += 1
        device = phone(self.visitor)
        return origin(device, self.world.next_n(self.where, device), f"{self.visitor}-{self.made}")

    def _unnumbered(self) -> Any:
        self.made += 1
        return origin(phone(self.visitor), 0, f"{self.visitor}-{self.made}")


def asking(flow: ChatflowId = OPEN, **changes: Any) -> AccountConfig:
    """The workplace, with changes to one of its chatflows."""
    config = workplace()
    return replace(
        config, chatflows=[replace(kept, **changes) if kept.id == flow else kept for kept in config.chatflows]
    )
