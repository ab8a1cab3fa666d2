"""An account's roster at work: a cell made of dictionaries around the real decider, with a clock that tests move.

Invariant: every command is decided to rest, and every event goes through its stored bytes, as in an engine.
"""

from collections import deque
from typing import Any

from protocol.bus.commands import (
    AcceptOffer,
    AgentArrives,
    AgentLeaves,
    AskWhoNext,
    ClaimConversation,
    DeclineOffer,
    GatewayLost,
    Origin,
    SetAgentState,
    TimerFired,
    TransferConversation,
)
from protocol.bus.config import AccountConfig, Agent, Inbox, Rule, Team
from protocol.bus.decisions import Told
from protocol.bus.effects import (
    AgentLost,
    Assign,
    CancelTimer,
    FeedUpdate,
    HandOver,
    Inner,
    NoteReply,
    NumberTicket,
    OpenTicket,
    Overflowed,
    Release,
    Reprioritise,
    RosterConfig,
    Seek,
    SetTimer,
    TellPlace,
    Weigh,
)
from protocol.bus.hours import Hours, Interval
from protocol.bus.records import NextInLine
from routing.core.queue import Offered, Talking
from routing.core.roster import Roster, RosterDecider

ACCOUNT, INBOX, RULE = "acc_1", "inb_1", "rul_1"
TO_CONVERSATION = (Assign, HandOver, AgentLost, Overflowed, NumberTicket)


def agent(name: str, **changes: Any) -> Agent:
    """Return an agent whose id is their name, with a seat and capacity 2 unless `changes` say otherwise."""
    return Agent(**{"id": name, "name": name.title(), "email": f"{name}@x.no", "password": "", "capacity": 2} | changes)


def account(
    agents: list[Agent],
    rules: list[Rule] | None = None,
    version: int = 1,
    teams: dict[str, list[str]] | None = None,
    hours: list[Hours] | None = None,
    **inboxes: list[str],
) -> AccountConfig:
    """Return an account with one inbox of all agents, one rule, teams by name, and further inboxes by name."""
    more = [Inbox(name, name, agents=names) for name, names in inboxes.items()]
    main = Inbox(INBOX, "Support", agents=[one.id for one in agents])
    rules = [Rule(RULE, INBOX, "Everybody")] if rules is None else rules
    some = [Team(name, name, members) for name, members in (teams or {}).items()]
    return AccountConfig(
        ACCOUNT, "Acme", version, "c00", b"key", [], [main, *more], agents, rules, [], teams=some, hours=hours or []
    )


def daily(name: str, opens_min: int, closes_min: int, zone: str = "UTC") -> Hours:
    """Return hours that are the same every day, in minutes after midnight."""
    return Hours(name, name, zone, [[Interval(opens_min, closes_min)]] * 7)


