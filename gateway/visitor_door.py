"""A visitor's way in: app, proof, the cell's word, and `ready` from what is committed (SPEC 3.1–3.4).

Invariant: `ready` shows the record as committed after this very hello; a secret is handed out only once its hash is.
"""

import base64

import msgspec
from msgspec import Struct

from gateway.core.mobile import MobileSession, Visitor
from gateway.core.views import Standing, address, chatflow_view, conversation_views, own_conversations
from gateway.doors import OUTCOME_TIMEOUT_S, Arrival, Turned, check_cell, check_version
from gateway.ports import Claims
from gateway.presence import random_id
from gateway.services import Services
from gateway.standings import read_standings
from protocol.bus.commands import Admit, Origin
from protocol.bus.config import AccountConfig, App, Chatflow, serve
from protocol.bus.decisions import Refusal
from protocol.bus.records import VisitorRecord
from protocol.ids import (
    AppKey,
    CellName,
    ChatflowId,
    ConversationId,
    DeviceId,
    VisitorId,
    device_id,
    identified_visitor_id,
    secret_hash,
)
from protocol.wire import client
from protocol.wire.codes import BY_WIRE, CloseCode, Code
from protocol.wire.limits import HEARTBEAT_S, PROTOCOL_VERSION
from protocol.wire.server import Ready
from store.redis.connection import Away
from store.redis.keys import Keys
from store.sql.queries import records

_RECORD = msgspec.msgpack.Decoder(VisitorRecord)


class Proven(Struct, frozen=True):
    """Whom a credential names. `fresh`: the secret to hand out, "" for identified visitors; `claims`: theirs."""

    visitor: VisitorId
    device: DeviceId
    presented: list[bytes]
    fresh: str
    is_new: bool
    claims: Claims | None = None

    @property
    def token_until_ms(self) -> int | None:
        return self.claims.expires_at_s * 1000 if self.claims is not None else None


class Case(Struct, frozen=True):
    """One hello, and what is known before the cell is asked."""

    arrival: Arrival
    hello: client.Hello
    config: AccountConfig
    app: App
    flow: Chatflow | None
    proven: Proven


class Committed(Struct, frozen=True):
    """What Redis says once the cell has answered a hello. `record_no`: the commit that wrote the record."""

    record: VisitorRecord
    record_no: int
    epoch: int
    own: dict[ConversationId, ChatflowId]
    standings: dict[ConversationId, Standing]


class LetIn(Struct, frozen=True):
    """A visitor who is in: the session, what to say first, and where to resume.

    `record_no`: the commit that wrote the record they came in with. `unstarted`: no log exists yet.
    """

    session: MobileSession
    case: Case
    record_no: int
    ready: Ready
    positions: list[client.Position]
    unstarted: ConversationId | None


async def admit(services: Services, arrival: Arrival, hello: client.Hello) -> LetIn:
    """Let a visitor in, or raise Turned; Away, Refused or StoreAway if a part of the server is."""
    check_version(hello)
    config = await services.configs.of_app(AppKey(hello.app_key))
    app = next((each for each in config.apps if each.key == hello.app_key), None) if config else None
    if config is None or app is None:
        raise Turned(Code.APP_UNKNOWN)
    check_cell(config.cell, services.load, services.lease)
    try:
        case = judge(services, arrival, hello, config, app)
    except Turned:
        if await services.configs.newest(config) is config:
            raise
        return await admit(services, arrival, hello)  # a key or an Origin may have been registered since
    known = None if case.proven.is_new else await read_visitor(services, config.cell, case.proven.visitor)
    await _ask_cell(services, case, is_cold=known is None and not case.proven.is_new)
    return await _welcome(services, case, known)


def judge(services: Services, arrival: Arrival, hello: client.Hello, config: AccountConfig, app: App) -> Case:
    """Return what is known of somebody who may ask the cell, or raise Turned."""
    if arrival.origin is not None and arrival.origin not in app.origins:
        raise Turned(CloseCode.ORIGIN_REFUSED)
    return Case(arrival, hello, config, app, serve(config, hello.tag), prove(services, config, app, hello))


