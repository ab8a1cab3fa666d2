"""A visitor's session: what one phone may say and hear.

Invariant: nothing the visitor typed leaves it while consent is outstanding; it speaks only of conversations of its own.
"""

import unicodedata

from gateway.core.actions import Action, CheckToken, End, ReadOutcome, ReadVisitor, Say, Submit, Wake
from gateway.core.flow import No
from gateway.core.gate import Gate
from gateway.core.limits import Bucket, SessionLimits
from gateway.core.reading import refused
from gateway.core.session import Identity, Moment, Session, as_frame, encode
from protocol.bus.commands import AnyCommand, Asked, LogOut, VisitorAnswers, VisitorCloses, VisitorSends
from protocol.bus.config import AccountConfig
from protocol.bus.records import Head, Outcome, VisitorRecord
from protocol.bus.topics import Ephemeral, Hint
from protocol.ids import ChatflowId, ConversationId, VisitorId
from protocol.wire import client
from protocol.wire.codes import CloseCode, Code
from protocol.wire.limits import MAX_TEXT_CHARS, REMEMBERED_OUTCOMES, TOKEN_WARNING_S
from protocol.wire.server import LoggedOut, Presence, Refreshed, TokenExpiring, TypingNow

MAX_CONVERSATIONS = 32
_LET_GO = frozenset({Code.CONTINUED.wire, Code.NOT_FOUND.wire})  # what a cell says that may have forgotten
LOGOUT = "logout"  # the id of the one thing a phone asks without n


class Visitor(Identity, frozen=True):
    """Who speaks, and the chatflow it was served. `conversations`: its own, each under a chatflow."""

    visitor: VisitorId
    locale: str
    chatflow: ChatflowId | None
    conversations: dict[ConversationId, ChatflowId]


