"""A visitor's way in: app, proof, the cell's word, and `ready` from what is committed (SPEC 3.1–3.4).

Invariant: `ready` shows the record as committed after this very hello; a secret is handed out only once its hash is.
What a token vouches for goes to the cell only through the visitor's gate.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.beginnings import began_conversations, believed, read_begun, to_take_over
from gateway.core.gate import Gate
from gateway.core.mobile import MobileSession
from gateway.core.saying import Visitor
from gateway.core.serving import Told
from gateway.core.showing import short
from gateway.core.storefront import Phone, Shown, Storefront
from gateway.core.views import Standing, address, conversation_views, next_conversations, own_conversations
from gateway.doors import OUTCOME_TIMEOUT_S, Arrival, Turned, check_cell, check_version
from gateway.previewing import previewed
from gateway.proving import Proven, prove
from gateway.services import Services
from gateway.standings import read_standings
from protocol.bus.commands import Admit, Begun, Origin
from protocol.bus.config import AccountConfig, App
from protocol.bus.records import VisitorRecord
from protocol.ids import AppKey, CellName, ChatflowId, ConversationId, VisitorId, secret_hash
from protocol.wire import client
from protocol.wire.codes import BY_WIRE, CloseCode, Code
from protocol.wire.limits import HEARTBEAT_S, PROTOCOL_VERSION
from protocol.wire.server import ChatflowView, Ready
from store.redis.connection import Away
from store.redis.keys import Keys
from store.sql.queries import records

ANSWER_S = 5.0
_RECORD = msgspec.msgpack.Decoder(VisitorRecord)
# Whether Redis has the visitor's record, what SQL has if it has not, and what was begun on the phone.
_Stored = tuple[bool, VisitorRecord | None, Begun | None]


class Case(Struct, frozen=True):
    """One hello, and what is known before the cell is asked."""

    arrival: Arrival
    hello: client.Hello
    config: AccountConfig
    app: App
    proven: Proven

    @property
    def phone(self) -> Phone:
        """The phone as it described itself."""
        said, proven = self.hello.device, self.proven
        about = (said.platform, said.app_version, said.locale, proven.claims is not None, proven.device)
        return Phone(self.hello.tag, *about, self.arrival.session)

    @property
    def blank(self) -> VisitorRecord:
        """A record of which nothing is known yet."""
        names = (self.proven.visitor, self.config.account, self.app.key, not self.proven.fresh)
        return VisitorRecord(*names, 0, 0, {}, {}, {})


class Committed(Struct, frozen=True):
    """What Redis says once the cell has answered a hello. `record_no`: the commit that wrote the record."""

    record: VisitorRecord
    record_no: int
    epoch: int
    own: dict[ConversationId, ChatflowId]
    standings: dict[ConversationId, Standing]


class LetIn(Struct, frozen=True):
    """A visitor who is in: the session, what to say first, and where to resume.

    `shown_ms`: when what `ready` tells stood. `record_no`: the commit that wrote the record they came in with.
    `unstarted`: no log exists yet.
    """

    session: MobileSession
    case: Case
    record_no: int
    shown_ms: int
    ready: Ready
    positions: list[client.Position]
    unstarted: ConversationId | None


async def admit(services: Services, arrival: Arrival, hello: client.Hello) -> LetIn:
    """Let a visitor in, or raise Turned; Away, Refused or StoreAway if a part of the server is."""
    check_version(hello)
    if hello.preview:
        hello, until_ms = await previewed(services, hello)
        arrival = replace(arrival, until_ms=until_ms)
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
    async with services.turns[config.cell]:
        check_cell(config.cell, services.load, services.lease)  # the wait may have been long
        return await _admit(services, case)


async def _admit(services: Services, case: Case) -> LetIn:
    config = case.config
    rows = await services.rows.known(config.cell, config.account)
    known = None if case.proven.is_new else await read_visitor(services, config.cell, case.proven.visitor)
    cold = await _cold(services, case) if known is None else None
    own, began_as = known or cold, to_take_over(case.proven, known or cold)
    earlier = await read_visitor(services, config.cell, began_as) if began_as is not None else None
    begun = await read_begun(services, config.account, case.proven, earlier) if began_as is not None else None
    if begun is not None:
        own = believed(case.proven, own or case.blank, earlier or begun.record, services.outside.now_ms())
    front = Storefront(case.phone, Gate(config, own, rows))
    asked = await _ask_cell(services, case, front, (known is not None, cold, begun))
    return await _welcome(services, case, front, asked)


def judge(services: Services, arrival: Arrival, hello: client.Hello, config: AccountConfig, app: App) -> Case:
    """Return what is known of somebody who may ask the cell, or raise Turned."""
    if arrival.origin is not None and arrival.origin not in app.origins and not hello.preview:
        raise Turned(CloseCode.ORIGIN_REFUSED)
    return Case(arrival, hello, config, app, prove(services, config, app, hello))


async def read_visitor(services: Services, cell: CellName, visitor: VisitorId) -> VisitorRecord | None:
    """Return the committed record that Redis holds, or None."""
    found = await services.cells.line(cell).call("HGET", Keys(cell).visitor(visitor), "s")
    return _RECORD.decode(found) if found is not None else None


async def read_visitors(
    services: Services, cell: CellName, visitors: Sequence[VisitorId]
) -> list[VisitorRecord | None]:
    """Return the committed records that Redis holds, asked for at once; None for whom it does not."""
    line, keys = services.cells.line(cell), Keys(cell)
    found = await line.within_all([line.send("HGET", keys.visitor(each), "s") for each in visitors], ANSWER_S)
    return [_RECORD.decode(each) if each is not None else None for each in found]


async def _cold(services: Services, case: Case) -> VisitorRecord | None:
    """Return what SQL has. The engine never waits for it: what Redis no longer holds comes with the command."""
    account, proven = case.config.account, case.proven
    if proven.is_new:
        return None
    return await services.outside.record.read(lambda sql: records.visitor(sql, account, proven.visitor))


async def _ask_cell(services: Services, case: Case, front: Storefront, stored: _Stored) -> Admit:
    """Let the decider judge the secret and note the device; return what was asked, once that is committed."""
    is_known, cold, begun = stored
    config, proven, phone, now_ms = case.config, case.proven, front.phone, services.outside.now_ms()
    flow = front.served(front.gate.record or case.blank, now_ms)
    chatflow, version = (flow.id, flow.version) if flow is not None else (None, 0)
    vouches = front.gate.may_process(chatflow, now_ms)
    admit_me = Admit(
        account=config.account,
        origin=Origin(services.lease.incarnation, phone.session, proven.device, 0, "admit"),
        visitor=proven.visitor,
        app=case.app.key,
        device=proven.device,
        presented=proven.presented,
        fresh=secret_hash(proven.fresh) if proven.fresh else b"",
        identified=not proven.fresh,
        platform=phone.platform,
        app_version=phone.app_version,
        locale=phone.locale,
        record=cold,
        known=is_known,
        profile=proven.claims.profile if vouches and proven.claims is not None else None,
        chatflow=chatflow,
        version=version,
        begun=begun,
    )
    outcome = await services.pending.answer(config.cell, admit_me, OUTCOME_TIMEOUT_S)
    if outcome.code:
        raise Turned(BY_WIRE.get(outcome.code, Code.UNAVAILABLE))
    return admit_me


async def _welcome(services: Services, case: Case, front: Storefront, asked: Admit) -> LetIn:
    """Read the committed record and its conversations in one round trip, and make `ready` of them."""
    config, now_ms = case.config, services.outside.now_ms()
    believed = front.gate.record or case.blank
    likely = own_conversations(config, front.served(believed, now_ms), believed, now_ms)
    line, cell, device = services.cells.line(config.cell), config.cell, case.proven.device
    sent = line.send("HMGET", Keys(cell).visitor(case.proven.visitor), "s", "c")
    epoch = line.send("HGET", Keys(cell).cell, "epoch")
    standings = await read_standings(line, cell, device, list(likely))
    found, record_no = await sent
    if found is None:
        raise Away("the visitor's record left between two reads")
    record = _RECORD.decode(found)
    flow = front.served(record, now_ms)
    own = own_conversations(config, flow, record, now_ms)
    standings |= await read_standings(line, cell, device, [each for each in own if each not in standings])
    committed = Committed(record, int(record_no), int(await epoch or 0), own, standings)
    front.gate.record = record
    front.gate.spoken = {each for each, standing in standings.items() if standing.is_spoken}
    head = standings[address(config, flow, record, now_ms)].head if flow is not None else None
    front.agent = head.agent if head is not None else None  # who is on top, if the heading is whoever has it
    session = _session(services, case, Told(front, front.show(record, now_ms)), committed, asked)
    return _let_in(services, case, session, committed, now_ms)


def _session(services: Services, case: Case, told: Told, committed: Committed, asked: Admit) -> MobileSession:
    proven, claims = case.proven, case.proven.claims
    visitor = Visitor(
        case.config.account,
        services.lease.incarnation,
        case.arrival.session,
        proven.device,
        proven.visitor,
        told.front.phone,
        {
            **next_conversations(case.config, committed.record),
            **began_conversations(case.config, committed.record, proven.device, told.chatflow),
            **committed.own,
        },
        case.app.environment,
        replace(asked, record=None, known=True, begun=None, presented=[]) if claims is not None else None,
        claims.profile if claims is not None else None,
    )
    return MobileSession(visitor, told, services.limits, services.messages.of(proven.device))


def _let_in(services: Services, case: Case, session: MobileSession, committed: Committed, shown_ms: int) -> LetIn:
    proven, shown, hello = case.proven, session.told.shown, case.hello
    ready = Ready(
        v=PROTOCOL_VERSION,
        session=case.arrival.session,
        visitor=proven.visitor,
        device=proven.device,
        epoch=committed.epoch,
        at=services.outside.now_ms(),
        heartbeat_s=HEARTBEAT_S,
        limits=services.limits.stated(to_agent=False),
        chatflow=_view(shown, hello.view),
        conversations=conversation_views(committed.own, committed.standings),
        conversation=shown.conversation,
        steps=shown.steps,
        availability=shown.availability,
        reason=shown.reason,
        secret=proven.fresh or None,
        token_expires_at=proven.token_until_ms,
    )
    for view in ready.conversations:
        session.flow.saw(view.id, view.next_n)
    positions, addressed = list(hello.positions), shown.conversation
    if addressed is not None and all(each.conversation != addressed for each in positions):
        positions.append(client.Position(addressed, 0, ""))
    unstarted = addressed if addressed is not None and committed.standings[addressed].head is None else None
    return LetIn(session, case, committed.record_no, shown_ms, ready, positions, unstarted)


def _view(shown: Shown, held: str) -> ChatflowView | None:
    """Return the view, or as much of it as a phone lacks that holds the one named `held`."""
    return short(shown.view) if shown.view is not None and shown.view.etag == held else shown.view
