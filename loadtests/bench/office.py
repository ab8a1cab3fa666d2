"""One account's roster by itself, large or small: agents, rules and visitors who wait, decided as an engine would.

Invariant: every command is decided to rest, and every event is evolved, reacted to and encoded, so that a figure is the
whole of routing's share of a step and nothing of Redis's.
"""

from collections import deque
from typing import Any

from protocol.bus.commands import AgentArrives, Origin, SetAgentState
from protocol.bus.config import AccountConfig, Agent, Inbox, Rule
from protocol.bus.effects import Reconsider, Seek
from protocol.bus.staff import Overflow
from protocol.ids import (
    AccountId,
    AgentId,
    CellName,
    ConversationId,
    DeviceId,
    InboxId,
    Incarnation,
    RuleId,
    SessionId,
)
from routing.core.roster import Roster, RosterDecider

ACCOUNT, INBOX = AccountId("acc_bench"), InboxId("inb_bench")
RULES_EACH = 3  # that an agent answers for, at most
LANGUAGES = ("no", "en", "de")
_INSIDE = frozenset({Reconsider, Seek})  # what a roster asks of itself


class Office:
    """`agents` with one place each, all taken, and `waiting` conversations over `rules`."""

    def __init__(self, agents: int, rules: int, waiting: int) -> None:
        self.agents, self.rules = agents, rules
        self.decider = RosterDecider()
        self.now_ms = 1_000_000
        self.roster: Roster = self.decider.new(_account(agents, rules))
        for number in range(agents):
            self.ask(AgentArrives(ACCOUNT, _origin(number), AgentId(f"agent{number}")))
        for number in range(agents):
            self.seek(f"talk{number}", number)
        for number in range(waiting):
            self.seek(f"wait{number}", number)

    def ask(self, command: Any) -> None:
        """Decide `command` and all that follows inside the roster."""
        self.now_ms += 1
        asked = deque([command])
        while asked:
            decision = self.decider.decide(self.roster, asked.popleft(), self.now_ms)
            for event in decision if isinstance(decision, list) else ():
                self.decider.encode(event)
                self.decider.evolve(self.roster, event)
                for reaction in self.decider.react(self.roster, event, self.now_ms):
                    if type(reaction) in _INSIDE:
                        asked.append(reaction)

    def seek(self, conversation: str, number: int) -> None:
        """Let a conversation ask for an agent of one of the rules."""
        rule = RuleId(f"rule{number % self.rules}")
        language = LANGUAGES[number % len(LANGUAGES)]
        seek = (INBOX, rule, self.now_ms + 1, "started")
        self.ask(Seek(ACCOUNT, ConversationId(conversation), *seek, language=language))

    def set_state(self, number: int, state: Any) -> None:
        """Let an agent go away or come back."""
        self.ask(SetAgentState(ACCOUNT, _origin(number), AgentId(f"agent{number}"), state))


def _account(agents: int, rules: int) -> AccountConfig:
    staff = [
        Agent(AgentId(f"agent{number}"), f"Agent {number}", "", "", capacity=1, languages=[LANGUAGES[number % 3]])
        for number in range(agents)
    ]
    spread = [[(number + 17 * shift) % rules for shift in range(RULES_EACH)] for number in range(agents)]
    asked = [[one.id for one, mine in zip(staff, spread, strict=True) if rule in mine] for rule in range(rules)]
    every = [
        Rule(
            RuleId(f"rule{number}"), INBOX, f"Rule {number}", agents=asked[number], auto_accept=True,
            choice="least_busy" if number % 2 else "round_robin", prefer_languages=number % 3 == 0,
            overflow=Overflow(300),
        )
        for number in range(rules)
    ]  # fmt: skip
    inbox = Inbox(INBOX, "Bench", agents=[one.id for one in staff])
    return AccountConfig(ACCOUNT, "Bench", 1, CellName("c00"), b"", [], [inbox], staff, every, [])


def _origin(number: int) -> Origin:
    return Origin(Incarnation("gw_bench"), SessionId(f"ses{number}"), DeviceId(f"dev{number}"), 0, "")
