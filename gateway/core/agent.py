"""An agent's session: what one console may say and hear.

Numbered frames are judged by the deciders, which know who has what. Reading is judged here, by the committed head.

Invariant: it reads only conversations of inboxes to which the agent has access now, and none that is gated.
"""

import unicodedata

from gateway.core.actions import Action, End, Forward, LeaveFeed, Say, Submit
from gateway.core.feeds import FeedRead, Feeds
from gateway.core.flow import No
from gateway.core.limits import Bucket, SessionLimits
from gateway.core.session import Identity, Moment, Session
from gateway.core.watch import Watch
from protocol.bus import commands, topics
from protocol.bus.config import AccountConfig, Agent
from protocol.bus.records import Head
from protocol.bus.topics import Ephemeral
from protocol.ids import AgentId, ConversationId, InboxId, OfferId
from protocol.wire import client
from protocol.wire.codes import CloseCode, Code
from protocol.wire.limits import MAX_TEXT_CHARS
from protocol.wire.server import Presence, TypingNow

MAX_CONVERSATIONS = 256
SERIES = "desk"
ARRIVE, LEAVE = "arrive", "leave"  # the ids of what is asked without n

Numbered = (
    client.Send | client.Close | client.SetState | client.Accept | client.Decline | client.Claim | client.Transfer
)


class Desk(Identity, frozen=True):
    """Who speaks."""

    agent: AgentId


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
        self.watch = Watch()
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
        return [Submit(self._command(frame))]

    def _why_not(self, frame: Numbered, now: Moment) -> No | None:
        if isinstance(frame, client.Send) and len(unicodedata.normalize("NFC", frame.text)) > MAX_TEXT_CHARS:
            return No(Code.TOO_LARGE, frame.n)
        if now.trouble is not None:
            return No(now.trouble.code, frame.n, now.trouble.retry_after_ms)
        wait_ms = self._messages.wait_ms(now.at_ms)
        return No(Code.RATE_LIMITED, frame.n, wait_ms) if wait_ms else None

    def _command(self, frame: Numbered) -> commands.AnyCommand:
        account, agent = self.desk.account, self.desk.agent
        origin = self.desk.origin(frame.n, frame.id)
        match frame:
            case client.Send(conversation=to, text=text):
                words = unicodedata.normalize("NFC", text)
                return commands.AgentSends(account, origin, ConversationId(to), agent, words)
            case client.Close(conversation=which):
                return commands.AgentCloses(account, origin, ConversationId(which), agent)
            case client.SetState(state=state):
                return commands.SetAgentState(account, origin, agent, state)
            case client.Accept(offer=offer):
                return commands.AcceptOffer(account, origin, agent, OfferId(offer))
            case client.Decline(offer=offer):
                return commands.DeclineOffer(account, origin, agent, OfferId(offer))
            case client.Claim(conversation=which):
                return commands.ClaimConversation(account, origin, agent, ConversationId(which))
            case client.Transfer(conversation=which, to=to, note=note):
                return commands.TransferConversation(account, origin, agent, ConversationId(which), AgentId(to), note)

    def _typing(self, frame: client.Typing) -> list[Action]:
        conversation = ConversationId(frame.conversation)
        if self.reading.open(conversation) is None:
            return self.reading.unread(conversation)
        name = self._agent.name if self._agent else ""
        typing = TypingNow(conversation, "agent", name, frame.on)
        return [self.tell(conversation, "visitor", typing), self.tell(conversation, "staff", typing)]

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

    def arrived(self, conversation: ConversationId) -> list[Action]:
        """Ask who is there."""
        return [self.tell(conversation, "present", Presence(conversation, True))]

    def ephemeral(self, conversation: ConversationId, passing: Ephemeral) -> list[Action]:
        if passing.audience == "staff" and self.reading.open(conversation) is not None:
            new = self.watch.heard(conversation, passing.frame)
            if new is not None:
                return [Forward(passing.frame)] if new else []
        return super().ephemeral(conversation, passing)

    def lost(self) -> list[Action]:
        """The line is gone: the roster hears it."""
        return [Submit(commands.AgentLeaves(self.desk.account, self.desk.origin(0, LEAVE), self.desk.agent))]

    def check(self) -> list[Action]:
        """The slow check: feeds may have moved unheard, visitors may have gone without a word."""
        conversations = self.reading.conversations
        gone = [Say(Presence(each, False)) for each in self.watch.check(conversations)]
        asked = [action for each in conversations for action in self.arrived(each)]
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
        lost = self.reading.detach_where(lambda reader: reader.admitted and reader.inbox not in self._inboxes)
        opened = [action for feed in self.feed_names if feed not in before for action in self.feeds.open(feed)]
        return [*lost, *(LeaveFeed(feed) for feed in shut), *opened]
