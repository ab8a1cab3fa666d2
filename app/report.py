"""`samtale report`: surveys, consents, contacts and tickets of an account, as a table or as JSON.

Invariant: reads only; says nothing that the record does not hold, and names what it counted.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click
import orjson

from app.settings import Settings
from app.stores import databases, none_here
from app.trouble import Trouble
from protocol.ids import AccountId
from store.sql.database import Databases, StoreAway
from store.sql.queries import accounts, reports
from store.sql.queries.reports import GROUPS, Span, SurveyFigures

Rows = list[dict[str, Any]]
LISTED = {"consents": reports.consents, "contacts": reports.contacts, "tickets": reports.tickets}
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `account` "": the only one there is. `days` 0: all time."""

    account: str = ""
    days: int = 0
    environment: str = "production"
    by: str = ""
    limit: int = 1_000


def report(settings: Settings, what: str, question: Question, *, as_json: bool) -> int:
    """Print the report `what`: surveys or one of LISTED. Raises Trouble if there is no such account."""
    if why := none_here(settings):
        raise Trouble(why)
    try:
        found = asyncio.run(rows(settings, what, question))
    except StoreAway as away:
        raise Trouble(f"the record cannot be read: {away.reason}") from None
    click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() if as_json else table(found))
    return 0


async def rows(settings: Settings, what: str, question: Question) -> Rows:
    """Return the rows of the report `what`. Raises Trouble if there is no such account, StoreAway."""
    stores = databases(settings)
    try:
        account = await _account(stores, question.account)
        now_ms = round(datetime.now(UTC).timestamp() * 1000)
        from_ms = now_ms - question.days * DAY_MS if question.days else 0
        span = Span(account, from_ms, environment=question.environment)
        if what == "surveys":
            return survey_rows(
                await stores.record.read(partial(reports.surveys, span=span, by=question.by)), question.by
            )
        return await stores.record.read(partial(LISTED[what], span=span, limit=question.limit))
    finally:
        await stores.close()


async def _account(stores: Databases, named: str) -> AccountId:
    known = [config.account for config in await stores.config.read(accounts.all_of_them)]
    if named in known:
        return AccountId(named)
    if named or len(known) != 1:
        which = f"there is no account {named}" if named else "say which account"
        raise Trouble(f"{which}: {', '.join(known) or 'there is none'}")
    return known[0]


def survey_rows(found: dict[tuple[str, ...], SurveyFigures], by: str) -> Rows:
    """Return one row per survey, scale and group: counts, rates (0–1; None where nobody could), mean, distribution."""
    return [
        {
            "survey": figures.survey,
            "scale": figures.scale,
            **dict(zip(GROUPS[by], key[2:], strict=True)),
            "asked": figures.asked,
            "seen": figures.seen,
            "answered": figures.answered,
            "expired": figures.expired,
            "dismissed": figures.dismissed,
            "comments": figures.commented,
            "response_rate": figures.response_rate,
            "csat": figures.csat,
            "mean": figures.mean,
            "scores": {str(score): figures.scores[score] for score in sorted(figures.scores)},
        }
        for key, figures in found.items()
    ]


def table(rows: Rows) -> str:
    """Return `rows` as aligned columns with a heading; a word where there is nothing."""
    if not rows:
        return "nothing yet"
    names = list(rows[0])
    cells = [names, *([_shown(name, row[name]) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)


def _shown(name: str, value: Any) -> str:
    return _FORMS.get(name, str)(value) if value not in (None, "") else "–"


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _scores(counts: dict[str, int]) -> str:
    return " ".join(f"{score}:{count}" for score, count in counts.items()) or "–"


_FORMS: dict[str, Callable[[Any], str]] = {
    "csat": _percent,
    "response_rate": _percent,
    "mean": "{:.2f}".format,
    "scores": _scores,
    **dict.fromkeys(("at_ms", "created_at_ms", "changed_at_ms", "opened_at_ms"), _clock),
}
REPORTS: Sequence[str] = ("surveys", *LISTED)
