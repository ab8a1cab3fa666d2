"""A visitor's session: what one phone may say and hear.

Invariant: nothing the visitor typed, and nothing the app told of them, leaves it while the step before it is
outstanding; it speaks only of conversations of its own.
"""

from gateway.core.actions import Action, CheckToken, End, ReadOutcome, Say, Submit
from gateway.core.asides import Asides
from gateway.core.flow import No
from gateway.core.gate import Rows
from gateway.core.limits import Bucket, SessionLimits
from gateway.core.reading import refused
from gateway.core.rereading import Rereading
from gateway.core.saying import ANSWERED, ASKS_WHO, Numbered, Visitor, command_of, is_forgotten, long_over, why_not
from gateway.core.serving import LOOK, SOON, Told
from gateway.core.session import UNAVAILABLE_MS, Moment, Session, as_frame, encode
from gateway.core.token import TokenClock
from gateway.core.trial import Trial
from gateway.core.words import but_words
from protocol.bus.commands import (
    Admit,
    Asked,
    LogOut,
    NoteContext,
    SetAnalytics,
    VisitorAnswers,
    VisitorCloses,
    VisitorRates,
    VisitorSends,
    VisitorWithdraws,
)
from protocol.bus.config import AccountConfig
from protocol.bus.records import Head, Outcome, Profile, VisitorRecord
from protocol.bus.topics import Ephemeral, Hint
from protocol.ids import ConversationId
from protocol.wire import client
from protocol.wire.client import Position
from protocol.wire.codes import BY_WIRE, CloseCode, Code
from protocol.wire.limits import REMEMBERED_OUTCOMES
from protocol.wire.server import Done, LoggedOut, Presence, Refreshed, TypingNow

MAX_CONVERSATIONS = 32
_MOVED = (b"blocked", b"erased", b"merged")  # what an entry holds after which the visitor may be another
_COME_AGAIN = End(CloseCode.RESTARTED, "the cell asks who this is")  # with hello the record comes back


