"""What sessions of visitors and agents have in common: reading, answering, and the numbering of what they ask.

A session is sans-I/O: frames, committed entries, outcomes and the time go in, actions come out. It dies with its socket
and nothing of it need survive.

Invariant: no method waits, raises at its peer's fault, or keeps text of a frame that it refused.
"""

from typing import Any

import msgspec
from msgspec import Struct

from gateway.core.actions import Action, Audience, End, Forward, Mark, ReadPage, Say, Tell
from gateway.core.attaching import Attaching
from gateway.core.flow import Flow, No
from gateway.core.limits import Bucket, SessionLimits
from gateway.core.reading import Reading, raw_events, refused
from gateway.core.resume import Page
from protocol.bus.commands import Asked, Origin
from protocol.bus.config import AccountConfig
from protocol.bus.records import Head, Outcome
from protocol.bus.topics import Ephemeral, Hint
from protocol.ids import AccountId, ConversationId, DeviceId, Incarnation, SessionId
from protocol.wire import client
from protocol.wire.codec import BadFrame
from protocol.wire.codes import BY_WIRE, CloseCode, Code
from protocol.wire.server import Accepted, Ack, Pong, Refused, ServerFrame

UNAVAILABLE_MS = 2_000  # about a fail-over's length: ask again no sooner
encode = msgspec.msgpack.Encoder().encode


class Moment(Struct, frozen=True):
    """When something happens, and whether its cell can take more just now (None: it can)."""

    at_ms: int
    trouble: No | None = None


class Identity(Struct, frozen=True):
    """On whose behalf a session speaks, and through which gateway."""

    account: AccountId
    gateway: Incarnation
    session: SessionId
    device: DeviceId

    def origin(self, n: int = 0, frame_id: str = "") -> Origin:
        """Return where the outcome of frame `n` goes; n 0: of something the gateway asks by itself."""
        return Origin(self.gateway, self.session, self.device, n, frame_id or self.session)


class HistoryPage(ServerFrame, frozen=True, tag="history"):
    """protocol.wire.server.HistoryPage with its events as stored."""

    ref: str
    conversation: str
    events: list[msgspec.Raw]
    more: bool


