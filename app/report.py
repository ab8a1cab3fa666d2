"""`samtale report`: what an account's figures say, and lists of its record, as a table, as JSON or as CSV.

Invariant: reads only; says nothing that the record does not hold, and names what it counted.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click
import orjson

from admin.csv_rows import as_csv
from app.settings import Settings
from app.stores import databases, none_here
from app.tables import table
from app.trouble import Trouble
from protocol.ids import AccountId
from store.sql.database import Database, Databases, StoreAway
from store.sql.queries import accounts, reports
from store.sql.queries.report_rows import OF_FIGURES, narrows, report_rows, splits
from store.sql.queries.reports import Span

Rows = list[dict[str, Any]]
LISTED = {"consents": reports.consents, "contacts": reports.contacts, "tickets": reports.tickets}
REPORTS: Sequence[str] = (*OF_FIGURES, *LISTED)
FORMATS: Mapping[str, Callable[[Rows], str]] = {
    "table": table,
    "json": lambda found: orjson.dumps(found, option=orjson.OPT_INDENT_2).decode(),
    "csv": as_csv,
}
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `account` "": the only one there is. `days` 0: all time; else today and the days before it."""

    account: str = ""
    days: int = 0
    environment: str = "production"
    by: Sequence[str] = ()
    only: Mapping[str, str] = field(default_factory=dict)
    limit: int = 1_000


def report(settings: Settings, what: str, question: Question, form: str) -> int:
    """Print the report `what`, one of REPORTS, in one of FORMATS. Raises Trouble if there is no such account."""
    if why := none_here(settings):
        raise Trouble(why)
    try:
        found = asyncio.run(rows(settings, what, question))
    except StoreAway as away:
        raise Trouble(f"the record cannot be read: {away.reason}") from None
    click.echo(FORMATS[form](found))
    return 0


async def rows(settings: Settings, what: str, question: Question) -> Rows:
    """Return the rows of the report `what`. Raises Trouble if it cannot be told so, StoreAway."""
    unfit = _unfit(what, question)
    if unfit:
        raise Trouble(unfit)
    stores = databases(settings)
    try:
        return await _asked(stores.record, what, question, await _account(stores, question.account))
    finally:
        await stores.close()


async def _asked(record: Database, what: str, question: Question, account: AccountId) -> Rows:
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    from_ms = (now_ms // DAY_MS - question.days + 1) * DAY_MS if question.days else 0
    span = Span(account, from_ms, environment=question.environment, only=question.only)
    if what in LISTED:
        return await record.read(partial(LISTED[what], span=span, limit=question.limit))
    return await record.read(partial(report_rows, report=what, span=span, by=question.by))


def _unfit(what: str, question: Question) -> str:
    """Return why a report cannot be split or narrowed so; "" if it can."""
    split, narrowed = (splits(what), narrows(what)) if what in OF_FIGURES else ((), ())
    for asked, there, verb in ((question.by, split, "split by"), (question.only, narrowed, "narrowed by")):
        for name in asked:
            if name not in there:
                return f"{what} cannot be {verb} {name}" + (f"; only by {', '.join(there)}" if there else "")
    return ""


async def _account(stores: Databases, named: str) -> AccountId:
    known = [config.account for config in await stores.config.read(accounts.all_of_them)]
    if named in known:
        return AccountId(named)
    if named or len(known) != 1:
        which = f"there is no account {named}" if named else "say which account"
        raise Trouble(f"{which}: {', '.join(known) or 'there is none'}")
    return known[0]