class MobileSession(Session):
    """Frames of one phone in, actions out."""

    who = "visitor"

    def __init__(self, visitor: Visitor, told: Told, limits: SessionLimits, messages: Bucket) -> None:
        """`told`: what `ready` says. `messages` is the device's own allowance, which outlives its sessions."""
        super().__init__(visitor, limits, MAX_CONVERSATIONS)
        self.visitor, self.told, self.gate = visitor, told, told.front.gate
        self.token, self.trial = TokenClock(), Trial()
        self._own = dict(visitor.conversations)
        self._messages = messages
        self._repeats = Bucket(limits.messages_per_minute, REMEMBERED_OUTCOMES)
        self._asides = Asides(visitor, self.gate, messages)
        self._reread = Rereading(visitor.visitor)
        self._was_blocked = self.gate.blocked

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
            case client.Send() | client.Answer() | client.Survey() | client.Close():
                return self._numbered(frame, now)
            case client.Typing():
                return self._typing(frame, now.at_ms)
            case client.SetContext():
                return self._set_context(frame)
            case client.SetAnalyticsConsent() | client.Withdraw():
                return self._asides.consent(frame, now.at_ms, now.trouble)
            case client.Upload() | client.Download():
                return self._attach(frame, now.at_ms)
            case client.Refresh(token):
                return [CheckToken(token)] if self.token.runs else [Say(refused(Code.TOKEN_INVALID))]
            case client.Logout():
                return self._asides.log_out()
            case _:
                return self.shared(frame, now.at_ms)

    # What the visitor does.

    def _numbered(self, frame: Numbered, now: Moment) -> list[Action]:
        series = frame.conversation
        if self.flow.is_asked(series, frame.n, frame.id):
            return []  # its outcome will come
        no = self.flow.check(series, frame.n, frame.id) or self._why_not(frame, now)
        if no is not None and no.code is Code.NOT_FOUND:
            return [long_over(frame, self.visitor)]
        if no is not None:
            return self.no(frame, frame.conversation, no)
        self.flow.take(series, frame.n, frame.id)
        chatflow = self._own[ConversationId(frame.conversation)]
        command = command_of(frame, self.visitor, chatflow, self.told.version_of(chatflow))
        return [Submit(self.attaching.complete(frame, command))]

    def _why_not(self, frame: Numbered, now: Moment) -> No | None:
        chatflow = self._own.get(ConversationId(frame.conversation))
        if chatflow is None:
            return No(Code.NOT_FOUND, frame.n)
        code = why_not(frame, self.gate, chatflow, now.at_ms) or self.attaching.why_not(frame)
        if code is not None:
            return No(code, frame.n)
        if now.trouble is not None:
            return No(now.trouble.code, frame.n, now.trouble.retry_after_ms)
        # What is offered again after an epoch rose is answered from memory, and is not the visitor's doing (SPEC 5.3).
        if self.flow.is_repeat(frame.conversation, frame.n) and not self._repeats.wait_ms(now.at_ms):
            return None
        wait_ms = self._messages.wait_ms(now.at_ms)
        return No(Code.RATE_LIMITED, frame.n, wait_ms) if wait_ms else None

    def _attach(self, frame: client.Upload | client.Download, at_ms: int) -> list[Action]:
        me, conversation = self.visitor.visitor, ConversationId(frame.conversation)
        if isinstance(frame, client.Download):
            return self.attaching.download(frame, me if self.reading.open(conversation) is not None else None)
        chatflow = self._own.get(conversation)
        shut = Code.NOT_FOUND if chatflow is None else self.gate.closed_by(chatflow, at_ms, conversation)
        return self.attaching.upload(frame, me, me, shut, at_ms)

    def _typing(self, frame: client.Typing, at_ms: int) -> list[Action]:
        conversation = ConversationId(frame.conversation)
        if self.reading.open(conversation) is None:
            return self.reading.unread(conversation)
        code = self.gate.closed_by(self._own.get(conversation), at_ms, conversation)
        if code is not None:
            return [Say(refused(code, conversation=conversation))]
        return [self.tell(conversation, "staff", TypingNow(conversation, "visitor", "", frame.on))]

    def _set_context(self, frame: client.SetContext) -> list[Action]:
        if not self._asides.note(frame):
            return [Say(refused(Code.TOO_LARGE))]
        self.told.front.note(frame.properties)
        return [LOOK]

    # What comes from the cell.

    def passed(self, conversation: ConversationId, entries: list[Hint]) -> list[Action]:
        """The gate moves on what is committed; of words, only on the visitor's first."""
        if conversation in self.gate.spoken:
            entries = but_words(entries)
        if not entries:
            return []
        before, shown = self.gate.record, self.told.shown
        self.gate.passed(conversation, self._own.get(conversation), entries)
        moved = self.gate.record != before
        if conversation == shown.conversation and shown.view and shown.view.heading.kind == "assigned_agent":
            moved = self.told.front.passed(entries) or moved
        # The record says whether it is true.
        over = any(mark in entry.frame for entry in entries[-1:] for mark in _MOVED)
        return [*(self._reread.ask() if over else []), *([LOOK] if moved else [])]

    def outcome(self, outcome: Outcome, command: Asked) -> list[Action]:
        match command:
            case VisitorSends(conversation=conversation) if not outcome.code and not outcome.instead:
                self.flow.resolve(conversation, outcome)
                return [Say(as_frame(outcome, conversation))]
            case LogOut() if not outcome.code:
                return [Say(LoggedOut()), End(CloseCode.REVOKED, "logged out")]
            case LogOut():
                # The cell let go of a visitor who was idle for long: with hello the record comes back, to be revoked.
                return [End(CloseCode.OVERLOADED, "the cell asks who this is")]
            case NoteContext() | Admit():
                return self._noted(outcome, command)
            case SetAnalytics() | VisitorWithdraws():
                return self._consented(outcome)
            case VisitorAnswers() if outcome.code in ANSWERED:
                # Told once the committed record shows it: whoever hears the ack may send at once.
                self.flow.resolve(command.conversation, outcome)
                return self._reread.then_tell(as_frame(outcome, command.conversation))
            case VisitorSends() | VisitorAnswers() | VisitorRates() | VisitorCloses() if is_forgotten(outcome):
                return [ReadOutcome(command.conversation, outcome)]  # it was judged without a ledger
            case VisitorSends() | VisitorAnswers() if outcome.instead:
                self._own[ConversationId(outcome.instead)] = self._own[command.conversation]
            case VisitorSends() | VisitorAnswers() | VisitorRates() if outcome.code == Code.UNAVAILABLE.wire:
                return [*super().outcome(outcome, command), _COME_AGAIN]
        return super().outcome(outcome, command)

    def _noted(self, outcome: Outcome, command: NoteContext | Admit) -> list[Action]:
        """What the app told was taken, and whoever shows the visitor reads it again."""
        if isinstance(command, NoteContext):
            self._asides.told()
        if outcome.code in ASKS_WHO:
            return [_COME_AGAIN]
        return [*map(self.tell_context, self.reading.conversations), LOOK]

    def _consented(self, outcome: Outcome) -> list[Action]:
        self._asides.answered(outcome.id)
        if not outcome.code:
            return self._reread.then_tell(Done(outcome.id))
        code = BY_WIRE.get(outcome.code, Code.UNAVAILABLE)
        if outcome.code in ASKS_WHO:
            return [Say(refused(Code.UNAVAILABLE, ref=outcome.id, retry_after_ms=UNAVAILABLE_MS)), _COME_AGAIN]
        return [Say(refused(code, outcome.text, ref=outcome.id))]

    def outcome_read(self, asked: ReadOutcome, recorded: Outcome | None) -> list[Action]:
        """Take what a conversation of long ago had made of a frame; None: it never had it."""
        outcome = recorded or asked.otherwise
        if outcome.instead:
            self._own[ConversationId(outcome.instead)] = self._own[asked.conversation]
        self.flow.resolve(asked.conversation, outcome)
        return [Say(as_frame(outcome, asked.conversation))]

    def visitor_read(self, record: VisitorRecord | None) -> list[Action]:
        """Take the visitor's committed record."""
        told, again = self._reread.done()
        moved = self._know(record) if record is not None else []
        return [*(Say(frame) for frame in told), *moved, *again]

    def record_moved(self, record: VisitorRecord) -> list[Action]:
        """Take the visitor's record as somebody else changed it: on another phone, or through another gateway."""
        device = record.devices.get(self.visitor.device)
        if device is not None and device.revoked:
            return [End(CloseCode.REVOKED, "this device was logged out")]
        return self._know(record)

    def _know(self, record: VisitorRecord) -> list[Action]:
        self.gate.record = record
        if record.merged or (record.erased and self.visitor.device not in record.devices):
            return [End(CloseCode.REVOKED, "this visitor is no more")]
        if record.blocked and not self._was_blocked:
            return [End(CloseCode.REVOKED, "this visitor may not write here")]
        self._was_blocked = record.blocked
        return [LOOK]

    def ephemeral(self, conversation: ConversationId, passing: Ephemeral) -> list[Action]:
        if self.reading.open(conversation) is None:
            return []
        if passing.audience == "context":
            return self._reread.ask() if passing.device != self.visitor.device else []
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

    # What changes around it.

    def configured(self, config: AccountConfig | None) -> list[Action]:
        """Take a newer configuration of the account."""
        if config is None:
            return [End(CloseCode.REVOKED, "the app is no more")]
        self.gate.config = config
        return self.trial.configured(config) or [SOON]

    def staffed(self, rows: Rows) -> list[Action]:
        """Take who is ready now, rule by rule."""
        flow, gate = self.told.shown.flow, self.gate
        before = gate.row(flow) if flow is not None else None
        gate.rows = rows
        return [SOON] if flow is not None and gate.row(flow) != before else []

    def token_checked(
        self, until_ms: int | None, code: Code | None = None, profile: Profile | None = None
    ) -> list[Action]:
        """Take what became of a CheckToken: good until then and vouching for `profile`, or refused with `code`."""
        if until_ms is None:
            return [Say(refused(code or Code.TOKEN_INVALID))]
        self._asides.vouch(profile)
        return [Say(Refreshed(until_ms)), *self.token.holds(until_ms), LOOK]

    def begun(self, at_ms: int) -> list[Action]:
        """`ready` told what stood at that time: nothing is new but what the token vouches for."""
        return [*self._asides.due(self.told.chatflow, self.told.version, at_ms), *self.told.stood(at_ms)]

    def woke(self, at_ms: int) -> list[Action]:
        """Take the time: a Wake asked for it."""
        shown = self.told.shown
        told = self._asides.due(self.told.chatflow, self.told.version, at_ms)
        actions = [*self.trial.woke(at_ms), *self.token.woke(at_ms), *told, *self.told.look(at_ms)]
        new, chatflow = self.told.shown.conversation, self.told.chatflow
        if new is not None and chatflow is not None and new != shown.conversation:
            self._own.setdefault(new, chatflow)
            if new not in self.reading:  # one that was reopened may well be
                actions += self.reading.attach(Position(new, 0, ""))  # as after `ready` (SPEC 3.3)
        return actions
