"""What administrators do for one person: export, erasure, subscriptions, a consent taken back.

Invariant: what takes long is asked for here and done by workers; an erasure says how far it is and outlives the person.
"""

import io
from functools import partial
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from admin.http.operations import Call, Operation
from admin.http.paging import PAGING, following, key_of, limit_of
from admin.http.problems import NOT_FOUND, TOO_LARGE, UNAVAILABLE, Problem
from admin.http.replies import Reply
from admin.office import Office
from admin.once import once
from admin.people import erasing, withdrawing
from admin.people.cards import Card
from admin.people.desk import contact_of, note, shown, stores_of
from admin.people.export import MAX_BYTES, TooMuch, write_person
from protocol.ids import ContactId, ErasureId, VisitorId
from store.files.bucket import Bucket, BucketAway
from store.sql.queries import audit_log, consents, erasures, jobs, whom
from store.sql.queries.audit_log import Deed
from store.sql.queries.erasures import Erasure

Purpose = Literal["storage", "process", "communicate", "analytics"]


class ErasureView(Struct, frozen=True):
    """An erasure; `done_at_ms` null: under way. It says nothing of a person but ids, counts and times."""

    id: ErasureId
    why: Literal["asked", "retention"]
    contact: ContactId | None
    visitor: VisitorId | None
    asked_at_ms: int
    done_at_ms: int | None
    visitors: int
    conversations: int
    entries: int
    consents: int
    comments: int
    attachments: int


class ErasureList(Struct, omit_defaults=True):
    items: list[ErasureView]
    next: str | UnsetType = UNSET


class WithdrawalAsked(Struct, forbid_unknown_fields=True):
    """The purpose for which nothing is consented to any more; `communicate` is all subscriptions that were ticked."""

    purpose: Purpose


class Withdrawn(Struct, frozen=True):
    """Whose consents are being taken back."""

    visitors: list[VisitorId]


class Subscribing(Struct, forbid_unknown_fields=True):
    wants: bool


class SubscriptionChange(Struct, frozen=True):
    """One answer; `source`: the visitor, an administrator, or a merge."""

    subscription: str
    at_ms: int
    wants: bool
    verified: bool
    source: Literal["visitor", "admin", "merge"]


class SubscriptionHistory(Struct, frozen=True):
    items: list[SubscriptionChange]


def operations(office: Office, bucket: Bucket | None) -> list[Operation]:
    """Return what can be asked for one person, whose files are in `bucket`."""
    desk = _Desk(office, bucket)
    person = "/contacts/{contact}"
    return [
        Operation("GET", f"{person}/export", "export_contact", "All that is kept of a contact, as a zip", desk.export,
                  "contacts.erase", answer={"type": "string", "format": "binary"}, media="application/zip",
                  problems=(404, 413), tag="contacts"),
        Operation("POST", f"{person}/erasure", "erase_contact", "Have a contact erased, for good",
                  partial(_erase, office), "contacts.erase", answer=ErasureView, status=202, problems=(404,),
                  tag="contacts", once=True),
        Operation("GET", "/erasures", "list_erasures", "List erasures, newest first", desk.listed, "contacts.erase",
                  answer=ErasureList, parameters=PAGING, tag="contacts"),
        Operation("GET", "/erasures/{erasure}", "get_erasure", "Say how far an erasure is", desk.erasure,
                  "contacts.erase", answer=ErasureView, problems=(404,), tag="contacts"),
        Operation("POST", f"{person}/withdrawals", "withdraw_consent", "Take a contact's consent back",
                  partial(_withdraw, office), "contacts.edit", WithdrawalAsked, Withdrawn, 202, problems=(404,),
                  tag="consents", once=True),
        Operation("GET", f"{person}/subscriptions", "list_subscription_changes", "Every answer about subscriptions",
                  desk.history, "contacts.read", answer=SubscriptionHistory, problems=(404,), tag="contacts"),
        Operation("PUT", f"{person}/subscriptions/{{subscription}}", "set_subscription", "Write what a contact wants",
                  desk.subscribe, "contacts.edit", Subscribing, Card, problems=(404,), tag="contacts"),
    ]  # fmt: skip


