"""Reports made of figures: what each counts, of which conversations, and which share is of what.

Invariant: a share is of those who could have, all of them counted in the same row, and None where nobody could. The
formulas are those of docs/reports.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, case, func, not_, or_, true

from store.sql import tables
from store.sql.queries.figures import DAY_MS
from store.sql.queries.reports import GROUPS

_C = tables.conversation_figure.c
_R = tables.routing_figure.c
Condition = ColumnElement[bool]

_OF_CONVERSATIONS = frozenset(GROUPS)
_OF_ROUTING = frozenset(GROUPS) - {"published", "origin"}


@dataclass(frozen=True, slots=True)
class Report:
    """`counted`: which rows count at all. `always`: columns that it is split by in any case. `parts`: it has a row for
    each of them, made of the counts named `part.…`; `part` is then what that column is called. `finished`: what is
    made of each row at last."""

    table: Table
    counted: Condition
    counts: Mapping[str, ColumnElement[Any]]
    times: Mapping[str, tuple[ColumnElement[Any], Condition]] = field(default_factory=dict)
    shares: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    always: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    part: str = ""
    by: frozenset[str] = _OF_CONVERSATIONS
    agent: ColumnElement[Any] = _C.agent
    finished: Callable[[dict[str, Any]], dict[str, Any]] = dict


def _if(*conditions: Condition) -> ColumnElement[Any]:
    return func.count().filter(and_(*conditions)) if conditions else func.count()


_closed = and_(_C.entered, _C.ended != "")
_left_waiting = and_(_C.entered, _C.ended == "visitor", _C.stood == "waiting")
_left_unanswered = and_(_C.entered, _C.ended == "visitor", _C.stood == "unanswered")
_abandoned = or_(_left_waiting, _left_unanswered)
_gone_silent = and_(_C.entered, _C.ended == "inactivity")
_resolved = and_(_C.entered, or_(_C.ended == "agent", and_(_C.ended == "visitor", not_(_abandoned))))

_CONVERSATIONS = Report(
    tables.conversation_figure,
    _C.entered,
    {
        "conversations": _if(),
        "by_company": _if(_C.origin == "company"),
        "spoke": _if(_C.spoke),
        "replied": _if(_C.first_reply_ms.is_not(None)),
        "assigned": _if(_C.assigned > 0),
        "handed_on": _if(_C.handed_on > 0),
        "reopened": _if(_C.reopens > 0),
        "open": _if(_C.ended == ""),
        "closed": _if(_closed),
        "by_agent": _if(_C.ended == "agent"),
        "by_visitor": _if(_C.ended == "visitor"),
        "by_inactivity": _if(_C.ended == "inactivity"),
        "otherwise": _if(_C.ended.not_in(("", "agent", "visitor", "inactivity"))),
    },
)
_FIRST_RESPONSE = Report(
    tables.conversation_figure,
    and_(_C.entered, _C.spoke_first),
    {
        "asked": _if(),
        "replied": _if(_C.first_reply_ms.is_not(None)),
        "owed": _if(_C.first_reply_ms.is_(None), _C.ended == ""),
        "never": _if(_C.first_reply_ms.is_(None), _C.ended != ""),
    },
    {"reply": (_C.first_reply_ms, true())},
    {"reply_rate": ("replied", "asked")},
    agent=_C.replied_by,
)
_RESOLUTION = Report(
    tables.conversation_figure,
    _C.entered,
    {
        "conversations": _if(),
        "closed": _if(_closed),
        "resolved": _if(_resolved),
        "abandoned": _if(_abandoned),
        "gone_silent": _if(_gone_silent),
        "otherwise": _if(_C.ended.not_in(("", "agent", "visitor", "inactivity"))),
        "ever_closed": _if(_C.closes > 0),
        "reopened": _if(_C.reopens > 0),
    },
    {"resolution": (_C.open_ms, _resolved)},
    {"resolution_rate": ("resolved", "closed"), "reopen_rate": ("reopened", "ever_closed")},
)
_settled = _C.waits == _C.waits_over


def _with_mean(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row of waits with how long visitors waited in all, on the mean of those who wait no more."""
    settled, waited_ms = row.pop("settled"), row.pop("waited_ms")
    row["in_all_mean_s"] = round(waited_ms / settled / 1000, 1) if settled else None
    return row


_WAIT = Report(
    tables.conversation_figure,
    and_(_C.entered, _C.waits > 0),
    {
        "waited": _if(),
        "assigned": _if(_C.first_wait == "assigned"),
        "given_up": _if(_C.first_wait == "ended"),
        "waiting": _if(_C.first_wait.is_(None)),
        "waits": func.coalesce(func.sum(_C.waits), 0),
        "again": _if(_C.waits > 1),
        "settled": _if(_settled),
        "waited_ms": func.coalesce(func.sum(_C.waited_ms).filter(_settled), 0),
    },
    {"wait": (_C.first_wait_ms, _C.first_wait == "assigned")},
    {"assigned_rate": ("assigned", "waited")},
    finished=_with_mean,
)
_ABANDONMENT = Report(
    tables.conversation_figure,
    and_(_C.entered, _C.spoke, _C.ended != ""),
    {
        "closed": _if(),
        "abandoned": _if(_abandoned),
        "while_waiting": _if(_left_waiting),
        "while_unanswered": _if(_left_unanswered),
        "gone_silent": _if(_gone_silent),
    },
    {"gave_up_after": (_C.first_wait_ms, and_(_left_waiting, _C.first_wait == "ended"))},
    {"abandonment_rate": ("abandoned", "closed"), "gone_silent_rate": ("gone_silent", "closed")},
)


