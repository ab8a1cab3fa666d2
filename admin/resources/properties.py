"""Which properties an account's contacts may have.

Invariant: a property that contacts have keeps its type for as long as it is there: another type is another property.
"""

from collections.abc import Iterable
from typing import Annotated, Any, get_args

from msgspec import UNSET, Meta, Struct, UnsetType

from admin.http.operations import Call, Operation, Parameter
from admin.http.paging import PAGING, paged, sorting
from admin.http.problems import INVALID, NOT_FOUND, Fault, Problem
from admin.http.replies import Reply, shown
from admin.office import Office
from admin.people.cards import definitions
from admin.people.desk import plain, stores_of
from admin.resources.contacts import NO_NUL
from admin.workspace.document import Document
from store.sql.queries import audit_log, contact_types
from store.sql.queries.audit_log import Deed
from store.sql.queries.contact_types import Definition, Type

MAX_PROPERTIES = 200
_TYPE = {"type": "string", "enum": list(get_args(Type))}
Option = Annotated[str, Meta(min_length=1, max_length=100, pattern=NO_NUL)]


class PropertyTold(Struct, forbid_unknown_fields=True):
    """`choices`: of type choice only, 1 to 100 different ones."""

    type: Type
    label: Annotated[str, Meta(max_length=100, pattern=NO_NUL)] = ""
    choices: Annotated[list[Option], Meta(max_length=100)] = []


class PropertyView(Struct, frozen=True):
    name: str
    label: str
    type: Type
    choices: list[str]


class PropertyList(Struct, omit_defaults=True):
    items: list[PropertyView]
    next: str | UnsetType = UNSET


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about properties."""
    desk = _Desk(office)
    one, stale = "/contact_properties/{name}", (412, 428)
    return [
        Operation("GET", "/contact_properties", "list_contact_properties", "List which properties contacts may have",
                  desk.listed, "settings.read", answer=PropertyList, tag="contacts", parameters=(
                      *PAGING, sorting("name", "label", "type"), Parameter("type", _TYPE, "only those of it"))),
        Operation("GET", one, "get_contact_property", "Read a property that contacts may have", desk.read,
                  "settings.read", answer=PropertyView, problems=(404,), tag="contacts"),
        Operation("PUT", one, "set_contact_property", "Let contacts have a property; `If-Match: *` for a new one",
                  desk.put, "settings.edit", PropertyTold, PropertyView, problems=stale, guarded=True, tag="contacts"),
        Operation("DELETE", one, "remove_contact_property", "Let contacts have a property no more", desk.remove,
                  "settings.edit", status=204, problems=(404, *stale), guarded=True, tag="contacts"),
    ]  # fmt: skip


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def listed(self, call: Call) -> Reply:
        known, type_ = await definitions(stores_of(self._office), call.caller.account), call.query.get("type")
        return paged(call, [plain(_view(each)) for each in known if type_ in (None, each.type)], "name")

    async def read(self, call: Call) -> Reply:
        known = await definitions(stores_of(self._office), call.caller.account)
        return shown(_one(call, known))

    async def put(self, call: Call) -> Reply:
        wanted: PropertyTold = call.body
        told = Definition(call.path["name"], wanted.label, wanted.type, tuple(wanted.choices))
        deed = self._deed(call, "contact_property.set", f"contact_properties/{told.name}", f"type: {told.type}")

        def write(sql: Any) -> Reply:
            audit_log.add(sql, call.caller.account, deed)
            known = {each.name: each for each in contact_types.all_of(sql, call.caller.account)}
            call.guard(plain(_view(known[told.name])) if told.name in known else {})
            if faults := _faults(told, known):
                raise Problem(INVALID, "the property cannot be as it was sent", faults)
            contact_types.put(sql, call.caller.account, told)
            return shown(plain(_view(told)))

        return await self._office.config.transact(write)

    async def remove(self, call: Call) -> Reply:
        deed = self._deed(call, "contact_property.removed", f"contact_properties/{call.path['name']}")

        def write(sql: Any) -> Reply:
            audit_log.add(sql, call.caller.account, deed)
            call.guard(_one(call, contact_types.all_of(sql, call.caller.account)))
            contact_types.remove(sql, call.caller.account, call.path["name"])
            return Reply(None)

        return await self._office.config.transact(write)

    def _deed(self, call: Call, action: str, target: str, *lines: str) -> Deed:
        return Deed(self._office.now_ms(), call.caller.actor, action, target, lines)


def _one(call: Call, known: Iterable[Definition]) -> Document:
    for each in known:
        if each.name == call.path["name"]:
            return plain(_view(each))
    raise Problem(NOT_FOUND, "there is no such property")


def _faults(told: Definition, known: dict[str, Definition]) -> list[Fault]:
    faults = []
    if not told.name.isascii() or not told.name.replace("_", "a").isalnum() or len(told.name) > 64:
        faults.append(Fault("", "a name is 1 to 64 of a–z, A–Z, 0–9 and _"))
    if (told.type == "choice") != bool(told.choices) or len(set(told.choices)) != len(told.choices):
        faults.append(Fault("/choices", "a choice, and nothing else, has different choices"))
    if told.name in known and known[told.name].type != told.type:
        faults.append(Fault("/type", f"is {known[told.name].type}: remove the property first"))
    if told.name not in known and len(known) >= MAX_PROPERTIES:
        faults.append(Fault("", f"an account has at most {MAX_PROPERTIES} properties"))
    return faults


def _view(of: Definition) -> PropertyView:
    return PropertyView(of.name, of.label, of.type, list(of.choices))
