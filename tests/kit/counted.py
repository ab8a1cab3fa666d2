"""Figures once more, counted from whole logs, by somebody who knows nothing of how they are kept.

Invariant: reads log entries from the first to the last, and neither states nor facts; docs/reports.md is what it obeys.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from protocol.wire import content
from protocol.wire.content import Event, Role
from routing.core import events

DAY_MS = 86_400_000
_PLACES = {"storage_consent": "storage", "consent_to_process": "process", "email": "email"}


@dataclass
class Count:
    """One conversation, read entry by entry. `row`: as its row in `conversation_figure` should be, but for the phone.

    `held`: (agent, answered, how, since, until) of everybody who had it. `since_ms`: since when a reply is owed.
    """

    row: dict[str, Any] = field(default_factory=dict)
    held: list[tuple[str, bool, str, int, int]] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    holder: str = ""
    had_ms: int = 0
    answered: bool = False
    routed: bool = False
    since_ms: int | None = None
    waiting_ms: int | None = None
    first_ms: int = 0
    open_ms: int | None = None
    snoozed: bool = False
    said_ms: int | None = None
    visitor_ms: int = 0
    agent_ms: int = 0
    asked_email: bool = False

    def read(self, log: Iterable[Event]) -> "Count":
        """Read a whole log; return itself."""
        for event in log:
            stood = self.stands()
            getattr(self, f"_{type(event.body).__name__.lower()}", lambda _, __: None)(event.body, event.at)
            self._clocks(event)
            if isinstance(event.body, content.Closed):
                self.row["stood"] = stood
        return self

    def stands(self) -> str:
        if not self.routed:
            return "gate"
        if not self.holder:
            return "idle" if self.since_ms is None else "waiting"
        return "answered" if self.answered else "idle" if self.since_ms is None else "unanswered"

    def _clocks(self, event: Event) -> None:
        """Start and stop the two clocks: of waiting for a person, and of being open."""
        at_ms, row = event.at, self.row
        waits = self.routed and not self.holder and self.since_ms is not None
        if waits and self.waiting_ms is None:
            self.waiting_ms = at_ms
            row["waits"] += 1
            self.first_ms = self.since_ms or 0
        elif not waits and self.waiting_ms is not None:
            row["waits_over"] += 1
            row["waited_ms"] += at_ms - self.waiting_ms
            self.waiting_ms = None
            if row["first_wait"] is None:
                row["first_wait"] = "assigned" if isinstance(event.body, content.Assigned) else "ended"
                row["first_wait_ms"] = at_ms - self.first_ms
        if self.routed and not self.snoozed and self.open_ms is None:
            self.open_ms = at_ms
        elif (not self.routed or self.snoozed) and self.open_ms is not None:
            row["open_ms"] += at_ms - self.open_ms
            self.open_ms = None
        row["entered"] = row["entered"] or self.routed

    def _started(self, body: content.Started, at_ms: int) -> None:
        self.missing = {_PLACES[step] for step in body.steps}
        self.row = {
            "day": at_ms // DAY_MS,
            "environment": body.environment,
            "chatflow": body.chatflow,
            "version": body.version,
            "inbox": body.inbox,
            "rule": body.rule or "",
            "origin": body.by,
            **dict.fromkeys(("communicate", "email_later", "agent", "ended", "stood"), ""),
            **{step: "asked" if step in self.missing else "" for step in _PLACES.values()},
            **dict.fromkeys(("entered", "spoke", "spoke_first"), False),
            **dict.fromkeys(("first_reply_ms", "replied_by", "first_wait_ms", "first_wait")),
            **dict.fromkeys(("waits", "waits_over", "waited_ms", "assigned", "handed_on"), 0),
            **dict.fromkeys(("open_ms", "closes", "reopens"), 0),
        }

    def _message(self, body: content.Message, at_ms: int) -> None:
        if body.by.role is Role.VISITOR:
            self.row["spoke"] = True
            self.row["spoke_first"] = self.row["spoke_first"] or not (self.visitor_ms or self.agent_ms)
            self.visitor_ms = self.visitor_ms or at_ms
            self.said_ms = at_ms
            self.since_ms = at_ms if self.routed and self.since_ms is None else self.since_ms
        elif body.by.role is Role.AGENT:
            if self.visitor_ms and not self.agent_ms:
                self.row |= {"first_reply_ms": at_ms - self.visitor_ms, "replied_by": body.by.id}
            self.agent_ms = self.agent_ms or at_ms
            self.since_ms, self.answered = None, True

    def _queued(self, _: content.Queued, at_ms: int) -> None:
        self.since_ms = at_ms if self.since_ms is None else self.since_ms
        self.routed = True

    def _unrouted(self, _: content.Unrouted, __: int) -> None:
        if not self.routed:
            self.since_ms = self.said_ms
        self.routed = True

    def _assigned(self, body: content.Assigned, at_ms: int) -> None:
        self.row |= {"assigned": self.row["assigned"] + 1, "agent": body.agent.id}
        self.holder, self.had_ms, self.answered = body.agent.id, at_ms, False

    def _unassigned(self, body: content.Unassigned, at_ms: int) -> None:
        self.row["handed_on"] += 1
        self._let_go(body.reason, at_ms)

    def _let_go(self, how: str, at_ms: int) -> None:
        if self.holder:
            self.held.append((self.holder, self.answered, how, self.had_ms, at_ms))
        self.holder = ""

    def _snoozed(self, *_: Any) -> None:
        self.snoozed = True

    def _woken(self, *_: Any) -> None:
        self.snoozed = False

    def _closed(self, body: content.Closed, at_ms: int) -> None:
        self._let_go("closed", at_ms)
        self.row |= {"closes": self.row["closes"] + 1, "ended": body.reason}
        self.routed, self.since_ms, self.said_ms, self.snoozed = False, None, None, False

    def _parked(self, *_: Any) -> None:
        self.row["ended"] = "parked"
        self.routed = False

    def _reopened(self, *_: Any) -> None:
        self.row |= {"reopens": self.row["reopens"] + 1, "ended": ""}

    def _consentanswered(self, body: content.ConsentAnswered, _: int) -> None:
        self.row[body.purpose] = body.answer

    def _emailasked(self, body: content.EmailAsked, _: int) -> None:
        self.asked_email = True
        if body.why != "before_chat":
            self.row["email_later"] = "asked"

    def _emailgiven(self, *_: Any) -> None:
        if "email" in self.missing:
            self.missing.discard("email")
            self.row["email"] = "given"
        elif self.asked_email:
            self.row["email_later"] = "given"
        self.asked_email = False

    def _emailgivenup(self, *_: Any) -> None:
        if self.asked_email:
            self.row["email_later"] = "given_up"
        self.asked_email = False


def counted(log: Sequence[Event]) -> Count:
    """Return what a whole log counts for."""
    return Count().read(log)


def decisions(log: Iterable[Any]) -> Counter[tuple[int, str, str, str]]:
    """Return how often a roster's log says (day, agent, what, how)."""
    found: Counter[tuple[int, str, str, str]] = Counter()
    for event in log:
        told: tuple[str, str, str] | None = None
        match event:
            case events.Queued(cause=cause, reasons=reasons):
                told = "", "queued" if reasons is None else "nobody_ready", cause
            case events.Unrouted():
                told = "", "unrouted", ""
            case events.ConversationOffered(agent=agent, reason=reason):
                told = agent, "offered", reason
            case events.OfferEnded(agent=agent, how=how):
                told = agent, how, ""
            case events.ConversationAssigned(agent=agent, how=how, offer=offer):
                told = agent, "assigned" if offer is None else "accepted", how
            case events.ConversationTransferred(to=to):
                told = to, "transferred", "agent"
            case events.HandedToTeam():
                told = "", "transferred", "team"
            case events.ConversationReleased(agent=agent, offer=offer) if offer is not None:
                told = agent or "", "withdrawn", ""
            case events.ConversationRested():
                told = "", "rested", ""
            case events.ConversationOverflowed():
                told = "", "overflowed", ""
        if told is not None:
            found[event.at_ms // DAY_MS, *told] += 1
    return found


def holdings(counts: Iterable[Count]) -> tuple[Counter[tuple[int, str, str, str]], Counter[tuple[int, str, str, str]]]:
    """Return how often, and how many milliseconds, agents had conversations by (day, agent, what, how)."""
    times: Counter[tuple[int, str, str, str]] = Counter()
    sums: Counter[tuple[int, str, str, str]] = Counter()
    for agent, answered, how, since_ms, until_ms in (each for count in counts for each in count.held):
        what = "held" if answered else "held_unanswered"
        times[until_ms // DAY_MS, agent, what, how] += 1
        at_ms = since_ms
        while at_ms < until_ms:
            end_ms = min((at_ms // DAY_MS + 1) * DAY_MS, until_ms)
            sums[at_ms // DAY_MS, agent, what, how] += end_ms - at_ms
            at_ms = end_ms
    return times, sums
