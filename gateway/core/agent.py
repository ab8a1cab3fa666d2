"""An agent's session: what one console may say and hear.

Numbered frames are judged by the deciders, which know who has what. Reading is judged here, by the committed head.

Invariant: it reads only conversations of inboxes to which the agent has access now, and none that is gated. What it
passes by to a visitor names the agent as the conversation's heading does.
"""

from gateway.core.actions import Action, End, Forward, LeaveFeed, ReadContext, ReadEntry, Say, Submit
from gateway.core.consoles import Desk, Numbered, Waiting, command_of, why_not
from gateway.core.feeds import FeedRead, Feeds
from gateway.core.flow import No
from gateway.core.knowing import Knowing
from gateway.core.limits import Bucket, SessionLimits
from gateway.core.reading import refused
from gateway.core.resume import Reader
from gateway.core.session import UNAVAILABLE_MS, Moment, Session
from gateway.core.watch import Watch
from protocol.bus import commands, topics
from protocol.bus.config import AccountConfig, Agent
from protocol.bus.records import Head, Outcome, VisitorRecord
from protocol.bus.topics import Ephemeral, Hint
from protocol.ids import AgentId, ConversationId, InboxId, RuleId
from protocol.wire import client
from protocol.wire.codes import BY_WIRE, CloseCode, Code
from protocol.wire.limits import MAX_UNRESOLVED
from protocol.wire.server import Candidate, Looking, NextAgent, Presence, ServerFrame, TypingNow

MAX_CONVERSATIONS = 256
SERIES = "desk"
ARRIVE, LEAVE = "arrive", "leave"  # the ids of what is asked without n


def agent_of(config: AccountConfig | None, agent: AgentId) -> Agent | None:
    """Return the agent as configured, or None."""
    return next((each for each in config.agents if each.id == agent), None) if config else None


def inboxes_of(config: AccountConfig, agent: AgentId) -> list[InboxId]:
    """Return the inboxes to which the agent has access."""
    return [inbox.id for inbox in config.inboxes if agent in inbox.agents]


