"""One session over one line: decodes what comes, does what the session asks, and tells it what came of it.

Invariant: nothing raises into the line or into whoever publishes; a bug ends this one session with a code to come back
by. Once the line is lost nothing is sent, and what the session left behind (channels, presence) is taken away.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from gateway.attachments import Whose, allowed
from gateway.core import actions as act
from gateway.core.actions import Action
from gateway.core.feeds import StoredSnapshot
from gateway.core.gate import Rows
from gateway.core.reading import refused
from gateway.core.session import UNAVAILABLE_MS, HistoryPage, Identity, Moment, Session
from gateway.doors import Turned
from gateway.hearing import Hearing
from gateway.logs import Where
from gateway.ports import Line, Peer
from gateway.presence import random_id
from gateway.reads import AT_ONCE, FAULTS, read_log, read_page
from gateway.services import Services
from gateway.wakes import Wakes
from protocol.bus import topics
from protocol.bus.commands import Asked
from protocol.bus.config import AccountConfig
from protocol.bus.records import Outcome
from protocol.bus.topics import Ephemeral, Hints
from protocol.ids import CellName, ConversationId, SessionId, VisitorId
from protocol.wire import client
from protocol.wire.codec import BadFrame, Codec, msgpack_to_json
from protocol.wire.codes import CloseCode, Code
from protocol.wire.server import Reconnect
from store.redis.connection import Away

S = TypeVar("S", bound=Session)

_to_msgpack = msgspec.msgpack.Encoder().encode


class SessionDriver(Generic[S]):
    """What drivers of visitors and of agents share. `session` is there once admitted."""

    def __init__(self, services: Services, line: Line, codec: Codec[Any], peer: Peer) -> None:
        self.services = services
        self.line = line
        self.session_id = SessionId(random_id("ses_", services.outside.entropy))
        self.peer = peer
        self.session: S | None = None
        self.cell = CellName("")
        self.gone = False
        self._codec = codec
        self._entering = False
        self.hearing = Hearing(services.subscriptions)
        self.turns = asyncio.Semaphore(AT_ONCE)
        self._wakes = Wakes(self.session_id, services.outside.now_ms, self.woke)

    @property
    def admitted(self) -> bool:
        return self.session is not None

    @property
    def conversations(self) -> list[ConversationId]:
        """The conversations whose logs this session reads."""
        return self.session.reading.conversations if self.session is not None else []

    @property
    def visitor(self) -> VisitorId | None:
        """Whose record the session lives by; None: nobody's."""
        return None

    # What the line tells.

    def receive(self, raw: bytes | str) -> None:
        """Take one message."""
        if self.gone:
            return
        try:
            frame = self._codec.decode(raw)
        except BadFrame as error:
            self.step(self._unreadable, error)
            return
        if self.session is not None:
            self.step(self.session.receive, frame, self.moment())
        else:
            self.step(self._begin, frame)

    def reconnect(self, after_ms: int) -> None:
        """Tell the client to come again elsewhere (SPEC 2.8)."""
        self.say(Reconnect(after_ms))

    def lost(self) -> None:
        """The line is gone."""
        if self.gone:
            return
        self.gone = True
        self.services.pending.forget(self.session_id)
        if self.session is not None:
            self.services.roll.leave(self)
            self.step(self.session.lost)
        self.hearing.leave_all()
        self._wakes.forget()

    # What the cell tells.

    def outcome(self, outcome: Outcome, command: Asked) -> None:
        """Take what became of a command of this session."""
        if self.session is not None and not self.gone:
            self.step(self.session.outcome, outcome, command)

    def accepted(self, command: Asked) -> None:
        """A command of this session is stored and takes its time."""
        self.tell_session(lambda session: session.accepted(command))

    def hinted(self, conversation: ConversationId, hints: Hints) -> None:
        """Take hints of a conversation, as staff see it."""
        if self.session is not None and not self.gone:
            self.step(self.session.hinted, conversation, hints.staff)

    def shown(self, conversation: ConversationId, hints: Hints) -> None:
        """Take hints of a conversation, as visitors see it."""
        if self.session is not None and not self.gone:
            seen = hints.staff if hints.visitors is None else hints.visitors
            self.step(self.session.hinted, conversation, seen)

    def passing(self, conversation: ConversationId, passing: Ephemeral) -> None:
        """Take what passes by at a conversation."""
        self.tell_session(lambda session: session.ephemeral(conversation, passing))

    def checked(self, conversation: ConversationId, seq: int, epoch: int) -> None:
        """Take how far a conversation is, from the slow check."""
        self.tell_session(lambda session: session.checked(conversation, seq, epoch))

    def record_at(self, commit_no: int) -> None:
        """Take the number of the commit that wrote the visitor's record last, from the slow check."""

    def look_around(self) -> None:
        """The slow check, after every conversation was checked."""

    def configured(self, config: AccountConfig) -> None:
        """Take a newer configuration of the account."""
        self.tell_session(lambda session: session.configured(config))

    def staffed(self, rows: Rows) -> None:
        """Take who is ready now, rule by rule."""

    # What drivers differ in.

    async def let_in(self, hello: Any) -> None:
        """Let the client in and say `ready`, or raise Turned or a fault."""
        raise NotImplementedError

    def where(self, conversation: ConversationId) -> Where:
        """Return where and as whom this session reads."""
        raise NotImplementedError

    # Beginning.

    def _begin(self, frame: Any) -> list[Action]:
        if self._entering or not isinstance(frame, client.Hello | client.AgentHello):
            return [act.Say(refused(Code.UNAUTHENTICATED)), act.End(CloseCode.UNAUTHENTICATED, "hello comes first")]
        self._entering = True
        self.spawn(self._enter(frame))
        return []

    def _unreadable(self, error: BadFrame) -> list[Action]:
        if self.session is not None:
            return self.session.unreadable(error, self.services.outside.now_ms())
        return [act.Say(refused(error.code, error.text)), act.End(CloseCode.UNAUTHENTICATED, "hello comes first")]

    async def _enter(self, hello: client.Hello | client.AgentHello) -> None:
        try:
            await self.let_in(hello)
        except Turned as turned:
            if turned.refusal is not None:
                self.say(turned.refusal)
            self.line.close(turned.close, turned.args[0])
        except FAULTS:
            self.say(refused(Code.UNAVAILABLE, retry_after_ms=UNAVAILABLE_MS))
            self.line.close(CloseCode.OVERLOADED, "a part of the server is away")

    def entered(self, session: S, config: AccountConfig, first: Callable[[], list[Action]]) -> None:
        """The session begins: `first` says what it does first. Whoever was here with the same device is replaced."""
        self.session, self.cell = session, config.cell
        if self.services.attachments is not None:
            session.attaching.opens = self.services.attachments.opens
        if session.identity.gateway != self.services.lease.incarnation:
            self.line.close(CloseCode.RESTARTED, "the gateway lost its lease")
            return
        self.services.roll.enter(self)
        self.step(first)
        latest = self.services.configs.latest(config)
        if latest is not config:  # it changed while the cell was asked; later changes find us in the roll
            self.configured(latest)

    # Doing.

    def tell_session(self, take: Callable[[S], list[Action]]) -> None:
        """Let the session take something, if it is still there, and do what it asks."""
        session = self.session
        if session is not None and not self.gone:
            self.step(take, session)

    def step(self, take: Callable[..., list[Action]], *args: Any) -> None:
        """Call into the session and do what it asks; a bug ends this session only."""
        try:
            for action in take(*args):
                self.DO[type(action)](self, action)
        except Exception:
            self.services.outside.log.exception("session_broke", session=self.session_id)
            self.line.close(CloseCode.OVERLOADED, "a fault of the server")

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the session, under the same rule."""
        self.services.spawn(self._guarded(work))

    def say(self, frame: object) -> None:
        """Encode and send a frame."""
        if self.gone:
            return
        if isinstance(frame, HistoryPage | StoredSnapshot):  # holds stored msgpack
            self.forward([_to_msgpack(frame)])
        else:
            self.line.send(self._codec.encode(frame))

    def forward(self, frames: Iterable[bytes]) -> None:
        """Send stored msgpack frames."""
        if not self.gone:
            self.line.send(*(map(msgpack_to_json, frames) if self._codec.is_text else frames))

    def moment(self) -> Moment:
        """Return now, as sessions see it."""
        trouble = self.services.load.trouble(self.cell)
        return Moment(self.services.outside.now_ms(), trouble)

    @property
    def identity(self) -> Identity:
        assert self.session is not None, "nothing is done before a session asks for it"
        return self.session.identity

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            self.services.outside.log.exception("session_broke", session=self.session_id)
            self.line.close(CloseCode.OVERLOADED, "a fault of the server")

    def _submit(self, action: act.Submit) -> None:
        assert isinstance(action.command, Asked), "sessions only ask"
        # An incarnation that lapsed may not speak; whoever spoke through it is told to come again.
        if action.command.origin.gateway == self.services.lease.incarnation:
            self.services.pending.ask(self.cell, action.command, None if self.gone else self)

    def _follow(self, action: act.Follow) -> None:
        cell, conversation = self.cell, action.conversation
        hear = self.shown if self.where(conversation).audience == "visitor" else self.hinted
        self.hearing.plan_conversation(
            cell,
            conversation,
            (topics.events(cell, conversation), partial(hear, conversation)),
            (topics.ephemeral(cell, conversation), partial(self.passing, conversation)),
        )

    def _tell(self, action: act.Tell) -> None:
        channel = topics.ephemeral(self.cell, action.conversation)
        payload = _to_msgpack(Ephemeral(action.audience, self.identity.device, action.frame))
        try:
            self.services.cells.line(self.cell).tell("SPUBLISH", channel, payload)
        except Away:
            return  # ephemeral: may be lost

    def _allow(self, action: act.AllowUpload | act.AllowDownload) -> None:
        whose = Whose(self.cell, self.identity.account, self.identity.device)
        self.say(allowed(self.services.attachments, whose, action))

    def woke(self, at_ms: int) -> None:
        """A time came that the session asked for."""

    # How each action is done.
    DO: ClassVar[dict[type[Action], Callable[[Any, Any], None]]] = {
        act.Say: lambda self, action: self.say(action.frame),
        act.Forward: lambda self, action: self.forward(action.frames),
        act.Submit: _submit,
        act.Follow: _follow,
        act.Unfollow: lambda self, action: self.hearing.leave(action.conversation),
        act.ReadLog: lambda self, action: self.spawn(read_log(self, action)),
        act.ReadPage: lambda self, action: self.spawn(read_page(self, action)),
        act.AllowUpload: _allow,
        act.AllowDownload: _allow,
        act.Tell: _tell,
        act.Mark: lambda self, action: self.services.receipts.mark(self.cell, self.identity.device, action),
        act.Wake: lambda self, action: self._wakes.ask(action),
        act.End: lambda self, action: self.line.close(action.code, action.reason),
    }
