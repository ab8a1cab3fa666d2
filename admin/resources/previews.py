"""Previews: a chatflow as phones would show it, before anybody else sees it.

Invariant: a token is shown once, ends after an hour or when it is taken back, and of it only the hash is kept; what it
lets anybody do reaches nothing of the account (admin.previewing).
"""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from admin.access.secrets import PREVIEW_PREFIX, hash_of, new_secret
from admin.http.operations import Call, Operation, Parameter
from admin.http.paging import PAGING, page_schema, paged, sorting
from admin.http.problems import CONFLICT, NOT_FOUND, Problem
from admin.http.replies import Reply
from admin.keeping import again, kept_of
from admin.office import Office
from admin.previewing import hidden_account, tried_out
from admin.workspace.document import Document
from admin.workspace.readers import Schema
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId, ChatflowId, preview_of
from store.sql.database import StoreAway
from store.sql.queries import changes, previews
from store.sql.queries.answers import AnsweredBefore
from store.sql.queries.audit_log import Deed
from store.sql.queries.changes import Begun, Rehearsal
from store.sql.queries.previews import Preview

LASTS_MS = 3_600_000
FORGOTTEN_MS = 2 * 86_400_000  # by then whatever was said in it is erased
MOST = 50
_OF_CHATFLOW = Parameter("chatflow", {"type": "string", "maxLength": 64}, "only those of it")


class Wanted(Struct, forbid_unknown_fields=True):
    """Which version is shown: the draft, the published one, or the one of a number."""

    shows: Annotated[str, Meta(pattern="^(draft|published|[1-9][0-9]{0,8})$")] = "draft"


SCHEMA: Schema = {
    "type": "object",
    "title": "Preview",
    "properties": {
        "id": {"type": "string"},
        "chatflow": {"type": "string"},
        "shows": {"type": "string"},
        "created_at_ms": {"type": "integer"},
        "created_by": {"type": "string"},
        "ends_at_ms": {"type": "integer"},
    },
    "required": ["id", "chatflow", "shows", "ends_at_ms"],
}
_BEGUN: Schema = SCHEMA | {
    "title": "BegunPreview",
    "properties": SCHEMA["properties"]
    | {
        "token": {"type": "string", "description": "for the `preview` of a `hello`; shown this once"},
        "address": {"type": "string", "description": "of a page that shows it; holds the token"},
    },
    "required": [*SCHEMA["required"], "token", "address"],
}


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about previews; from then on they follow every change of `office`."""
    desk = _Desk(office)
    office.after_change = desk.follow
    return [
        Operation("POST", "/chatflows/{chatflow}/preview", "preview_chatflow", "Show a chatflow before it is published",
                  desk.begin, "chatflows.edit", Wanted, _BEGUN, 201, problems=(404, 409), tag="chatflows",
                  body_optional=True, once=True),
        Operation("GET", "/previews", "list_previews", "List the previews that go on", desk.list, "chatflows.edit",
                  answer=page_schema(SCHEMA), tag="chatflows", parameters=(
                      *PAGING, sorting("id", "created_at_ms", "ends_at_ms"), _OF_CHATFLOW)),
        Operation("DELETE", "/previews/{preview}", "end_preview", "End a preview", desk.end, "chatflows.edit",
                  status=204, problems=(404,), tag="chatflows"),
    ]  # fmt: skip


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def list(self, call: Call) -> Reply:
        known = await self._office.config.read(partial(previews.of_account, account=call.caller.account))
        going_on = [one for one in known if one.ends_at_ms > self._office.now_ms()]
        wanted = call.query.get("chatflow")
        return paged(call, [_shown(one) for one in going_on if wanted in (None, one.chatflow)], "id")

    async def begin(self, call: Call) -> Reply:
        now_ms, entropy = self._office.now_ms(), self._office.entropy
        token, name = new_secret(PREVIEW_PREFIX, entropy), f"prv_{entropy(8).hex()}"
        chatflow, shows = ChatflowId(call.path["chatflow"]), call.body.shows
        begun = Preview(name, call.caller.account, chatflow, shows, now_ms, call.caller.actor, now_ms + LASTS_MS)
        page = f"{call.request.base_url}preview#{token}"
        reply = Reply(_shown(begun) | {"token": token, "address": page}, 201)
        if (replayed := await self._office.answered(call)) is not None:
            return replayed
        try:
            await self._show(call.caller.account, Begun(begun, hash_of(token), kept_of(call, reply)))
        except AnsweredBefore as before:
            return again(call, before.kept)
        return reply

    async def end(self, call: Call) -> Reply:
        account, preview = call.caller.account, call.path["preview"]
        deed = Deed(self._office.now_ms(), call.caller.actor, "preview.ended", f"previews/{preview}")
        ending = partial(changes.end_preview, account=account, preview=preview, deed=deed)
        if not await self._office.config.transact(ending):
            raise Problem(NOT_FOUND, "there is no such preview that goes on")
        await self._show(account)
        return Reply(None)

    async def follow(self, account: AccountId) -> None:
        """Have the previews that go on show the account as it is now; if SQL goes away, with the next change."""
        with suppress(StoreAway):
            known = await self._office.config.read(partial(previews.of_account, account=account))
            if any(one.ends_at_ms > self._office.now_ms() for one in known):
                await self._show(account)

    async def _show(self, account: AccountId, begun: Begun | None = None) -> None:
        office, now_ms = self._office, self._office.now_ms()
        forget = partial(previews.forget, account=account, before_ms=now_ms - FORGOTTEN_MS)
        await office.config.transact(forget)
        while True:
            look = partial(changes.look_at_previews, account=account, cells=office.cells)
            seen = await office.config.transact(look)
            config = await asyncio.to_thread(self._staged, seen, begun.preview if begun is not None else None, now_ms)
            show = partial(changes.show_previews, on=seen, config=config, begun=begun, now_ms=now_ms)
            if await office.config.transact(show):
                return

    def _staged(self, on: Rehearsal, begun: Preview | None, now_ms: int) -> AccountConfig | None:
        """Return the hidden account as it becomes; None: it stays as it is."""
        present = on.seen.survey.present
        config, before = present.get(on.seen.account), present.get(preview_of(on.seen.account))
        if config is None:
            raise Problem(NOT_FOUND, "the account is gone")
        going_on = [one for one in on.previews if one.ends_at_ms > now_ms]
        if begun is not None and len(going_on) >= MOST:
            raise Problem(CONFLICT, f"{MOST} previews go on already: end one, or wait")
        shown: dict[str, Chatflow | None] = {}
        for one in on.previews:
            shown[one.id] = self._still(on, config, one, before) if one in going_on else None
        if begun is not None:
            shown[begun.id] = tried_out(on.seen, config, begun, self._office.entropy)
        made = hidden_account(config, before, shown, self._office.entropy)
        return None if made == before else made

    def _still(
        self, on: Rehearsal, config: AccountConfig, preview: Preview, before: AccountConfig | None
    ) -> Chatflow | None:
        """Return what a preview shows by now; as long as its draft could not be published, what it showed."""
        try:
            return tried_out(on.seen, config, preview, self._office.entropy)
        except Problem:
            return next((flow for flow in before.chatflows if flow.id == preview.id), None) if before else None


def _shown(preview: Preview) -> Document:
    return {
        "id": preview.id, "chatflow": preview.chatflow, "shows": preview.shows, "created_by": preview.created_by,
        "created_at_ms": preview.created_at_ms, "ends_at_ms": preview.ends_at_ms,
    }  # fmt: skip