class AgentSession(Session):
    """Frames of one console in, actions out."""

    who = "staff"

    def __init__(self, desk: Desk, config: AccountConfig, limits: SessionLimits) -> None:
        super().__init__(desk, limits, MAX_CONVERSATIONS)
        self.desk = desk
        self.feeds = Feeds()
        self.watch = Watch(desk.agent)
        self.knowing = Knowing(self._head_of, lambda: self._inboxes)
        self._waiting = Waiting()
        self._asked_next: dict[str, RuleId] = {}
        self._agent = agent_of(config, desk.agent)
        self._inboxes = inboxes_of(config, desk.agent)
        self._messages = Bucket(limits.agent_messages_per_minute, limits.agent_message_burst)

    @property
    def feed_names(self) -> list[str]:
        """The feeds this agent is sent: its own, and one per inbox."""
        account = self.desk.account
        return [
            topics.agent_feed(account, self.desk.agent),
            *(topics.inbox_feed(account, inbox) for inbox in self._inboxes),
        ]

    def may_read(self, _conversation: ConversationId, head: Head | None) -> bool:
        if head is None or head.account != self.desk.account:
            return False
        return head.inbox in self._inboxes and head.status != "gated"

    def series(self, _conversation: str) -> str:
        return SERIES

    def receive(self, frame: client.AgentFrame, now: Moment) -> list[Action]:
        """Take one frame."""
        if ended := self.flooded(now.at_ms):
            return ended
        match frame:
            case client.Numbered():
                return self._numbered(frame, now)
            case client.Typing():
                return self._typing(frame)
            case client.Upload() | client.Download():
                return self._attach(frame, now.at_ms)
            case client.WhoNext():
                return self._who_next(frame, now)
            case client.Leave(conversation):
                return [*self._looks_away([ConversationId(conversation)]), *self.shared(frame, now.at_ms)]
            case _:
                return self.shared(frame, now.at_ms)

    # What the agent does.

    def _numbered(self, frame: Numbered, now: Moment) -> list[Action]:
        if self.flow.is_asked(SERIES, frame.n, frame.id):
            return []  # its outcome will come
        no = self.flow.check(SERIES, frame.n, frame.id) or self._why_not(frame, now)
        if no is not None:
            return self.no(frame, getattr(frame, "conversation", ""), no)
        self.flow.take(SERIES, frame.n, frame.id)
        key = (frame.n, frame.id)
        asked = self.attaching.complete(frame, command_of(frame, self.desk))
        leaving = [Submit(command) for command in self._waiting.put(key, asked)]
        if isinstance(frame, client.Redact):
            return [*leaving, ReadEntry(ConversationId(frame.conversation), frame.seq, key)]
        return [*leaving]

    def _why_not(self, frame: Numbered, now: Moment) -> No | None:
        code = why_not(frame, self._agent) or self.attaching.why_not(frame)
        if code is not None:
            return No(code, frame.n)
        if now.trouble is not None:
            return No(now.trouble.code, frame.n, now.trouble.retry_after_ms)
        wait_ms = self._messages.wait_ms(now.at_ms)
        return No(Code.RATE_LIMITED, frame.n, wait_ms) if wait_ms else None

    def entry_read(self, asked: ReadEntry, head: Head | None, frame: bytes | None, code: Code | None) -> list[Action]:
        """Take what a ReadEntry asked for; `code`: it could not be read now."""
        if code is None and (head is None or not frame or not self.may_read(asked.conversation, head)):
            code = Code.NOT_FOUND
        leaving = [Submit(command) for command in self._waiting.complete(asked.key, frame if code is None else None)]
        if code is None:
            return [*leaving]
        n, frame_id = asked.key
        self.flow.drop(SERIES, n, frame_id)
        if code.retryable:
            self.flow.refuse(SERIES, No(code, n))
        wait_ms = UNAVAILABLE_MS if code.retryable else 0
        about: dict[str, int | str] = {"n": n, "id": frame_id, "conversation": asked.conversation, "expected": n}
        return [Say(refused(code, retry_after_ms=wait_ms, **about)), *leaving]

    def _attach(self, frame: client.Upload | client.Download, at_ms: int) -> list[Action]:
        head = self._head_of(ConversationId(frame.conversation))
        if isinstance(frame, client.Download):
            return self.attaching.download(frame, head.visitor if head is not None else None)
        if head is None:
            return [Say(refused(Code.NOT_FOUND, ref=frame.ref, conversation=frame.conversation))]
        return self.attaching.upload(frame, head.visitor, self.desk.agent, None, at_ms)

    def _typing(self, frame: client.Typing) -> list[Action]:
        conversation = ConversationId(frame.conversation)
        if self.reading.open(conversation) is None:
            return self.reading.unread(conversation)
        head, name = self._head_of(conversation), self._name
        shown = TypingNow(conversation, "agent", (head.alias if head is not None else "") or name, frame.on)
        known = TypingNow(conversation, "agent", name, frame.on)
        return [self.tell(conversation, "visitor", shown), self.tell(conversation, "staff", known)]

    def _who_next(self, frame: client.WhoNext, now: Moment) -> list[Action]:
        ref, rule = frame.ref, RuleId(frame.rule)
        if ref in self._asked_next:
            return []  # its outcome will come
        if len(self._asked_next) >= MAX_UNRESOLVED:
            return [Say(refused(Code.TOO_MANY_UNRESOLVED, ref=ref))]
        if now.trouble is not None:
            return [Say(refused(now.trouble.code, ref=ref, retry_after_ms=now.trouble.retry_after_ms))]
        if wait_ms := self._messages.wait_ms(now.at_ms):
            return [Say(refused(Code.RATE_LIMITED, ref=ref, retry_after_ms=wait_ms))]
        self._asked_next[ref] = rule
        return [Submit(commands.AskWhoNext(self.desk.account, self.desk.origin(0, ref), self.desk.agent, rule))]

    @property
    def _name(self) -> str:
        return self._agent.name if self._agent else ""

    def _head_of(self, conversation: ConversationId) -> Head | None:
        reader = self.reading.open(conversation)
        return reader.head if reader is not None else None

    # What comes from the cell.

    def begin(self, positions: list[client.FeedPosition]) -> list[Action]:
        """Begin to send the feeds, each from where the client is with it."""
        had = {position.feed: position for position in positions}
        actions: list[Action] = []
        for feed in self.feed_names:
            position = had.get(feed)
            actions += self.feeds.open(feed, position.seq, position.id) if position else self.feeds.open(feed)
        return actions

    def feed_changed(self, feed: str, frames: list[bytes]) -> list[Action]:
        """Take changes of a feed as they are published."""
        return self.feeds.changed(feed, frames)

    def feed_read(self, feed: str, found: FeedRead) -> list[Action]:
        """Take what a ReadFeed asked for."""
        return self.feeds.read(feed, found)

    def outcome(self, outcome: Outcome, command: commands.Asked) -> list[Action]:
        match command:
            case commands.AskWhoNext():
                return [Say(self._next_agent(outcome, self._asked_next.pop(outcome.id, command.rule)))]
            case commands.BlockVisitor(conversation=conversation) if not outcome.code:
                return [*super().outcome(outcome, command), self.tell_context(conversation)]
        return super().outcome(outcome, command)

    @staticmethod
    def _next_agent(outcome: Outcome, rule: RuleId) -> ServerFrame:
        found = outcome.next_in_line
        if outcome.code or found is None:
            return refused(BY_WIRE.get(outcome.code, Code.UNAVAILABLE), outcome.text, ref=outcome.id)
        considered = [Candidate(agent, why) for agent, why in found.candidates]
        return NextAgent(outcome.id, rule, found.agent, considered, found.counts)

    def passed(self, conversation: ConversationId, entries: list[Hint]) -> list[Action]:
        reader = self.reading.open(conversation)
        if reader is not None and reader.head is not None:
            reader.head = self.knowing.whose(conversation, reader.head, entries)
        return self.knowing.passed(conversation, entries)

    def context_read(
        self, asked: ReadContext, record: VisitorRecord | None, past: list[ConversationId] | None
    ) -> list[Action]:
        """Take what a ReadContext asked for."""
        return self.knowing.take(asked, record, past)

    def arrived(self, conversation: ConversationId) -> list[Action]:
        """Ask who is there, tell colleagues who looks, and show the visitor."""
        return [*self._looks(conversation, on=True), *self._ask(conversation), *self.knowing.read(conversation)]

    def _ask(self, conversation: ConversationId) -> list[Action]:
        return [self.tell(conversation, "present", Presence(conversation, True))]

    def _looks(self, conversation: ConversationId, *, on: bool) -> list[Action]:
        return [self.tell(conversation, "staff", Looking(conversation, self.desk.agent, self._name, on))]

    def _looks_away(self, conversations: list[ConversationId]) -> list[Action]:
        there = [each for each in conversations if self.reading.open(each) is not None]
        return [action for each in there for action in self._looks(each, on=False)]

    def ephemeral(self, conversation: ConversationId, passing: Ephemeral) -> list[Action]:
        if self.reading.open(conversation) is None or passing.device == self.desk.device:
            return []
        match passing.audience:
            case "context":
                return self.knowing.read(conversation)
            case "present":
                return self._looks(conversation, on=True)
            case "staff":
                new = self.watch.heard(conversation, passing.frame)
                return [Forward([passing.frame])] if new in (True, None) else []
        return []

    def lost(self) -> list[Action]:
        """The line is gone: colleagues and the roster hear it."""
        leaves = commands.AgentLeaves(self.desk.account, self.desk.origin(0, LEAVE), self.desk.agent)
        return [*self._looks_away(self.reading.conversations), Submit(leaves)]

    def check(self) -> list[Action]:
        """The slow check: feeds may have moved unheard, visitors and colleagues may have gone without a word."""
        conversations = self.reading.conversations
        gone = [Say(frame) for frame in self.watch.check(conversations)]
        asked = [action for each in conversations for action in self._ask(each)]
        return [*gone, *asked, *self.feeds.check()]

    def configured(self, config: AccountConfig | None) -> list[Action]:
        """Take a newer configuration of the account: seats and access act at once."""
        self._agent = agent_of(config, self.desk.agent)
        if config is None or self._agent is None or not self._agent.seat:
            return [End(CloseCode.REVOKED, "no seat")]
        before = self.feed_names
        self._inboxes = inboxes_of(config, self.desk.agent)
        shut = [feed for feed in before if feed not in self.feed_names]
        for feed in shut:
            self.feeds.shut(feed)
        lost = self.reading.detach_where(self._may_read_no_more)
        opened = [action for feed in self.feed_names if feed not in before for action in self.feeds.open(feed)]
        return [*lost, *(LeaveFeed(feed) for feed in shut), *opened]

    def _may_read_no_more(self, reader: Reader) -> bool:
        return reader.head is not None and reader.head.inbox not in self._inboxes
