"""Company records: zero or one of a contact.

Invariant: one that is removed leaves its contacts where they are, belonging to none.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from admin.resources.belonging import Kind
from admin.resources.contacts import NO_NUL, IdText
from store.sql import tables
from store.sql.queries.companies import Row

Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_NUL)]
Domain = Annotated[str, Meta(max_length=253, pattern=NO_NUL)]


class NewCompany(Struct, forbid_unknown_fields=True):
    id: IdText
    name: Text
    domain: Domain = ""


class CompanyChange(Struct, forbid_unknown_fields=True):
    name: Text | UnsetType = UNSET
    domain: Domain | UnsetType = UNSET


class Company(Struct, frozen=True):
    id: str
    name: str
    domain: str
    created_at_ms: int
    changed_at_ms: int


class CompanyPage(Struct, omit_defaults=True):
    items: list[Company]
    next: str | UnsetType = UNSET


def _view(row: Row) -> Company:
    return Company(**{name: row[name] for name in Company.__struct_fields__})


COMPANIES = Kind("company", "companies", tables.company, NewCompany, CompanyChange, Company, CompanyPage, _view)