class Session:
    """The half of a session that is the same on both sockets."""

    who: Audience

    def __init__(self, identity: Identity, limits: SessionLimits, most_conversations: int) -> None:
        self.identity = identity
        self.reading = Reading("staff" if self.who == "visitor" else "visitor", most_conversations)
        self.flow = Flow()
        self.attaching = Attaching(identity.account)
        self._frames = Bucket(limits.frames_per_minute, limits.frame_burst)
        self._unreadable = Bucket(limits.unreadable_per_minute, limits.unreadable_per_minute)

    # What differs.

    def receive(self, frame: Any, now: Moment) -> list[Action]:
        """Take one frame of this kind of socket."""
        raise NotImplementedError

    def lost(self) -> list[Action]:
        """The line is gone; others may have to hear it."""
        raise NotImplementedError

    def configured(self, config: AccountConfig | None) -> list[Action]:
        """Take a newer configuration of the account; None: it is no more."""
        raise NotImplementedError

    def may_read(self, conversation: ConversationId, head: Head | None) -> bool:
        """Whether a conversation with this committed head (None: not started) is for this session's eyes."""
        raise NotImplementedError

    def series(self, conversation: str) -> str:
        """Return what `n` counts in for a frame about `conversation`."""
        raise NotImplementedError

    def passed(self, _conversation: ConversationId, _entries: list[Hint]) -> list[Action]:
        """Take note of committed entries on their way to the client."""
        return []

    def arrived(self, _conversation: ConversationId) -> list[Action]:
        """The session may read a conversation that exists, from now on."""
        return []

    # Frames that both may send.

    def unreadable(self, error: BadFrame, at_ms: int) -> list[Action]:
        """Refuse what is no frame, with as much about it as could be read (SPEC 5.2)."""
        if self._unreadable.wait_ms(at_ms):
            return [End(CloseCode.BAD_FRAME, "too many frames that cannot be read")]
        about = error.about
        names = {"id": about.id, "ref": about.ref, "conversation": about.conversation}
        if not about.n:
            return [Say(refused(error.code, error.text, **names))]
        no = self.flow.refuse(self.series(about.conversation), No(error.code, about.n))
        return [Say(refused(no.code, error.text, n=about.n, expected=no.expected, **names))]

    def shared(self, frame: Struct, at_ms: int) -> list[Action]:
        """Answer a frame that means the same on both sockets."""
        match frame:
            case client.Resume(position):
                return self.reading.attach(position)
            case client.Leave(conversation):
                return self.reading.detach(ConversationId(conversation))
            case client.History(ref, conversation, before, limit):
                return [ReadPage(ref, ConversationId(conversation), before, limit)]
            case client.Receipt():
                return self._receipt(frame)
            case client.Ping(ref):
                return [Say(Pong(ref, at_ms))]
            case _:
                return [Say(refused(Code.MALFORMED, "A hello comes once, first."))]

    def _receipt(self, frame: client.Receipt) -> list[Action]:
        conversation = ConversationId(frame.conversation)
        reader = self.reading.open(conversation)
        if reader is None:
            return self.reading.unread(conversation)
        read = min(frame.read, reader.place.seq)
        return [Mark(conversation, self.who, max(read, min(frame.delivered, reader.place.seq)), read)]

    def flooded(self, at_ms: int) -> list[Action]:
        """Return what ends a session that sends more frames than any client needs; nothing if it does not."""
        return [End(CloseCode.RATE_LIMITED, "too many frames")] if self._frames.wait_ms(at_ms) else []

    # What comes from the cell.

    def hinted(self, conversation: ConversationId, hints: list[Hint]) -> list[Action]:
        """Take a conversation's hints as they are published."""
        entries, actions = self.reading.hinted(conversation, hints)
        return [*actions, *self.passed(conversation, entries)]

    def log_read(self, conversation: ConversationId, turn: int, page: Page) -> list[Action]:
        """Take the page that a ReadLog asked for."""
        if page.next_n:  # the page was read before the outcomes that were told since
            next_n = self.flow.next_n(self.series(conversation), page.next_n)
            page = msgspec.structs.replace(page, next_n=next_n)
        came = self.reading.open(conversation) is None and page.head is not None
        entries, actions = self.reading.take(conversation, turn, page, self.may_read)
        came = came and self.reading.open(conversation) is not None
        return [*actions, *self.passed(conversation, entries), *(self.arrived(conversation) if came else [])]

    def history_read(self, asked: ReadPage, head: Head | None, entries: list[Hint], more: bool) -> list[Action]:
        """Take what a ReadPage asked for."""
        if head is None or not self.may_read(asked.conversation, head):
            return [Say(refused(Code.NOT_FOUND, ref=asked.ref, conversation=asked.conversation))]
        events = raw_events(asked.conversation, entries)
        return [Say(HistoryPage(asked.ref, asked.conversation, events, more))]

    def ephemeral(self, conversation: ConversationId, passing: Ephemeral) -> list[Action]:
        """Take what passes by at a conversation; one's own device is not told what it said."""
        mine = passing.audience == self.who and passing.device != self.identity.device
        if not mine or self.reading.open(conversation) is None:
            return []
        return [Forward([passing.frame])]

    def checked(self, conversation: ConversationId, seq: int, epoch: int) -> list[Action]:
        """Take how far a log is, from the slow check."""
        return self.reading.checked(conversation, seq, epoch)

    def outcome(self, outcome: Outcome, command: Asked) -> list[Action]:
        """Take what became of `command`, which this session submitted."""
        conversation: str = getattr(command, "conversation", "")
        self.flow.resolve(self.series(conversation), outcome)
        return [Say(as_frame(outcome, conversation))]

    def accepted(self, command: Asked) -> list[Action]:
        """`command` is durably queued and takes longer than a second (SPEC 5.2)."""
        origin = command.origin
        return [Say(Accepted(origin.n, origin.id, getattr(command, "conversation", "")))] if origin.n else []

    def no(self, frame: client.Numbered, conversation: str, no: No) -> list[Action]:
        """Refuse a numbered frame here; its place is kept until its n comes again."""
        if no.code not in (Code.OUT_OF_ORDER, Code.NOT_FOUND):
            self.flow.refuse(self.series(conversation), no)
        about: dict[str, int | str] = {"n": frame.n, "id": frame.id, "conversation": conversation}
        again = refused(no.code, expected=no.expected, retry_after_ms=no.retry_after_ms, **about)
        return [Say(again)]

    def tell_context(self, conversation: ConversationId) -> Tell:
        """Let whoever shows the conversation's visitor read their record again."""
        return Tell(conversation, "context", b"")

    def tell(self, conversation: ConversationId, audience: str, frame: ServerFrame) -> Tell:
        return Tell(conversation, audience, encode(frame))


def as_frame(outcome: Outcome, conversation: str) -> Ack | Refused:
    """Return an outcome as its asker is told it."""
    about = outcome.conversation or conversation
    if not outcome.code:
        return Ack(outcome.n, outcome.id, about, outcome.seq, outcome.event)
    code = BY_WIRE.get(outcome.code, Code.UNAVAILABLE)
    wait_ms = UNAVAILABLE_MS if code in (Code.UNAVAILABLE, Code.PARKED) else 0
    return refused(
        code,
        outcome.text,
        n=outcome.n,
        id=outcome.id,
        conversation=about,
        expected=outcome.expected,
        retry_after_ms=wait_ms,
        instead=outcome.instead,
        opens_at=outcome.opens_at_ms,
    )
