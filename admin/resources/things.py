"""The things of an account that are live at once: apps, hours, users, teams, inboxes, rules, subscriptions, ready
replies, surveys. Each is listed, read, made, replaced, patched and removed in the same way.

Invariant: a thing has the fields of its kind in a workspace file, and goes through the same checks; what may not be
shown is left out, and stays as it is when a write leaves it out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from admin.access.scopes import Scope
from admin.http.operations import Call, Operation, Parameter
from admin.http.paging import PAGING, page_schema, paged, sorting
from admin.http.problems import CONFLICT, INVALID, NOT_FOUND, Fault, Problem
from admin.http.replies import Reply, shown
from admin.office import Change, Office, recompiled
from admin.workspace.changes import changes
from admin.workspace.document import Document, account_document, things_document
from admin.workspace.places import Place, Wrong
from admin.workspace.readers import Reader, Schema
from protocol.bus.config import AccountConfig
from store.sql.queries.changes import Seen


def _same(thing: Document) -> Document:
    return thing


def _as_sent(new: Document, _old: Document) -> Document:
    return new


def _nothing(_document: Document, _removed: Document) -> None:
    return None


def _anybody(_call: Call, _old: Document | None, _new: Document | None) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing. `many` names it in documents, `path` in URLs; `identity` is the field that is its id.

    `hide` leaves out what is not shown; `keep` puts it back from the old thing where a write left it out; `check`
    raises Problem where the caller may not do that to such a thing; `takes_along` removes from the account what goes
    with a thing that is removed.
    """

    many: str
    one: str
    path: str
    schema: Schema
    scope: Scope = "settings.edit"
    identity: str = "id"
    hide: Callable[[Document], Document] = _same
    keep: Callable[[Document, Document], Document] = _as_sent
    check: Callable[[Call, Document | None, Document | None], None] = _anybody
    takes_along: Callable[[Document, Document], None] = _nothing
    filters: tuple[Parameter, ...] = ()
    sorts: tuple[str, ...] = ("id", "name")


def a_document(schema: Schema) -> Reader[Document]:
    """Return a reader of named fields, whatever they are: they are checked together with all that there is."""

    def read(here: Place) -> Document:
        if here.fields() is None:
            raise Wrong(f"must be named fields, not {here.found}")
        return {}

    return Reader(read, schema)


def operations(office: Office, kind: Kind) -> list[Operation]:
    """Return what can be asked about things of `kind`."""
    desk = _Desk(office, kind)
    one, many, path = kind.one, kind.path.strip("/").replace("-", " "), f"{kind.path}/{{{kind.identity}}}"
    replaced = a_document(_without(kind.schema, kind.identity))
    patched = a_document({"type": "object", "description": f"the fields of {one} that change; null takes one away"})
    made = a_document(kind.schema | {"title": f"New{kind.schema['title']}"})
    seen, changed = _seen(kind.schema), (404, 409, 412, 428)
    tag = kind.path.strip("/")
    return [
        Operation("GET", kind.path, f"list_{kind.many}", f"List the {many}", desk.list, "settings.read",
                  answer=page_schema(seen), parameters=(*PAGING, sorting(*kind.sorts), *kind.filters), tag=tag),
        Operation("POST", kind.path, f"create_{one}", f"Make a new {one.replace('_', ' ')}", desk.create, kind.scope,
                  made, seen, 201, problems=(409,), once=True, tag=tag),
        Operation("GET", path, f"get_{one}", f"Read one of the {many}", desk.get, "settings.read",
                  answer=seen, problems=(404,), tag=tag),
        Operation("PUT", path, f"replace_{one}", f"Replace one of the {many}", desk.replace, kind.scope, replaced, seen,
                  problems=changed, guarded=True, tag=tag),
        Operation("PATCH", path, f"change_{one}", f"Change fields of one of the {many}", desk.patch, kind.scope,
                  patched, seen, problems=changed, guarded=True, tag=tag),
        Operation("DELETE", path, f"remove_{one}", f"Remove one of the {many}", desk.remove, kind.scope,
                  status=204, problems=changed, guarded=True, tag=tag),
    ]  # fmt: skip


