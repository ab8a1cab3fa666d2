"""Rows in an order, and where a page goes on in it.

Invariant: rows that do not differ in what they are ordered by come by id, so no page skips or repeats one.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, or_


@dataclass(frozen=True, slots=True)
class Order:
    """By the column `by`, rising or falling; after the row of this value and id, or (None) from the beginning."""

    by: str
    falls: bool = False
    after: tuple[str | int, str] | None = None


def ordered(found: Select[Any], rows: Table, order: Order) -> Select[Any]:
    """Return what of `found` comes next in `order`; `rows` has the columns that order it, and an id."""
    value, id_ = rows.c[order.by], rows.c.id
    if order.after is not None:
        last, last_id = order.after
        beyond = value < last if order.falls else value > last
        found = found.where(or_(beyond, (value == last) & (id_ > last_id)))
    return found.order_by(value.desc() if order.falls else value, id_)