class MobileSession(Session):
    """Frames of one phone in, actions out."""

    who = "visitor"

    def __init__(
        self, visitor: Visitor, config: AccountConfig, record: VisitorRecord, limits: SessionLimits, messages: Bucket
    ) -> None:
        """`messages` is the device's own allowance, which outlives its sessions."""
        super().__init__(visitor, limits, MAX_CONVERSATIONS)
        self.visitor = visitor
        self.gate = Gate(config, record)
        self._own = dict(visitor.conversations)
        self._messages = messages
        self._repeats = Bucket(limits.messages_per_minute, REMEMBERED_OUTCOMES)
        self._consents: list[tuple[Outcome, str]] = []  # granted answers whose ack waits for the record
        self._token_expires_at_ms: int | None = None
        self._warned = self._leaving = False

    def may_read(self, conversation: ConversationId, head: Head | None) -> bool:
        if head is None:
            return conversation in self._own
        mine = head.visitor == self.visitor.visitor and head.account == self.visitor.account
        if mine:
            self._own.setdefault(conversation, head.chatflow)
        return mine

    def series(self, conversation: str) -> str:
        return conversation

    def receive(self, frame: client.MobileFrame, now: Moment) -> list[Action]:
        """Take one frame."""
        if ended := self.flooded(now.at_ms):
            return ended
        match frame:
            case client.Send() | client.Answer() | client.Close():
                return self._numbered(frame, now)
            case client.Typing():
                return self._typing(frame)
            case client.Refresh(token):
                return [CheckToken(token)] if self._token_expires_at_ms else [Say(refused(Code.TOKEN_INVALID))]
            case client.Logout() if self._leaving:
                return []  # its outcome will come
            case client.Logout():
                me, self._leaving = self.visitor, True
                return [Submit(LogOut(me.account, me.origin(0, LOGOUT), me.visitor, me.device))]
            case _:
                return self.shared(frame, now.at_ms)

    # What the visitor does.

    def _numbered(self, frame: client.Send | client.Answer | client.Close, now: Moment) -> list[Action]:
        series = frame.conversation
        if self.flow.is_asked(series, frame.n, frame.id):
            return []  # its outcome will come
        no = self.flow.check(series, frame.n, frame.id) or self._why_not(frame, now)
        if no is not None and no.code is Code.NOT_FOUND:
            return [self._long_over(frame)]
        if no is not None:
            return self.no(frame, frame.conversation, no)
        self.flow.take(series, frame.n, frame.id)
        return [Submit(self._command(frame))]

    def _long_over(self, frame: client.Send | client.Answer | client.Close) -> Action:
        """Of a conversation that is not at hand, perhaps of long ago: whatever it took of this phone SQL knows."""
        me, code = self.visitor, Code.NOT_FOUND.wire
        otherwise = Outcome(me.session, me.device, frame.n, frame.id, code, frame.conversation, expected=frame.n)
        return ReadOutcome(ConversationId(frame.conversation), otherwise)

    def _why_not(self, frame: client.Send | client.Answer | client.Close, now: Moment) -> No | None:
        chatflow = self._own.get(ConversationId(frame.conversation))
        if chatflow is None:
            return No(Code.NOT_FOUND, frame.n)
        if isinstance(frame, client.Send):
            if not self.gate.is_open(chatflow):
                return No(Code.CONSENT_REQUIRED, frame.n)
            if len(unicodedata.normalize("NFC", frame.text)) > MAX_TEXT_CHARS:
                return No(Code.TOO_LARGE, frame.n)
        if now.trouble is not None:
            return No(now.trouble.code, frame.n, now.trouble.retry_after_ms)
        # What is offered again after an epoch rose is answered from memory, and is not the visitor's doing (SPEC 5.3).
        if self.flow.is_repeat(frame.conversation, frame.n) and not self._repeats.wait_ms(now.at_ms):
            return None
        wait_ms = self._messages.wait_ms(now.at_ms)
        return No(Code.RATE_LIMITED, frame.n, wait_ms) if wait_ms else None

    def _command(self, frame: client.Send | client.Answer | client.Close) -> AnyCommand:
        me, conversation = self.visitor, ConversationId(frame.conversation)
        origin, chatflow = me.origin(frame.n, frame.id), self._own[conversation]
        match frame:
            case client.Send(text=text):
                words = unicodedata.normalize("NFC", text)
                return VisitorSends(me.account, origin, conversation, me.visitor, chatflow, words, me.locale)
            case client.Answer(value=value):
                return VisitorAnswers(me.account, origin, conversation, me.visitor, chatflow, value, me.locale)
            case client.Close():
                return VisitorCloses(me.account, origin, conversation, me.visitor)

    def _typing(self, frame: client.Typing) -> list[Action]:
        conversation = ConversationId(frame.conversation)
        if self.reading.open(conversation) is None:
            return self.reading.unread(conversation)
        if not self.gate.is_open(self._own.get(conversation)):
            return [Say(refused(Code.CONSENT_REQUIRED, conversation=conversation))]
        return [self.tell(conversation, "staff", TypingNow(conversation, "visitor", "", frame.on))]

    # What comes from the cell.

    def passed(self, conversation: ConversationId, entries: list[Hint]) -> list[Action]:
        """The gate moves on what is committed."""
        if entries and not self.gate.is_open(self._own.get(conversation)):
            self.gate.passed(entries)
        return []

    def outcome(self, outcome: Outcome, command: Asked) -> list[Action]:
        match command:
            case LogOut() if not outcome.code:
                return [Say(LoggedOut()), End(CloseCode.REVOKED, "logged out")]
            case LogOut():
                # The cell let go of a visitor who was idle for long: with hello the record comes back, to be revoked.
                return [End(CloseCode.OVERLOADED, "the cell asks who this is")]
            case VisitorAnswers(value="granted") if outcome.code in ("", Code.NOT_OUTSTANDING.wire):
                # Told once the committed record shows it: whoever hears the ack may send at once.
                self.flow.resolve(command.conversation, outcome)
                self._consents.append((outcome, command.conversation))
                return [ReadVisitor(self.visitor.visitor)]
            case VisitorSends() | VisitorAnswers() | VisitorCloses() if outcome.code in _LET_GO and outcome.expected:
                return [ReadOutcome(command.conversation, outcome)]  # it was judged without a ledger
            case VisitorSends() | VisitorAnswers() if outcome.instead:
                self._own[ConversationId(outcome.instead)] = self._own[command.conversation]
            case VisitorSends() | VisitorAnswers() if outcome.code == Code.UNAVAILABLE.wire:
                # The cell let go of a visitor who was idle for long; with hello the record comes back.
                return [*super().outcome(outcome, command), End(CloseCode.RESTARTED, "the cell asks who this is")]
        return super().outcome(outcome, command)

    def outcome_read(self, asked: ReadOutcome, recorded: Outcome | None) -> list[Action]:
        """Take what a conversation of long ago had made of a frame; None: it never had it."""
        outcome = recorded or asked.otherwise
        if outcome.instead:
            self._own[ConversationId(outcome.instead)] = self._own[asked.conversation]
        self.flow.resolve(asked.conversation, outcome)
        return [Say(as_frame(outcome, asked.conversation))]

    def visitor_read(self, record: VisitorRecord | None) -> list[Action]:
        """Take the visitor's committed record."""
        if record is not None:
            self.gate.known(record)
        told, self._consents = self._consents, []
        return [Say(as_frame(*each)) for each in told]

    def record_moved(self, record: VisitorRecord) -> list[Action]:
        """Take the visitor's record as somebody else changed it: on another phone, or through another gateway."""
        device = record.devices.get(self.visitor.device)
        if device is not None and device.revoked:
            return [End(CloseCode.REVOKED, "this device was logged out")]
        self.gate.known(record)
        return []

    def ephemeral(self, conversation: ConversationId, passing: Ephemeral) -> list[Action]:
        if self.reading.open(conversation) is None:
            return []
        asks = passing.audience == "present"
        # Another phone of this visitor left: the visitor is here all the same.
        left = passing.audience == "staff" and passing.device != self.visitor.device
        if asks or (left and passing.frame == encode(Presence(conversation, False))):
            return [self.tell(conversation, "staff", Presence(conversation, True))]
        return super().ephemeral(conversation, passing)

    def arrived(self, conversation: ConversationId) -> list[Action]:
        """Staff hears that the visitor is here."""
        return [self.tell(conversation, "staff", Presence(conversation, True))]

    def lost(self) -> list[Action]:
        """The line is gone: staff hears it."""
        return [self.tell(each, "staff", Presence(each, False)) for each in self.reading.conversations]

    def configured(self, config: AccountConfig | None) -> list[Action]:
        """Take a newer configuration of the account."""
        if config is None:
            return [End(CloseCode.REVOKED, "the app is no more")]
        self.gate.configured(config)
        return []

    # The token.

    def token_holds(self, until_ms: int) -> list[Action]:
        """Take the time until which the visitor's token is good."""
        self._token_expires_at_ms, self._warned = until_ms, False
        return [Wake(until_ms - TOKEN_WARNING_S * 1000)]

    def token_checked(self, until_ms: int | None, code: Code | None = None) -> list[Action]:
        """Take what became of a CheckToken: good until then, or refused with `code`."""
        if until_ms is None:
            return [Say(refused(code or Code.TOKEN_INVALID))]
        return [Say(Refreshed(until_ms)), *self.token_holds(until_ms)]

    def woke(self, at_ms: int) -> list[Action]:
        """Take the time that a Wake asked for."""
        until_ms = self._token_expires_at_ms
        if until_ms is None or at_ms < until_ms - TOKEN_WARNING_S * 1000:
            return []
        if at_ms >= until_ms:
            return [End(CloseCode.TOKEN_EXPIRED, "the token has expired")]
        if self._warned:
            return []
        self._warned = True
        return [Say(TokenExpiring(until_ms - at_ms)), Wake(until_ms)]
