"""The installation's accounts, for keys of the installation: listed and made, each with its first owner.

Invariant: an account's own things are not reached from here: that takes a key, or a user, of the account.
"""

import asyncio
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from admin.http.operations import Call, Operation
from admin.http.paging import PAGING, page_schema, paged, sorting
from admin.http.problems import CONFLICT, Fault, Problem
from admin.http.replies import Reply
from admin.keeping import again, kept_of
from admin.office import Office, refused
from admin.workspace.apply import draft_of, plan
from admin.workspace.document import Document
from admin.workspace.places import BadWorkspace
from admin.workspace.readers import Schema
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId
from store.sql.queries import accounts, changes, publications
from store.sql.queries.answers import AnsweredBefore
from store.sql.queries.audit_log import Deed
from store.sql.queries.publications import Survey

IdText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


class Owner(Struct, forbid_unknown_fields=True):
    """The first user of an account."""

    id: IdText
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    email: Annotated[str, Meta(min_length=3, max_length=254)]
    password: Annotated[str, Meta(min_length=8, max_length=256)]


class NewAccount(Struct, forbid_unknown_fields=True):
    """A company on this installation."""

    id: IdText
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    owner: Owner


SCHEMA: Schema = {
    "type": "object",
    "title": "AccountOfInstallation",
    "properties": {name: {"type": "string"} for name in ("id", "name", "cell")} | {"version": {"type": "integer"}},
    "required": ["id", "name", "cell", "version"],
}


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about the accounts of the installation."""

    async def listed(call: Call) -> Reply:
        found = await office.config.read(accounts.all_of_them)
        return paged(call, [_shown(config) for config in found], "id")

    async def create(call: Call) -> Reply:
        wanted: NewAccount = call.body
        document = _document(wanted)
        while True:
            look = partial(publications.survey, named=[AccountId(wanted.id)], cells=office.cells)
            survey = await office.config.transact(look)
            if (replayed := await office.answered(call)) is not None:
                return replayed
            if survey.present:
                raise Problem(CONFLICT, f"there is an account {wanted.id} already", [Fault("/id", "is used")])
            config = await asyncio.to_thread(_compiled, office, document, survey)
            deed = Deed(office.now_ms(), call.caller.actor, "account.created", "account")
            reply = Reply(_shown(config), 201)
            begin = partial(changes.begin_account, config=config, on=survey, deed=deed, kept=kept_of(call, reply))
            try:
                if await office.config.transact(begin):
                    return reply
            except AnsweredBefore as before:
                return again(call, before.kept)

    return [
        Operation("GET", "/accounts", "list_accounts", "List the accounts of the installation", listed, "accounts.edit",
                  answer=page_schema(SCHEMA), parameters=(*PAGING, sorting("id", "name", "cell")), tag="accounts"),
        Operation("POST", "/accounts", "create_account", "Make an account with its first owner", create,
                  "accounts.edit", NewAccount, SCHEMA, 201, problems=(409,), once=True, tag="accounts"),
    ]  # fmt: skip


def _document(wanted: NewAccount) -> Document:
    owner = {name: getattr(wanted.owner, name) for name in ("id", "name", "email", "password")}
    return {"id": wanted.id, "name": wanted.name, "agents": [owner | {"role": "owner"}]}


def _compiled(office: Office, document: Document, survey: Survey) -> AccountConfig:
    try:
        [applied] = plan(draft_of(document), survey, office.entropy)
    except BadWorkspace as bad:
        problem = refused(bad.mistakes, document, "agents[1]")
        faults = [Fault(f"/owner{fault.pointer}", fault.detail) for fault in problem.faults]
        raise Problem(problem.kind, problem.detail, faults) from None
    return applied.after


def _shown(config: AccountConfig) -> Document:
    return {"id": config.account, "name": config.name, "cell": config.cell, "version": config.version}
