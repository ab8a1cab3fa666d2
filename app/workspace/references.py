"""Whether the things of a workspace fit together: names that lead somewhere, and nothing claimed twice.

Invariant: what could not be read is no ground for a second mistake.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from itertools import combinations
from typing import Any, TypeVar

import msgspec

from app.workspace.shape import LAST, Account, Workspace
from app.workspace.structs import Placed
from protocol.bus.config import Agent, App, Chatflow, Inbox, Rule

T = TypeVar("T", bound=msgspec.Struct)


def check(workspace: Workspace) -> None:
    """Note everything that does not fit."""
    accounts = workspace.accounts
    apps = [app for account in accounts for app in account.thing.apps]
    agents = [agent for account in accounts for agent in account.thing.agents]
    _once(accounts, "id", lambda account: account.id)
    _once(apps, "key", lambda app: app.key)
    _once(agents, "email", lambda agent: agent.email.lower())
    for account in accounts:
        _check_account(account.thing)


def _check_account(account: Account) -> None:
    things: list[Sequence[Placed[Any]]] = [account.inboxes, account.agents, account.rules, account.chatflows]
    for of_kind in things:
        _once(of_kind, "id", lambda thing: thing.id)
    agents: dict[str, Agent] = {agent.thing.id: agent.thing for agent in account.agents}
    inboxes: dict[str, Inbox] = {inbox.thing.id: inbox.thing for inbox in account.inboxes}
    rules: dict[str, Rule] = {rule.thing.id: rule.thing for rule in account.rules}
    for app in account.apps:
        _check_app(app)
    for inbox in account.inboxes:
        _known(inbox, "agents", inbox.thing.agents, agents)
    for rule in account.rules:
        _known(rule, "inbox", [rule.thing.inbox], inboxes)
        _known(rule, "agents", rule.thing.agents, agents)
        _check_seats(rule, agents, inboxes)
    for flow in account.chatflows:
        _known(flow, "inbox", [flow.thing.inbox], inboxes)
        _check_rule(flow, rules)
        _check_texts(flow)
    _check_priorities(account.chatflows)


def _check_app(app: Placed[App]) -> None:
    kids = [key.kid for key in app.thing.identity_keys if key.kid]
    for kid in sorted({kid for kid in kids if kids.count(kid) > 1}):
        app.wrong("identity_keys", f"two keys are called {kid}")


def _check_seats(rule: Placed[Rule], agents: dict[str, Agent], inboxes: dict[str, Inbox]) -> None:
    inbox = inboxes.get(rule.thing.inbox)
    for name in rule.thing.agents:
        agent = agents.get(name)
        if agent is not None and not agent.seat:
            rule.wrong("agents", f"seat_required: {name} has no seat and cannot be routed to")
        elif agent is not None and inbox is not None and name not in inbox.agents:
            rule.wrong("agents", f"{name} has no access to the inbox {inbox.id}")


def _check_rule(flow: Placed[Chatflow], rules: dict[str, Rule]) -> None:
    name, inbox = flow.thing.rule, flow.thing.inbox
    if not name or name == "off":
        return
    rule = rules.get(name)
    if rule is None:
        flow.wrong("rule", f"there is no rule {name}; name one, or say off")
    elif inbox and rule.inbox not in ("", inbox):
        flow.wrong("rule", f"{name} is a rule of the inbox {rule.inbox}, not of {inbox}")


def _check_texts(flow: Placed[Chatflow]) -> None:
    language = flow.thing.language
    for field, texts in (("welcome", flow.thing.welcome), ("consent", flow.thing.consent.text)):
        if texts and language and language not in texts:
            flow.wrong(field, f"has no text in {language}, the chatflow's language")


def _check_priorities(flows: list[Placed[Chatflow]]) -> None:
    for first, second in combinations(flows, 2):
        shared = sorted(set(first.thing.tags) & set(second.thing.tags))
        if shared and first.thing.priority == second.thing.priority != LAST:
            why = f"{first.thing.id} has the same one for the tag {shared[0]}: which is served would be chance"
            second.wrong("priority", why)


def _known(placed: Placed[Any], field: str, names: Iterable[str], there_are: Container[str]) -> None:
    what = field.removesuffix("s")
    for name in names:
        if name and name not in there_are:
            placed.wrong(field, f"there is no {what} {name}")


def _once(things: Sequence[Placed[T]], field: str, name: Callable[[T], str]) -> None:
    first: dict[str, int] = {}
    for placed in things:
        key = name(placed.thing)
        if key and key in first:
            placed.wrong(field, f"{key} is already used in line {first[key]}")
        elif key:
            first[key] = placed.here.line
