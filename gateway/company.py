"""The company begins: a message to an identified visitor, from the company's own server (SPEC 3.8).

Invariant: the account and the app come from the server key alone; what was asked is put into the cell once, never
again, since nothing counts it.
"""

import hashlib
import unicodedata
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from gateway.core.views import address
from gateway.doors import OUTCOME_TIMEOUT_S
from gateway.presence import random_id
from gateway.services import Services
from gateway.visitor_door import read_visitor
from protocol.bus import targeting
from protocol.bus.chatflow import Chatflow
from protocol.bus.commands import CompanySends, Origin
from protocol.bus.config import AccountConfig, App
from protocol.bus.records import Outcome, VisitorRecord
from protocol.ids import AccountId, CellName, DeviceId, SessionId, VisitorId, identified_visitor_id
from protocol.wire.client import Id
from protocol.wire.codes import Code
from store.redis.keys import SERVERS
from store.sql.queries import records

_DEVICE, _FRAME = DeviceId("the company"), "the message"  # it has neither a phone nor numbers
_NO_CHATFLOW = Outcome(SessionId(""), _DEVICE, 0, _FRAME, Code.NO_CHATFLOW.wire)


class Opening(Struct, frozen=True):
    """What is said, to whom, and under which chatflow: of a `tag`, or the `chatflow` of that id."""

    subject: Annotated[str, Meta(min_length=1, max_length=128)]
    text: Annotated[str, Meta(min_length=1, max_length=10_000)]
    tag: Annotated[str, Meta(max_length=64)] = ""
    chatflow: Id | None = None
    name: Annotated[str, Meta(max_length=100)] = ""
    locale: Annotated[str, Meta(max_length=35)] = ""


class Company(Struct, frozen=True):
    """Whose server asks."""

    config: AccountConfig
    app: App


async def company_of(services: Services, server_key: str) -> Company | None:
    """Return whose server key this is, or None. Raises Away."""
    hashed = hashlib.sha256(server_key.encode()).hexdigest()
    named = await services.cells.call(None, "HGET", SERVERS, hashed)
    if named is None:
        return None
    cell, _, account = named.decode().partition(" ")
    config = await services.configs.of_account(CellName(cell), AccountId(account))
    if _app(config, hashed) is None:
        config = await services.configs.newest(config)
    app = _app(config, hashed)
    return Company(config, app) if app is not None else None


def _app(config: AccountConfig, hashed: str) -> App | None:
    return next((app for app in config.apps if hashed in app.server_keys), None)


def flow_for(company: Company, opening: Opening, record: VisitorRecord, at_ms: int) -> Chatflow | None:
    """Return the enabled chatflow that is meant: the one named, or what the tag serves to the visitor's last phone."""
    if opening.chatflow is None:
        return targeting.serve(company.config, opening.tag, _last_phone(record, opening, at_ms)).flow
    return next((flow for flow in company.config.chatflows if flow.id == opening.chatflow and flow.enabled), None)


def _last_phone(record: VisitorRecord, opening: Opening, at_ms: int) -> targeting.Device:
    """Return what is known of the phone that was seen last; of who was never here, the locale asked for."""
    said = record.context.properties
    seen = max(record.devices.items(), key=lambda device: device[1].seen_at_ms, default=None)
    if seen is None:
        return targeting.Device("", "", opening.locale, record.id, at_ms, True, said)
    id_, phone = seen
    return targeting.Device(phone.platform, phone.app_version, phone.locale, id_, at_ms, True, said)


async def begin(services: Services, company: Company, opening: Opening) -> tuple[VisitorId, Outcome]:
    """Say it; return to whom, and what became of it. Raises Away, Refused or StoreAway."""
    config, app, at_ms = company.config, company.app, services.outside.now_ms()
    visitor = identified_visitor_id(config.id_key, app.key, opening.subject)
    known = await read_visitor(services, config.cell, visitor)
    sql = services.outside.record
    cold = known or await sql.read(lambda rows: records.visitor(rows, config.account, visitor))
    record = cold or VisitorRecord(visitor, config.account, app.key, True, 0, 0, {}, {}, {})
    flow = flow_for(company, opening, record, at_ms)
    if flow is None:
        return visitor, _NO_CHATFLOW
    session = SessionId(random_id("ses_", services.outside.entropy))
    sends = CompanySends(
        account=config.account,
        origin=Origin(services.lease.incarnation, session, _DEVICE, 0, _FRAME),
        conversation=address(config, flow, record, at_ms),
        visitor=visitor,
        chatflow=flow.id,
        text=unicodedata.normalize("NFC", opening.text),
        name=opening.name or config.name,
        locale=opening.locale or flow.language,
        app=app.key,
        record=cold if known is None else None,
        environment=app.environment,
        known=known is not None,
        version=flow.version,
    )
    outcome = await services.pending.answer(config.cell, sends, OUTCOME_TIMEOUT_S)
    if outcome.code == Code.CONTINUED.wire and outcome.instead:  # another conversation was begun meanwhile
        again = replace(sends, conversation=outcome.instead)
        outcome = await services.pending.answer(config.cell, again, OUTCOME_TIMEOUT_S)
    return visitor, outcome