class _Desk:
    def __init__(self, office: Office, bucket: Bucket | None) -> None:
        self._office, self._bucket = office, bucket

    async def export(self, call: Call) -> Reply:
        found, file = await contact_of(self._office, call), io.BytesIO()
        config = await self._office.present(call.caller.account)
        try:
            await write_person(stores_of(self._office), self._bucket, config, found.id, file, MAX_BYTES)
        except BucketAway:
            raise Problem(UNAVAILABLE, "the person's files cannot be reached just now; try again") from None
        except TooMuch:
            raise Problem(TOO_LARGE, "it is too long for one answer: `samtale contact export` writes a file") from None
        await note(self._office, call, "contact.exported", f"contacts/{found.id}")
        named = {"Content-Disposition": f'attachment; filename="{found.id}.zip"'}
        return Reply(file.getvalue(), headers=named)

    async def listed(self, call: Call) -> Reply:
        limit, after = limit_of(call), key_of(call, (int, str))
        before = (int(after[0] or 0), str(after[1])) if after else None
        newest = partial(erasures.newest, account=call.caller.account, limit=limit + 1, before=before)
        found = await self._office.config.read(newest)
        items = [_view(each) for each in found[:limit]]
        return Reply(ErasureList(items, following(found, limit, lambda last: [last.asked_at_ms, last.id])))

    async def erasure(self, call: Call) -> Reply:
        found = await self._office.config.read(partial(erasures.of_id, erasure=ErasureId(call.path["erasure"])))
        if found is None or found.account != call.caller.account:
            raise Problem(NOT_FOUND, "there is no such erasure")
        return Reply(_view(found))

    async def history(self, call: Call) -> Reply:
        found = await contact_of(self._office, call)
        lines = await self._office.record.read(partial(consents.history, account=call.caller.account, contact=found.id))
        return Reply(SubscriptionHistory([SubscriptionChange(**line) for line in lines]))

    async def subscribe(self, call: Call) -> Reply:
        found, named = await contact_of(self._office, call), call.path["subscription"]
        config = await self._office.present(call.caller.account)
        if named not in [each.id for each in config.subscriptions]:
            raise Problem(NOT_FOUND, "there is no such subscription")
        told = partial(consents.subscribe, account=config.account, contact=found.id, subscription=named)
        await self._office.record.transact(partial(told, wants=call.body.wants, at_ms=self._office.now_ms()))
        changed = f"subscriptions/{named}: {'yes' if call.body.wants else 'no'}"
        await note(self._office, call, "contact.subscribed", f"contacts/{found.id}", changed)
        return Reply(await shown(self._office, call, found.id))


async def _erase(office: Office, call: Call) -> Reply:
    try:
        found = await contact_of(office, call)
    except Problem:  # whoever has been erased meanwhile is not there when it is asked again
        if (before := await office.answered(call)) is None:
            raise
        return before
    config, now_ms = await office.present(call.caller.account), office.now_ms()
    asked = erasing.erasure_of(config, office.entropy, now_ms, contact=found.id)
    target, named = f"contacts/{found.id}", f"erasures/{asked.id}"
    deed = Deed(now_ms, call.caller.actor, "contact.erased", target, (named,))
    reply = Reply(_view(asked), 202, headers={"Location": f"/api/v1/{named}"})

    def ask(sql: Any) -> Reply:
        erasures.ask(sql, asked)
        audit_log.add(sql, config.account, deed)
        return reply

    return await once(office, call, ask)


async def _withdraw(office: Office, call: Call) -> Reply:
    found, purpose = await contact_of(office, call), call.body.purpose
    config, now_ms = await office.present(call.caller.account), office.now_ms()
    whose = await office.record.read(partial(whom.known_as, account=config.account, contact=found.id))
    job = withdrawing.withdrawal(config, whose, purpose, office.entropy)
    deed = Deed(now_ms, call.caller.actor, "consent.withdrawn", f"contacts/{found.id}", (purpose,))

    def ask(sql: Any) -> Reply:
        if whose:
            jobs.add(sql, "config", job, now_ms)
        audit_log.add(sql, config.account, deed)
        return Reply(Withdrawn(whose), 202)

    return await once(office, call, ask)


def _view(erasure: Erasure) -> ErasureView:
    names = {name: getattr(erasure, name) for name in ("id", "why", "contact", "visitor", "asked_at_ms", "done_at_ms")}
    counts = {name: getattr(erasure.counts, name) for name in erasure.counts.__slots__}
    return ErasureView(**names, **counts)