class Shift:
    """A roster, what it told the world, and the shortest words for what agents and visitors do."""

    def __init__(self, config: AccountConfig) -> None:
        self.decider = RosterDecider()
        self.config = config
        self.roster: Roster = self.decider.new(config)
        self.now_ms = 1_000_000
        self.log: list[bytes] = []
        self.events: list[Any] = []
        self.timers: dict[TimerFired, int] = {}
        self.rows: dict[str, dict[str, dict[str, Any]]] = {}
        self.changes: list[FeedUpdate] = []
        self.places: list[tuple[int, str, int, bool]] = []
        self.waits_s: list[int | None] = []  # told with each of the places
        self.told: list[Inner] = []
        self.owed = True  # whether conversations that lose their agent seek another at once
        self.before_event: Any = lambda roster, event: None

    def ask(self, command: Any) -> Any:
        """Decide `command` and all that follows; return the decision on it."""
        first: Any = None
        commands = deque([command])
        for number in range(100_000):
            if not commands:
                return first
            decision = self.decider.decide(self.roster, commands.popleft(), self.now_ms)
            first = decision if number == 0 else first
            for event in decision if isinstance(decision, list) else []:
                commands.extend(self._happen(event))
        raise AssertionError("the roster does not come to rest")

    def _happen(self, event: Any) -> list[Inner]:
        self.before_event(self.roster, event)
        self.events.append(event)
        self.log.append(self.decider.encode(event))
        self.decider.evolve(self.roster, event)
        inner: list[Inner] = []
        for asked in self.decider.react(self.roster, event, self.now_ms):
            inner += self._take(asked)
        return inner

    def _take(self, asked: Any) -> list[Inner]:
        match asked:
            case SetTimer():
                self.timers[asked.command] = asked.due_ms
            case CancelTimer():
                self.timers.pop(asked.command, None)
            case FeedUpdate():
                self.changes.append(asked)
                self._feed(asked)
            case TellPlace():
                self.places.append((self.now_ms, asked.conversation, asked.place, asked.exact))
                self.waits_s.append(asked.wait_s)
            case Inner() if isinstance(asked, TO_CONVERSATION):
                self.told.append(asked)
                return self._answered(asked)
            case Inner():
                return [asked]
        return []

    def _feed(self, change: FeedUpdate) -> None:
        rows = self.rows.setdefault(change.feed, {})
        if change.row is None:
            rows.pop(change.key, None)
        else:
            rows[change.key] = change.row

    def _answered(self, told: Inner) -> list[Inner]:
        """Return what the conversation asks of the roster in turn."""
        match told:
            case AgentLost() if self.owed:
                return [self._seek(told.conversation, "agent_lost", avoid=told.agent)]
            case HandOver(team=team) if team is not None:
                return [self._seek(told.conversation, "transfer", team=team)]
        return []

    def _seek(self, conversation: str, reason: str, **seek: Any) -> Seek:
        held = self.roster.held[conversation]
        return Seek(ACCOUNT, conversation, held.inbox, held.rule, held.since_ms, reason, **seek)

    def pass_s(self, seconds: float) -> None:
        """Let time pass, with every timer fired when it is due."""
        end_ms = self.now_ms + round(1000 * seconds)
        while True:
            command, due_ms = min(self.timers.items(), key=lambda item: item[1], default=(None, end_ms + 1))
            if command is None or due_ms > end_ms:
                break
            self.now_ms = max(self.now_ms, due_ms)
            del self.timers[command]
            self.ask(command)
        self.now_ms = end_ms

    # what agents do

    def origin(self, session: str, gateway: str = "gw_1") -> Origin:
        return Origin(gateway, session, f"dev_{session}", 0, "")

    def arrive(self, *agents: str, gateway: str = "gw_1", session: str = "") -> Any:
        """Let agents connect, each by a session called as they are unless told otherwise; return the last decision."""
        decision = None
        for one in agents:
            decision = self.ask(AgentArrives(ACCOUNT, self.origin(session or one, gateway), one))
        return decision

    def leave(self, agent: str, gateway: str = "gw_1", session: str = "") -> Any:
        return self.ask(AgentLeaves(ACCOUNT, self.origin(session or agent, gateway), agent))

    def lose(self, gateway: str = "gw_1") -> Any:
        return self.ask(GatewayLost(gateway))

    def set_state(self, agent: str, state: Any, by: str | None = None) -> Any:
        asking = by or agent
        return self.ask(SetAgentState(ACCOUNT, self.origin(asking), asking, state, agent if by else None))

    def accept(self, conversation: str) -> Any:
        """Accept the open offer of `conversation`, as the agent who has it."""
        phase = self.offered(conversation)
        return self.ask(AcceptOffer(ACCOUNT, self.origin(phase.agent), phase.agent, phase.offer))

    def decline(self, conversation: str) -> Any:
        """Decline the open offer of `conversation`, as the agent who has it."""
        phase = self.offered(conversation)
        return self.ask(DeclineOffer(ACCOUNT, self.origin(phase.agent), phase.agent, phase.offer))

    def claim(self, agent: str, conversation: str, *, force: bool = False) -> Any:
        return self.ask(ClaimConversation(ACCOUNT, self.origin(agent), agent, conversation, force))

    def transfer(
        self, agent: str, conversation: str, to: str, note: str = "", team: str | None = None, *, force: bool = False
    ) -> Any:
        return self.ask(TransferConversation(ACCOUNT, self.origin(agent), agent, conversation, to, note, team, force))

    def who_next(self, agent: str, rule: str = RULE) -> NextInLine:
        """Return what the agent is told who asks for the next in line."""
        told = self.ask(AskWhoNext(ACCOUNT, self.origin(agent), agent, rule))
        assert isinstance(told, Told), told
        return told.next_in_line

    # what conversations do

    def seek(self, *conversations: str, rule: str | None = RULE, prefer: str | None = None, **seek: Any) -> Any:
        """Let conversations ask for an agent, a millisecond apart; return the last decision."""
        decision = None
        for conversation in conversations:
            self.now_ms += 1
            values = {"since_ms": self.now_ms, "reason": "started", "inbox": INBOX} | seek
            decision = self.ask(Seek(ACCOUNT, conversation, rule=rule, prefer=prefer, **values))
        return decision

    def release(self, conversation: str) -> Any:
        return self.ask(Release(ACCOUNT, conversation))

    def weigh(self, conversation: str, *, counts: bool) -> Any:
        return self.ask(Weigh(ACCOUNT, conversation, counts))

    def prioritise(self, conversation: str, priority: str) -> Any:
        return self.ask(Reprioritise(ACCOUNT, conversation, priority))

    def replied(self, waited_s: float, inbox: str = INBOX) -> Any:
        """Let a first human word have come after so long."""
        return self.ask(NoteReply(ACCOUNT, "", inbox, round(1000 * waited_s)))

    def open_ticket(self, conversation: str) -> Any:
        return self.ask(OpenTicket(ACCOUNT, conversation))

    def publish(self, config: AccountConfig) -> Any:
        self.config = config
        return self.ask(RosterConfig(ACCOUNT, "", config))

    # what is so

    def offered(self, conversation: str) -> Offered:
        phase = self.roster.held[conversation].phase
        assert isinstance(phase, Offered), f"{conversation} is {phase}"
        return phase

    def asked(self, conversation: str) -> str | None:
        """Return who is being asked for `conversation`."""
        held = self.roster.held.get(conversation)
        return held.phase.agent if held is not None and isinstance(held.phase, Offered) else None

    def talks(self, conversation: str) -> str | None:
        """Return who has `conversation`."""
        held = self.roster.held.get(conversation)
        return held.phase.agent if held is not None and isinstance(held.phase, Talking) else None

    def said(self, kind: type) -> list[Any]:
        """Return what of `kind` went to conversations."""
        return [inner for inner in self.told if isinstance(inner, kind)]
