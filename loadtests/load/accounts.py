"""The accounts of an installation of our own, as a scenario wants them.

Invariant: everything goes the way of any other account: chatflow, consent, routing, log, receipts, SQL. Nobody can log
in with a password; whoever started the installation issues tickets.
"""

from datetime import UTC, datetime

from loadtests.load.link import Ground
from loadtests.load.scenario import Account, Opening, Scenario
from protocol.bus.chatflow import Availability, EmailCapture, Storage, Survey
from protocol.bus.config import AccountConfig, Agent, App, Chatflow, Consent, Heading, Inbox, Rule
from protocol.bus.hours import MINUTES_A_DAY, Hours, Interval
from protocol.ids import (
    AccountId,
    AgentId,
    AppKey,
    CellName,
    ChatflowId,
    HoursId,
    InboxId,
    RuleId,
    SurveyId,
)

TAG = "load"
_HOURS = HoursId("hours_load")


def accounts(scenario: Scenario, now_s: float) -> list[AccountConfig]:
    """Return the configurations, each in a cell of its own as far as there are so many."""
    each = -(-scenario.agents() // scenario.accounts)
    names = [f"load{number}" for number in range(scenario.accounts)]
    cells = scenario.installation.cells
    return [
        _account(name, CellName(f"c{number % cells:02d}"), each, scenario.account, now_s)
        for number, name in enumerate(names)
    ]


def ground(config: AccountConfig, redis_url: str) -> Ground:
    """Return how to drive an account of an installation of our own."""
    staff: list[tuple[str, str]] = [(agent.id, agent.email) for agent in config.agents]
    return Ground(config.account, config.apps[0].key, TAG, staff, redis_url=redis_url, cell=config.cell)


def _account(name: str, cell: CellName, agents: int, wanted: Account, now_s: float) -> AccountConfig:
    inbox, rule = InboxId(f"inbox_{name}"), RuleId(f"rule_{name}")
    staff = [
        Agent(AgentId(f"agent{at}"), f"Agent {at}", f"agent{at}@{name}.example", "", capacity=wanted.capacity)
        for at in range(agents)
    ]
    sought = Rule(
        rule, inbox, name, auto_accept=wanted.auto_accept, offer_timeout_s=wanted.offer_timeout_s, first_reply_s=0
    )
    return AccountConfig(
        AccountId(name),
        name,
        1,
        cell,
        name.encode().ljust(32, b"k"),
        [App(AppKey(f"app_{name}"), name)],
        [Inbox(inbox, name, agents=[agent.id for agent in staff])],
        staff,
        [sought],
        [_chatflow(name, inbox, rule, wanted)],
        hours=[] if wanted.hours is None else [_hours(wanted.hours, now_s)],
    )


def _chatflow(name: str, inbox: InboxId, rule: RuleId, wanted: Account) -> Chatflow:
    availability = Availability("always") if wanted.hours is None else Availability("office_hours", hours=_HOURS)
    return Chatflow(
        ChatflowId(f"flow_{name}"), 1, name, inbox, [TAG], 1, True, "en", rule, Heading(name=name), {"en": "Welcome"},
        Consent(wanted.consent, {"en": "May we?"}),
        storage=Storage(wanted.storage), email=EmailCapture(wanted.email, wanted.email),
        reopen_window_s=int(wanted.reopen_window_s), inactivity_s=wanted.inactivity_s, availability=availability,
        survey=Survey(SurveyId("survey_load"), name, expires_s=60) if wanted.survey else None,
    )  # fmt: skip


def _hours(wanted: Opening, now_s: float) -> Hours:
    """Return hours that open and close once, so many minutes after now, whatever day that is."""
    now = datetime.fromtimestamp(now_s, UTC)
    now_min = now.hour * 60 + now.minute
    open_min, close_min = now_min + wanted.opens_min, now_min + wanted.closes_min
    today = Interval(open_min % MINUTES_A_DAY, min(close_min, MINUTES_A_DAY))
    spans = [Interval(open_min, min(close_min, MINUTES_A_DAY))] if open_min < MINUTES_A_DAY else []
    if close_min > MINUTES_A_DAY:  # beyond midnight: the same hours of any day will do
        spans.insert(0, Interval(max(0, open_min - MINUTES_A_DAY), close_min - MINUTES_A_DAY))
    return Hours(_HOURS, "load", "UTC", [list(spans or [today]) for _ in range(7)])