class _Desk:
    def __init__(self, office: Office, kind: Kind) -> None:
        self._office, self._kind = office, kind

    async def list(self, call: Call) -> Reply:
        config = await self._office.present(call.caller.account)
        wanted = {name: value for name, value in call.query.items() if name not in ("limit", "cursor", "sort")}
        things = [self._kind.hide(thing) for thing in things_document(config, self._kind.many)]
        return paged(call, [thing for thing in things if _fits(thing, wanted)], self._kind.identity)

    async def get(self, call: Call) -> Reply:
        config = await self._office.present(call.caller.account)
        return shown(self._kind.hide(self._find(config, call)))

    async def create(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._created, call))

    async def replace(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._replaced, call, lambda _: call.plain))

    async def patch(self, call: Call) -> Reply:
        merge = partial(merged, patch=call.plain)
        return await self._office.change(call, partial(self._replaced, call, merge))

    async def remove(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._removed, call))

    def _created(self, call: Call, seen: Seen, config: AccountConfig) -> Change:
        kind, document = self._kind, account_document(config)
        name = call.plain.get(kind.identity)
        if any(thing[kind.identity] == name for thing in document[kind.many]):
            said = f"there is a {kind.one.replace('_', ' ')} {name} already"
            raise Problem(CONFLICT, said, [Fault(f"/{kind.identity}", "is used")])
        kind.check(call, None, call.plain)
        document[kind.many].append(call.plain)
        return self._change(seen, config, document, len(document[kind.many]), "created")

    def _replaced(self, call: Call, make: Callable[[Document], Any], seen: Seen, config: AccountConfig) -> Change:
        kind, document, old = self._kind, account_document(config), self._find(config, call)
        call.guard(kind.hide(old))
        new = {kind.identity: old[kind.identity], **make(kind.hide(old))}
        if new[kind.identity] != old[kind.identity]:
            raise Problem(INVALID, "an id stays as it is", [Fault(f"/{kind.identity}", "cannot be changed")])
        kind.check(call, old, new)
        at = document[kind.many].index(old)
        document[kind.many][at] = kind.keep(new, old)
        return self._change(seen, config, document, at + 1, "changed")

    def _removed(self, call: Call, seen: Seen, config: AccountConfig) -> Change:
        kind, document, old = self._kind, account_document(config), self._find(config, call)
        call.guard(kind.hide(old))
        kind.check(call, old, None)
        document[kind.many].remove(old)
        kind.takes_along(document, old)
        after = recompiled(seen, document, self._office.entropy, f"{kind.many}[0]")
        target = f"{kind.path.strip('/')}/{old[kind.identity]}"
        return Change(f"{kind.one}.removed", target, Reply(None), tuple(changes(config, after)), after)

    def _change(self, seen: Seen, config: AccountConfig, document: Document, number: int, did: str) -> Change:
        kind = self._kind
        after = recompiled(seen, document, self._office.entropy, f"{kind.many}[{number}]")
        thing = kind.hide(things_document(after, kind.many)[number - 1])
        target = f"{kind.path.strip('/')}/{thing[kind.identity]}"
        reply = shown(
            thing, 201 if did == "created" else 200, {"Location": f"/api/v1/{target}"} if did == "created" else {}
        )
        config_after = after if after.version != config.version else None
        return Change(f"{kind.one}.{did}", target, reply, tuple(changes(config, after)), config_after)

    def _find(self, config: AccountConfig, call: Call) -> Document:
        name = call.path[self._kind.identity]
        for thing in things_document(config, self._kind.many):
            if thing[self._kind.identity] == name:
                return thing
        raise Problem(NOT_FOUND, f"there is no {self._kind.one.replace('_', ' ')} of that name")


def merged(target: Any, patch: Any) -> Any:
    """Return what RFC 7396 makes of `target`."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _fits(thing: Document, wanted: Mapping[str, Any]) -> bool:
    return all(thing.get(name) == value for name, value in wanted.items())


def _seen(schema: Schema) -> Schema:
    """Return the schema of a thing as it is shown: what is only written is not there."""
    hidden = {name for name, each in schema["properties"].items() if each.get("writeOnly")}
    return schema | {"required": [name for name in schema["required"] if name not in hidden]}


def _without(schema: Schema, name: str) -> Schema:
    required = [each for each in schema["required"] if each != name]
    return schema | {"title": f"{schema['title']}Replaced", "required": required}
