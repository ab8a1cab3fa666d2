"""Whether the things of an account fit each other: seats, rules of inboxes, targeting, shares of a tag.

Invariant: what could not be read, or leads nowhere, is no ground for a second mistake.
"""

from collections import Counter
from itertools import combinations
from typing import Any

from admin.workspace.flows import OFF, UNNAMED, by_another_way, is_link
from admin.workspace.shape import Account
from admin.workspace.structs import Placed
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig, App
from protocol.bus.hours import Hours
from protocol.bus.staff import Agent, Inbox, Rule
from protocol.bus.targeting import version_key


def check(placed: Placed[Account], present: AccountConfig | None) -> None:
    """Note what does not fit; `present` is the account as it is now."""
    account = placed.thing
    agents: dict[str, Agent] = {agent.thing.id: agent.thing for agent in account.agents}
    inboxes: dict[str, Placed[Inbox]] = {inbox.thing.id: inbox for inbox in account.inboxes}
    rules: dict[str, Rule] = {rule.thing.id: rule.thing for rule in account.rules}
    before: dict[str, Rule] = {rule.id: rule for rule in present.rules} if present else {}
    _check_keys(account.apps)
    for hours in account.hours:
        _check_holidays(hours)
    for inbox in account.inboxes:
        _check_rule_of(inbox, "default_rule", (inbox.thing.default_rule, inbox.thing.id), rules)
    for rule in account.rules:
        _check_seats(rule, (agents, inboxes), before.get(rule.thing.id))
        _check_owner(rule, rules)
    for flow in account.chatflows:
        if flow.thing.rule != OFF:
            _check_rule_of(flow, "rule", (flow.thing.rule, flow.thing.inbox), rules)
        _check_flow(flow)
        _check_survey(flow, account)
    _check_priorities(account.chatflows)


def _check_keys(apps: list[Placed[App]]) -> None:
    """Refuse an identity key that serves both environments: a test key would let people in for real."""
    environments: dict[str, set[str]] = {}
    for app in apps:
        for key in app.thing.identity_keys:
            environments.setdefault(key.material, set()).add(app.thing.environment)
    for app in apps:
        for key in app.thing.identity_keys:
            if app.thing.environment == "test" and key.material and len(environments[key.material]) > 1:
                app.wrong("identity_keys", f"{key.kid} is a key of a production app: each environment has its own")


def _check_holidays(hours: Placed[Hours]) -> None:
    days = Counter(holiday.day for holiday in hours.thing.holidays if holiday.day)
    for day in sorted(day for day, count in days.items() if count > 1):
        hours.wrong("holidays", f"{day} is there twice")


def _check_seats(
    rule: Placed[Rule], staff: tuple[dict[str, Agent], dict[str, Placed[Inbox]]], before: Rule | None
) -> None:
    """Refuse who has no seat (a seat that is taken away later only warns), and who has no access."""
    agents, inboxes = staff
    inbox = inboxes.get(rule.thing.inbox)
    access = inbox.says("agents") if inbox else ()
    for name in rule.thing.agents:
        agent = agents.get(name)
        if agent is not None and not agent.seat and (before is None or name not in before.agents):
            rule.wrong("agents", f"seat_required: {name} has no seat and cannot be routed to", said=name)
        elif agent is not None and inbox is not None and name not in access:
            rule.wrong("agents", f"{name} has no access to the inbox {inbox.thing.id}", said=name)


def _check_owner(rule: Placed[Rule], rules: dict[str, Rule]) -> None:
    fallback = rules.get(rule.thing.fallback or "")
    if rule.thing.assignment != "contact_owner":
        readable = not rule.has("assignment") or rule.at["assignment"].scalar("str") == rule.thing.assignment
        if rule.thing.fallback and readable:
            rule.wrong("fallback", "is for assignment contact_owner only")
    elif not rule.has("fallback"):
        rule.wrong("assignment", "contact_owner needs a fallback: the rule if the contact has no owner")
    elif fallback is not None and fallback.assignment == "contact_owner":
        rule.wrong("fallback", f"{fallback.id} goes by the contact's owner itself")
    else:
        _check_rule_of(rule, "fallback", (rule.thing.fallback, rule.thing.inbox), rules)


def _check_rule_of(placed: Placed[Any], field: str, named: tuple[str | None, str], rules: dict[str, Rule]) -> None:
    name, inbox = named
    rule = rules.get(name or "")
    if rule is not None and inbox and rule.inbox not in ("", inbox):
        placed.wrong(field, f"{name} is a rule of the inbox {rule.inbox}, not of {inbox}")


def _check_flow(flow: Placed[Chatflow]) -> None:
    heading, availability, target = flow.thing.heading, flow.thing.availability, flow.thing.targeting
    if heading.kind == "users_and_teams" and not (flow.has("heading.agents") or flow.has("heading.teams")):
        flow.wrong("heading", "users_and_teams needs agents or teams to show")
    if availability.kind == "office_hours" and not flow.has("availability.hours"):
        flow.wrong("availability", "office_hours needs hours")
    if target.max_version and version_key(target.min_version) > version_key(target.max_version):
        flow.wrong("targeting.max_version", f"is before min_version {target.min_version}")


def _check_survey(flow: Placed[Chatflow], account: Account) -> None:
    linked = flow.thing.survey.id if flow.thing.survey is not None and is_link(flow) else None
    for survey in account.surveys:
        if survey.thing.id == linked and survey.thing.delivery != "chat":
            flow.wrong("survey", by_another_way(survey.thing))


def _check_priorities(flows: list[Placed[Chatflow]]) -> None:
    for first, second in combinations(flows, 2):
        shared = sorted(_tags(first.thing) & _tags(second.thing))
        if shared and first.thing.priority == second.thing.priority != UNNAMED:
            why = f"{first.thing.id} has the same one for the tag {shared[0]}: which is served would be chance"
            second.wrong("priority", why)


def _tags(flow: Chatflow) -> set[str]:
    return {*flow.tags, *flow.former_tags}
