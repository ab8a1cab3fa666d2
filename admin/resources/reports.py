"""Reports over REST: what an account's figures say, as JSON and as CSV.

Invariant: one environment at a time, whole days (UTC), and nothing that names or quotes a visitor.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any

from admin.csv_rows import as_csv
from admin.http.operations import Call, Operation, Parameter, Run
from admin.http.problems import MALFORMED, Problem
from admin.http.replies import Reply
from admin.office import Office
from admin.workspace.readers import Schema
from store.sql.queries.report_rows import OF_FIGURES, narrows, report_rows, splits
from store.sql.queries.reports import Span

DAY_MS = 86_400_000
Rows = list[dict[str, Any]]
_DATE: Schema = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_ENVIRONMENT: Schema = {"type": "string", "enum": ["production", "test"], "default": "production"}
_NAME: Schema = {"type": "string", "maxLength": 200}
_ROW: Schema = {
    "type": "object",
    "description": "what it is split by, then counts, shares (0–1) and times; null where nobody could: docs/reports.md",
    "additionalProperties": {"type": ["string", "number", "object", "null"]},
}
_SCHEMA: Schema = {
    "type": "object",
    "title": "Report",
    "properties": {
        "report": {"type": "string", "enum": list(OF_FIGURES)},
        "environment": {"type": "string", "enum": ["production", "test"]},
        "rows": {"type": "array", "items": _ROW},
    },
    "required": ["report", "environment", "rows"],
}
_ABOUT = {
    "conversations": "How many conversations there were, and what became of them",
    "first_response": "How long visitors waited for the first human word",
    "resolution": "How conversations ended, and how long they were open",
    "wait": "How long visitors waited for a person to have their conversation",
    "abandonment": "How many visitors left before they were answered",
    "agents": "What agents were asked, had and answered, and how many conversations they had at once",
    "routing": "What routing decided, and how often",
    "steps": "Which steps visitors reached, passed and left, per version of a chatflow",
    "consent_rates": "How many of those asked for a consent gave it",
    "surveys": "What visitors said in surveys, of how many who were asked",
}


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about figures."""
    return [operation for report in OF_FIGURES for operation in _operations(office, report)]


def _operations(office: Office, report: str) -> list[Operation]:
    about, parameters = _ABOUT[report], _parameters(report)

    def as_table(_: str, rows: Rows) -> Reply:
        named = {"Content-Disposition": f'attachment; filename="{report}.csv"'}
        return Reply(as_csv(rows).encode(), headers=named)

    def as_object(environment: str, rows: Rows) -> Reply:
        return Reply({"report": report, "environment": environment, "rows": rows})

    return [
        Operation("GET", f"/reports/{report}", f"report_{report}", about, _run(office, report, as_object),
                  "reports.read", answer=_SCHEMA, parameters=parameters, tag="reports"),
        Operation("GET", f"/reports/{report}.csv", f"report_{report}_csv", f"{about}, as CSV",
                  _run(office, report, as_table), "reports.read", answer={"type": "string"}, parameters=parameters,
                  media="text/csv", tag="reports"),
    ]  # fmt: skip


def _run(office: Office, report: str, told: Callable[[str, Rows], Reply]) -> Run:
    async def run(call: Call) -> Reply:
        query = call.query
        environment = query.get("environment", "production")
        only = {name: query[name] for name in narrows(report) if name in query}
        # The last day is one of those asked for.
        days = _day_ms(query, "from", 0), _day_ms(query, "to", 2**62 - DAY_MS) + DAY_MS
        span = Span(call.caller.account, *days, environment=environment, only=only)
        asked = partial(report_rows, report=report, span=span, by=_by(query, report))
        return told(environment, await office.record.read(asked))

    return run


def _parameters(report: str) -> tuple[Parameter, ...]:
    one = f"({'|'.join(splits(report))})"
    return (
        Parameter("from", _DATE, "the first day (UTC)"),
        Parameter("to", _DATE, "the last day (UTC)"),
        Parameter("environment", _ENVIRONMENT),
        Parameter("by", {"type": "string", "pattern": f"^{one}(,{one})*$"}, "split by these, with a comma in between"),
        *(Parameter(name, _NAME, "of this one only") for name in narrows(report)),
    )


def _by(query: Any, report: str) -> list[str]:
    """Return what to split by. Raises Problem if the report cannot be."""
    by = query["by"].split(",") if "by" in query else []
    if any(each not in splits(report) for each in by):
        raise Problem(MALFORMED, f"by names some of: {', '.join(splits(report))}")
    return by


def _day_ms(query: Any, name: str, otherwise: int) -> int:
    """Return when the day `name` begins. Raises Problem if the calendar has no such day."""
    if name not in query:
        return otherwise
    try:
        day = date.fromisoformat(query[name])
    except ValueError:
        raise Problem(MALFORMED, f"{name} is no day of the calendar") from None
    return round(datetime.combine(day, time(), UTC).timestamp() * 1000)
