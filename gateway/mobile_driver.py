"""The driver of a visitor's session: the way in, the token, the record.

Invariant: what it tells the session of the visitor is committed.
"""

import asyncio

from msgspec.structs import replace

from gateway import visitor_door
from gateway.core import actions as act
from gateway.core.actions import Action
from gateway.core.gate import Rows
from gateway.core.mobile import MobileSession
from gateway.doors import Arrival
from gateway.driver import SessionDriver
from gateway.logs import Where
from gateway.ports import Claims, Line, Peer
from gateway.proving import visitor_of
from gateway.reads import AGAIN_S, FAULTS
from gateway.services import Services
from protocol.bus.config import AccountConfig, App
from protocol.bus.decisions import Refusal
from protocol.bus.minting import keys_of
from protocol.bus.records import Profile
from protocol.ids import ConversationId, VisitorId
from protocol.wire import client
from protocol.wire.codec import MOBILE
from protocol.wire.codes import CloseCode, Code
from store.sql.queries import records


class MobileDriver(SessionDriver[MobileSession]):
    """One phone."""

    def __init__(self, services: Services, line: Line, subprotocol: str, peer: Peer) -> None:
        super().__init__(services, line, MOBILE[subprotocol], peer)
        self._config: AccountConfig | None = None
        self._app: App | None = None
        self._claims: Claims | None = None
        self._record_no = 0  # the commit under which the visitor's record was seen last
        self._unstarted: ConversationId | None = None
        self._ledger_turn = asyncio.Lock()

    async def let_in(self, hello: client.Hello) -> None:
        came = await visitor_door.admit(self.services, Arrival(self.session_id, self.peer.origin), hello)
        if self.gone:
            return
        self._config, self._app, self._unstarted = came.case.config, came.case.app, came.unstarted
        self._claims, self._record_no = came.case.proven.claims, came.record_no
        self.services.builds.heard(came.case.config, came.case.hello, self.services.outside.now_ms())

        def first() -> list[Action]:
            until_ms = came.case.proven.token_until_ms
            expiry = came.session.token.holds(until_ms) if until_ms is not None else []
            trial = came.session.trial.holds(came.case.hello.tag, came.case.arrival.until_ms)
            resumed = {position.conversation: position for position in came.positions}.values()
            reading = [action for position in resumed for action in came.session.reading.attach(position)]
            return [act.Say(came.ready), *expiry, *trial, *came.session.begun(came.shown_ms), *reading]

        self.entered(came.session, came.case.config, first)

    def where(self, conversation: ConversationId) -> Where:
        visitor = self.identity
        cold = conversation != self._unstarted
        return Where(self.cell, visitor.account, conversation, "visitor", visitor.device, cold)

    def configured(self, config: AccountConfig) -> None:
        assert self._app is not None, "only who is in hears of changes"
        key = self._app.key
        app = next((each for each in config.apps if each.key == key), None)
        self._config, self._app = config, app or self._app
        self.tell_session(lambda session: session.configured(config if app is not None else None))
        if self._claims is not None and app is not None and self._claims.key not in keys_of(config, app):
            self.line.close(CloseCode.TOKEN_EXPIRED, "the key that signed the token was withdrawn")

    def staffed(self, rows: Rows) -> None:
        self.tell_session(lambda session: session.staffed(rows))

    @property
    def visitor(self) -> VisitorId | None:
        return self.session.visitor.visitor if self.session is not None else None

    def record_at(self, commit_no: int) -> None:
        if commit_no not in (0, self._record_no) and self.visitor is not None:
            self._record_no = commit_no
            self.spawn(self._look_at_record(self.visitor))

    async def _look_at_record(self, visitor: VisitorId) -> None:
        try:
            record = await visitor_door.read_visitor(self.services, self.cell, visitor)
        except FAULTS:
            self._record_no = 0  # the next check looks again
            return
        if record is not None:
            self.tell_session(lambda session: session.record_moved(record))

    async def _read_visitor(self, visitor: VisitorId) -> None:
        record = None
        while record is None and not self.gone:
            try:
                record = await visitor_door.read_visitor(self.services, self.cell, visitor)
                break
            except FAULTS:
                await asyncio.sleep(AGAIN_S)
        self.tell_session(lambda session: session.visitor_read(record))

    async def _read_outcome(self, action: act.ReadOutcome) -> None:
        """Days-late sends too are taken once: the ledger of a conversation that left Redis is in SQL.

        One after the other, or what is said elsewhere instead would be said in another order.
        """
        me = self.identity
        async with self._ledger_turn:
            try:
                recorded = await self.services.outside.record.read(
                    lambda sql: records.outcome(sql, me.account, action.conversation, me.device, action.otherwise.id)
                )
            except FAULTS:
                recorded = replace(action.otherwise, code=Code.UNAVAILABLE.wire, instead="")
            self.tell_session(lambda session: session.outcome_read(action, recorded))

    def _check_token(self, action: act.CheckToken) -> None:
        self.tell_session(lambda session: session.token_checked(*self._verdict(session, action.token)))

    def _verdict(self, session: MobileSession, token: str) -> tuple[int | None, Code | None, Profile | None]:
        """Return until when a token is good and what it vouches for, or why it is not good."""
        config, app, outside = self._config, self._app, self.services.outside
        assert config is not None, "a token is renewed by who is in"
        assert app is not None, "a token is renewed by who is in"
        claims = outside.credentials.verify_token(config, app, token, outside.now_ms() // 1000)
        if isinstance(claims, Refusal):
            return None, claims.code, None
        if visitor_of(config, app, claims) != session.visitor.visitor:
            return None, Code.SUBJECT_CHANGED, None
        self._claims = claims
        return claims.expires_at_s * 1000, None, claims.profile

    def woke(self, at_ms: int) -> None:
        self.tell_session(lambda session: session.woke(at_ms))

    DO = {
        **SessionDriver.DO,
        act.ReadOutcome: lambda self, action: self.spawn(self._read_outcome(action)),
        act.ReadVisitor: lambda self, action: self.spawn(self._read_visitor(action.visitor)),
        act.CheckToken: _check_token,
    }