def _times(condition: Condition) -> ColumnElement[Any]:
    return func.coalesce(func.sum(_R.count).filter(condition), 0)


_held = _R.what.in_(("held", "held_unanswered"))


def _with_load(row: dict[str, Any]) -> dict[str, Any]:
    """Return an agent's row with what the time comes to: per conversation, and how many at once on a day with any."""
    days, held_ms = row.pop("days"), row.pop("held_ms")
    row["held_hours"] = round(held_ms / 3_600_000, 2)
    row["held_mean_s"] = round(held_ms / row["had"] / 1000, 1) if row["had"] else None
    row["load"] = round(held_ms / (days * DAY_MS), 3) if days else None
    return row


_AGENTS = Report(
    tables.routing_figure,
    _R.agent != "",
    {
        "offered": _times(_R.what == "offered"),
        "accepted": _times(_R.what == "accepted"),
        "declined": _times(_R.what == "declined"),
        "expired": _times(_R.what == "expired"),
        "withdrawn": _times(_R.what == "withdrawn"),
        "answered_offers": _times(_R.what.in_(("accepted", "declined", "expired"))),
        "assigned": _times(or_(_R.what.in_(("accepted", "assigned")), _R.what == "transferred")),
        "had": _times(_held),
        "unanswered": _times(_R.what == "held_unanswered"),
        "closed": _times(and_(_held, _R.how == "closed")),
        "handed_on": _times(and_(_held, _R.how == "transferred")),
        "lost": _times(and_(_held, _R.how.in_(("lost", "no_reply")))),
        "days": func.count(case((_R.total_ms > 0, _R.day)).distinct()),
        "held_ms": func.coalesce(func.sum(_R.total_ms), 0),
    },
    shares={"acceptance_rate": ("accepted", "answered_offers")},
    always=("agent",),
    by=_OF_ROUTING,
    agent=_R.agent,
    finished=_with_load,
)
_ROUTING = Report(
    tables.routing_figure,
    not_(_held),
    {"count": func.coalesce(func.sum(_R.count), 0)},
    always=("what", "how"),
    by=_OF_ROUTING,
    agent=_R.agent,
)

_STEPS = ("storage", "process", "email")
_PASSED = {"storage": ("granted", "declined"), "process": ("granted", "implied"), "email": ("given",)}
_asked = {step: _C[step] != "" for step in _STEPS} | {"process": _C.process.not_in(("", "implied"))}
_past = {step: or_(_C.entered, not_(_asked[step]), _C[step].in_(_PASSED[step])) for step in _STEPS}
_over = _C.ended != ""


def _step(step: str, reached: Condition, passed: Condition) -> dict[str, ColumnElement[Any]]:
    said_no = _C.process.in_(("declined", "withdrawn")) if step == "process" else not_(true())
    return {
        f"{step}.reached": _if(reached),
        f"{step}.passed": _if(reached, passed),
        f"{step}.said_no": _if(reached, not_(passed), said_no),
        f"{step}.left": _if(reached, not_(passed), _over),
        f"{step}.pending": _if(reached, not_(passed), not_(_over)),
    }


_later = _C.email_later != ""
_DROP_OFF = Report(
    tables.conversation_figure,
    _C.origin == "visitor",
    {
        **_step("storage", _asked["storage"], _past["storage"]),
        **_step("process", and_(_asked["process"], _past["storage"]), _past["process"]),
        **_step("email", and_(_asked["email"], _past["storage"], _past["process"]), _past["email"]),
        **_step("message", and_(*_past.values()), _C.entered),
        **_step("email_later", _later, _C.email_later == "given"),
    },
    shares={"drop_off": ("left", "reached")},
    always=("chatflow", "version"),
    parts=(*_STEPS, "message", "email_later"),
    part="step",
)


def _consent(purpose: str) -> dict[str, ColumnElement[Any]]:
    answer = _C[purpose]
    return {
        f"{purpose}.asked": _if(answer.not_in(("", "implied"))),
        **{f"{purpose}.{each}": _if(answer == each) for each in ("granted", "declined", "withdrawn", "implied")},
        f"{purpose}.answered": _if(answer.in_(("granted", "declined", "withdrawn"))),
        f"{purpose}.unanswered": _if(answer == "asked"),
    }


_CONSENT_RATES = Report(
    tables.conversation_figure,
    true(),
    {**_consent("storage"), **_consent("process"), **_consent("communicate")},
    shares={"grant_rate": ("granted", "asked"), "answer_rate": ("answered", "asked")},
    parts=("storage", "process", "communicate"),
    part="purpose",
)

REPORTS: dict[str, Report] = {
    "conversations": _CONVERSATIONS,
    "first_response": _FIRST_RESPONSE,
    "resolution": _RESOLUTION,
    "wait": _WAIT,
    "abandonment": _ABANDONMENT,
    "agents": _AGENTS,
    "routing": _ROUTING,
    "steps": _DROP_OFF,
    "consent_rates": _CONSENT_RATES,
}
