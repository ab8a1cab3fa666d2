"""What accounts are shown of their surveys, consents, contacts and tickets.

Invariant: denominators are honest: a rate is of those who could have, and None where nobody could.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from protocol.bus.chatflow import SATISFIED, Scale
from protocol.ids import AccountId
from store.sql import tables
from store.sql.queries.figures import DAY_MS

GROUPS: dict[str, tuple[str, ...]] = {
    "day": ("day",),
    "platform": ("platform",),
    "version": ("platform", "app_version"),
    "chatflow": ("chatflow",),
    "published": ("chatflow", "version"),
    "inbox": ("inbox",),
    "rule": ("rule",),
    "agent": ("agent",),
    "origin": ("origin",),
}


@dataclass(frozen=True, slots=True)
class Span:
    """What a report is about: asked from `from_ms` until before `to_ms`, in one environment.

    `only`: of one platform, app_version, chatflow, inbox, rule or agent, as far as the report knows them.
    """

    account: AccountId
    from_ms: int = 0
    to_ms: int = 2**62
    environment: str = "production"
    only: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class SurveyFigures:
    """How one survey went, of one scale. `asked` = answered + expired + still open; `seen` of those asked."""

    survey: str
    scale: Scale
    asked: int = 0
    seen: int = 0
    dismissed: int = 0
    answered: int = 0
    expired: int = 0
    commented: int = 0
    scores: Counter[int] = field(default_factory=Counter)

    @property
    def csat(self) -> float | None:
        """The satisfied among the answered, 0–1; None if nobody answered, or the scale has no such line."""
        satisfied = SATISFIED[self.scale]
        if not satisfied or not self.answered:
            return None
        return sum(self.scores[score] for score in satisfied) / self.answered

    @property
    def mean(self) -> float | None:
        """The mean score; None if nobody answered."""
        return sum(score * count for score, count in self.scores.items()) / self.answered if self.answered else None

    @property
    def response_rate(self) -> float | None:
        """The answered among the asked, 0–1; None if nobody was asked."""
        return self.answered / self.asked if self.asked else None


_ASKS = tables.survey_ask.c
_COLUMNS: dict[str, ColumnElement[Any]] = {
    "day": (_ASKS.asked_at_ms // DAY_MS).label("day"),
    **{
        name: _ASKS[name]
        for name in ("survey", "scale", "platform", "app_version", "chatflow", "version", "inbox", "agent")
    },
}
SURVEYS_BY = ("day", "platform", "version", "chatflow", "published", "inbox", "agent")
GroupKey = tuple[Any, ...]


def surveys(connection: Connection, span: Span, by: Iterable[str] = ()) -> dict[GroupKey, SurveyFigures]:
    """Return the figures by (survey, scale, *group), split by some of SURVEYS_BY."""
    rows = tables.survey_ask.c
    names = ("survey", "scale", *columns_of(by))
    keys = [_COLUMNS[name] for name in names]
    counts = [
        func.count(),
        func.count(rows.seen_at_ms),
        func.count().filter(rows.dismissed),
        func.count(rows.score),
        func.count().filter(rows.expired),
        func.count(rows.comment),
    ]
    query = select(*keys, rows.score, *counts).where(*_within(rows, span)).group_by(*names, rows.score).order_by(*names)
    found: dict[GroupKey, SurveyFigures] = {}
    for row in connection.execute(query):
        key = tuple(row[: len(keys)])
        score, asked, seen, dismissed, answered, expired, commented = row[len(keys) :]
        figures = found.setdefault(key, SurveyFigures(key[0], key[1]))
        figures.asked += asked
        figures.seen += seen
        figures.dismissed += dismissed
        figures.answered += answered
        figures.expired += expired
        figures.commented += commented
        if score is not None:
            figures.scores[score] += answered
    return found


def _within(rows: Any, span: Span) -> list[ColumnElement[bool]]:
    return [
        rows.account == span.account,
        rows.environment == span.environment,
        rows.asked_at_ms >= span.from_ms,
        rows.asked_at_ms < span.to_ms,
        *(rows[name] == value for name, value in span.only.items()),
    ]


def columns_of(by: Iterable[str]) -> list[str]:
    """Return the columns that groups are named by, each once."""
    return list(dict.fromkeys(name for each in by for name in GROUPS[each]))


def consents(connection: Connection, span: Span, limit: int) -> list[dict[str, Any]]:
    """Return the consent ledger's newest `limit` lines of the span, oldest first."""
    return _listed(connection, tables.consent_entry, "at_ms", span, limit)


def contacts(connection: Connection, span: Span, limit: int) -> list[dict[str, Any]]:
    """Return the `limit` contacts of the span that were created last, oldest first."""
    return _listed(connection, tables.contact, "created_at_ms", span, limit)


def tickets(connection: Connection, span: Span, limit: int) -> list[dict[str, Any]]:
    """Return the `limit` tickets of the span that were opened last, oldest first."""
    return _listed(connection, tables.ticket, "opened_at_ms", span, limit)


def subscriptions(connection: Connection, account: AccountId, contact: str) -> dict[str, bool]:
    """Return what a contact wants, and does not want, to be written to about."""
    rows = tables.subscription.c
    query = select(rows.subscription, rows.wants).where(rows.account == account, rows.contact == contact)
    return {name: bool(wants) for name, wants in connection.execute(query.order_by(rows.subscription))}


def _listed(connection: Connection, table: Table, time: str, span: Span, limit: int) -> list[dict[str, Any]]:
    at = table.c[time]
    query = select(table).where(table.c.account == span.account, at >= span.from_ms, at < span.to_ms)
    newest = connection.execute(query.order_by(at.desc(), *table.primary_key.columns).limit(limit))
    return [{name: value for name, value in row._mapping.items() if name != "cell"} for row in newest][::-1]
