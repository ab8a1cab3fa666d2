"""Which properties an account's contacts may have; and for how many days closed conversations are kept.

Invariant: a property that contacts have keeps its type for as long as it is there: another type is another property.
"""

from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from admin.http.operations import Call, Operation
from admin.http.problems import INVALID, NOT_FOUND, Fault, Problem
from admin.http.replies import Reply
from admin.office import Office
from admin.people.cards import definitions
from admin.people.desk import note, stores_of
from admin.resources.contacts import NO_NUL
from store.sql.queries import contact_types, erasures
from store.sql.queries.contact_types import Definition, Type

MAX_PROPERTIES = 200
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


class PropertyList(Struct, frozen=True):
    items: list[PropertyView]


class Retention(Struct, forbid_unknown_fields=True):
    """After how many days a conversation that stays closed is erased; null: it is kept."""

    days: Annotated[int, Meta(ge=1, le=36_500)] | None


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about properties and retention."""

    async def listed(call: Call) -> Reply:
        return Reply(PropertyList([_view(each) for each in await definitions(stores_of(office), call.caller.account)]))

    async def put(call: Call) -> Reply:
        wanted: PropertyTold = call.body
        known = {each.name: each for each in await definitions(stores_of(office), call.caller.account)}
        told = Definition(call.path["name"], wanted.label, wanted.type, tuple(wanted.choices))
        if faults := _faults(told, known):
            raise Problem(INVALID, "the property cannot be as it was sent", faults)
        await office.config.transact(partial(contact_types.put, account=call.caller.account, property_=told))
        await note(office, call, "contact_property.set", f"contact_properties/{told.name}", f"type: {told.type}")
        return Reply(_view(told))

    async def remove(call: Call) -> Reply:
        gone = partial(contact_types.remove, account=call.caller.account, name=call.path["name"])
        if not await office.config.transact(gone):
            raise Problem(NOT_FOUND, "there is no such property")
        await note(office, call, "contact_property.removed", f"contact_properties/{call.path['name']}")
        return Reply(None)

    async def retention(call: Call) -> Reply:
        days = await office.config.read(partial(erasures.days_kept, account=call.caller.account))
        return Reply(Retention(days))

    async def retain(call: Call) -> Reply:
        days = call.body.days
        await office.config.transact(partial(erasures.keep_days, account=call.caller.account, days=days))
        await note(office, call, "retention.set", "retention", f"days: {'for ever' if days is None else days}")
        return Reply(Retention(days))

    one = "/contact_properties/{name}"
    return [
        Operation("GET", "/contact_properties", "list_contact_properties", "List which properties contacts may have",
                  listed, "settings.read", answer=PropertyList, tag="contacts"),
        Operation("PUT", one, "set_contact_property", "Let contacts have a property", put, "settings.edit",
                  PropertyTold, PropertyView, tag="contacts"),
        Operation("DELETE", one, "remove_contact_property", "Let contacts have a property no more", remove,
                  "settings.edit", status=204, problems=(404,), tag="contacts"),
        Operation("GET", "/retention", "get_retention", "Say how long closed conversations are kept", retention,
                  "settings.read", answer=Retention, tag="account"),
        Operation("PUT", "/retention", "set_retention", "Set how long closed conversations are kept", retain,
                  "settings.edit", Retention, Retention, tag="account"),
    ]  # fmt: skip


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
