"""Whether the names in a workspace lead somewhere, and nothing is claimed twice.

Invariant: what could not be read is no ground for a second mistake.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from admin.workspace import fitting, wording
from admin.workspace.flows import OFF, is_link
from admin.workspace.shape import Account, Workspace
from admin.workspace.structs import Placed
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig, App
from protocol.bus.staff import Rule
from protocol.ids import AccountId

T = TypeVar("T", bound=msgspec.Struct)
_HOURS = "opening hours called"


def check(workspace: Workspace, present: Mapping[AccountId, AccountConfig]) -> None:
    """Note everything that does not fit, in itself or with what the accounts are at `present`."""
    accounts = workspace.accounts
    apps = [app for account in accounts for app in account.thing.apps]
    agents = [agent for account in accounts for agent in account.thing.agents]
    _once(accounts, "id", lambda account: account.id)
    _once(apps, "key", lambda app: app.key)
    _once(agents, "email", lambda agent: agent.email.lower())
    _server_keys_once(apps)
    for account in accounts:
        _check_names(account)
        fitting.check(account, present.get(AccountId(account.thing.id)))
        wording.check(account)


def _check_names(account: Placed[Account]) -> None:
    thing = account.thing
    things: list[Sequence[Placed[Any]]] = [
        thing.inboxes, thing.agents, thing.teams, thing.hours, thing.rules,
        thing.subscriptions, thing.canned, thing.surveys, thing.chatflows,
    ]  # fmt: skip
    for of_kind in things:
        _once(of_kind, "id", lambda one: one.id)
    for app in thing.apps:
        _kids_once(app)
    for inbox in thing.inboxes:
        _known(inbox, "agents", inbox.thing.agents, account.ids("agents"))
        _known(inbox, "default_rule", [inbox.thing.default_rule], account.ids("rules"), "rule")
    for team in thing.teams:
        _known(team, "members", team.thing.members, account.ids("agents"), "agent")
    for agent in thing.agents:
        _known(agent, "hours", [agent.thing.hours], account.ids("hours"), _HOURS)
    for rule in thing.rules:
        _check_rule(rule, account)
    for flow in thing.chatflows:
        _check_flow(flow, account)


def _check_rule(rule: Placed[Rule], account: Placed[Account]) -> None:
    teams = account.ids("teams")
    _known(rule, "inbox", [rule.thing.inbox], account.ids("inboxes"))
    _known(rule, "fallback", [rule.thing.fallback], account.ids("rules"), "rule")
    _known(rule, "agents", rule.thing.agents, account.ids("agents"))
    _known(rule, "teams", rule.thing.teams, teams)
    _known(rule, "overflow.team", [rule.thing.overflow.team], teams, "team")


def _check_flow(flow: Placed[Chatflow], account: Placed[Account]) -> None:
    thing, hours = flow.thing, account.ids("hours")
    if thing.rule != OFF:
        _known(flow, "rule", [thing.rule], account.ids("rules"), "rule", hint="; name one, or say off")
    _known(flow, "inbox", [thing.inbox], account.ids("inboxes"))
    _known(flow, "heading.agents", thing.heading.agents, account.ids("agents"), "agent")
    _known(flow, "heading.teams", thing.heading.teams, account.ids("teams"), "team")
    _known(flow, "availability.hours", [thing.availability.hours], hours, _HOURS)
    _known(flow, "targeting.schedule", [thing.targeting.schedule], hours, _HOURS)
    if thing.communicate is not None:
        subscriptions = account.ids("subscriptions")
        _known(flow, "communicate.subscription", [thing.communicate.subscription], subscriptions, "subscription")
    if thing.survey is not None and is_link(flow):
        _known(flow, "survey", [thing.survey.id], account.ids("surveys"))


def _kids_once(app: Placed[App]) -> None:
    kids = Counter(key.kid for key in app.thing.identity_keys if key.kid)
    for kid in sorted(kid for kid, count in kids.items() if count > 1):
        app.wrong("identity_keys", f"two keys are called {kid}")


def _server_keys_once(apps: list[Placed[App]]) -> None:
    first: dict[str, str] = {}
    for app in apps:
        for key in app.thing.server_keys:
            if first.setdefault(key, app.thing.key) != app.thing.key:
                app.wrong("server_keys", f"one of them is a key of {first[key]} too: each app has keys of its own")


def _known(
    placed: Placed[Any],
    field: str,
    names: Iterable[str | None],
    there_are: Container[str],
    what: str = "",
    *,
    hint: str = "",
) -> None:
    for name in names:
        if name and name not in there_are:
            placed.wrong(field, f"there is no {what or field.removesuffix('s')} {name}{hint}", said=name)


def _once(things: Sequence[Placed[T]], field: str, name: Callable[[T], str]) -> None:
    first: dict[str, str] = {}
    for placed in things:
        key = name(placed.thing)
        if key and key in first:
            placed.wrong(field, f"{key} is already used {first[key]}")
        elif key:
            first[key] = placed.here.spot