def prove(services: Services, config: AccountConfig, app: App, hello: client.Hello) -> Proven:
    """Return whom the credential names, or raise Turned. Tokens are judged here, secrets by the decider."""
    outside, credential = services.outside, hello.credential
    if isinstance(credential, client.Identified):
        claims = outside.credentials.verify_token(config, app, credential.token, outside.now_ms() // 1000)
        if isinstance(claims, Refusal):
            raise Turned(claims.code)
        visitor = visitor_of(config, app, claims)
        device = device_id(config.id_key, visitor, credential.device_key)
        return Proven(visitor, device, [], "", is_new=False, claims=claims)
    is_new = credential.visitor is None
    if not is_new and not credential.secrets:
        raise Turned(Code.VISITOR_UNKNOWN)
    visitor = VisitorId(credential.visitor or random_id("vis_", outside.entropy))
    device = device_id(config.id_key, visitor, credential.device_key)
    presented = [] if is_new else [secret_hash(secret) for secret in credential.secrets]
    fresh = base64.urlsafe_b64encode(outside.entropy(32)).decode().rstrip("=")
    return Proven(visitor, device, presented, fresh, is_new)


def visitor_of(config: AccountConfig, app: App, claims: Claims) -> VisitorId:
    """Return the visitor whom a valid token names."""
    return identified_visitor_id(config.id_key, app.key, claims.subject)


async def read_visitor(services: Services, cell: CellName, visitor: VisitorId) -> VisitorRecord | None:
    """Return the committed record that Redis holds, or None."""
    found = await services.cells.line(cell).call("HGET", Keys(cell).visitor(visitor), "s")
    return _RECORD.decode(found) if found is not None else None


async def _ask_cell(services: Services, case: Case, *, is_cold: bool) -> None:
    """Let the decider judge the secret and note the device; returns once that is committed."""
    config, proven, device = case.config, case.proven, case.hello.device
    record = None
    if is_cold:
        # The engine never waits for SQL: what Redis no longer holds comes with the command (design: cold state).
        record = await services.outside.record.read(lambda sql: records.visitor(sql, config.account, proven.visitor))
    admit_me = Admit(
        account=config.account,
        origin=Origin(services.lease.incarnation, case.arrival.session, proven.device, 0, "admit"),
        visitor=proven.visitor,
        app=case.app.key,
        device=proven.device,
        presented=proven.presented,
        fresh=secret_hash(proven.fresh) if proven.fresh else b"",
        identified=not proven.fresh,
        platform=device.platform,
        app_version=device.app_version,
        locale=device.locale,
        record=record,
        known=not is_cold and not proven.is_new,
    )
    outcome = await services.pending.answer(config.cell, admit_me, OUTCOME_TIMEOUT_S)
    if outcome.code:
        raise Turned(BY_WIRE.get(outcome.code, Code.UNAVAILABLE))


async def _welcome(services: Services, case: Case, known: VisitorRecord | None) -> LetIn:
    """Read the committed record and its conversations in one round trip, and make `ready` of them."""
    config, flow, now_ms = case.config, case.flow, services.outside.now_ms()
    likely = own_conversations(config, flow, known or _blank(case), now_ms)
    line, cell, device = services.cells.line(config.cell), config.cell, case.proven.device
    sent = line.send("HMGET", Keys(cell).visitor(case.proven.visitor), "s", "c")
    epoch = line.send("HGET", Keys(cell).cell, "epoch")
    standings = await read_standings(line, cell, device, list(likely))
    found, record_no = await sent
    if found is None:
        raise Away("the visitor's record left between two reads")
    record = _RECORD.decode(found)
    own = own_conversations(config, flow, record, now_ms)
    standings |= await read_standings(line, cell, device, [each for each in own if each not in standings])
    return _let_in(services, case, Committed(record, int(record_no), int(await epoch or 0), own, standings))


def _let_in(services: Services, case: Case, committed: Committed) -> LetIn:
    proven, flow, hello, now_ms = case.proven, case.flow, case.hello, services.outside.now_ms()
    record, own, standings = committed.record, committed.own, committed.standings
    addressed = address(case.config, flow, record, now_ms) if flow is not None else None
    visitor = Visitor(
        case.config.account,
        services.lease.incarnation,
        case.arrival.session,
        proven.device,
        proven.visitor,
        hello.device.locale,
        flow.id if flow is not None else None,
        own,
    )
    ready = Ready(
        v=PROTOCOL_VERSION,
        session=case.arrival.session,
        visitor=proven.visitor,
        device=proven.device,
        epoch=committed.epoch,
        at=now_ms,
        heartbeat_s=HEARTBEAT_S,
        limits=services.limits.stated(to_agent=False),
        chatflow=chatflow_view(flow, hello.device.locale, record) if flow is not None else None,
        conversations=conversation_views(list(own), standings),
        conversation=addressed,
        reason="" if flow is not None else Code.NO_CHATFLOW.wire,
        secret=proven.fresh or None,
        token_expires_at=proven.token_until_ms,
    )
    session = MobileSession(visitor, case.config, record, services.limits, services.messages.of(proven.device))
    for view in ready.conversations:
        session.flow.saw(view.id, view.next_n)
    positions = list(hello.positions)
    if addressed is not None and all(each.conversation != addressed for each in positions):
        positions.append(client.Position(addressed, 0, ""))
    unstarted = addressed if addressed is not None and standings[addressed].head is None else None
    return LetIn(session, case, committed.record_no, ready, positions, unstarted)


def _blank(case: Case) -> VisitorRecord:
    names = (case.proven.visitor, case.config.account, case.app.key, not case.proven.fresh)
    return VisitorRecord(*names, 0, 0, {}, {}, {})
