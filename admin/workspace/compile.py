"""Accounts of a workspace file as configurations: what was left out filled in, versions counted, secrets hashed.

Invariant: an account that the file describes as it already is compiles to exactly its present configuration.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from admin.workspace.flows import LAST, OFF, UNNAMED
from admin.workspace.shape import Account
from admin.workspace.structs import Placed
from admin.workspace.versions import publish_flows
from protocol.bus.chatflow import Chatflow, Heading, Survey
from protocol.bus.config import AccountConfig
from protocol.bus.staff import Agent, Inbox, Rule
from protocol.ids import AccountId, CellName, InboxId, RuleId, SurveyId

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Ground:
    """What an account is compiled against: its present configuration, or where a new one will live."""

    present: AccountConfig | None
    cell: CellName
    entropy: Callable[[int], bytes]


def compile_account(account: Account, ground: Ground) -> AccountConfig:
    """Return the account's configuration: the present one if nothing changed, else the next version."""
    present = ground.present
    rules = _rules(account)
    inboxes = _inboxes(account, rules)
    hashes = {agent.id: agent.password for agent in present.agents} if present else {}
    newest, past = publish_flows(_chatflows(account, inboxes), present)
    config = AccountConfig(
        account=AccountId(account.id),
        name=account.name,
        version=present.version if present else 0,
        cell=present.cell if present else ground.cell,
        id_key=present.id_key if present else ground.entropy(32),
        apps=_things(account.apps),
        inboxes=inboxes,
        agents=[_agent(agent, hashes.get(agent.id, ""), ground.entropy) for agent in _things(account.agents)],
        rules=rules,
        chatflows=newest,
        past=past,
        teams=_things(account.teams),
        hours=_things(account.hours),
        subscriptions=_things(account.subscriptions),
        canned=_things(account.canned),
        texts=account.texts,
        data_privacy=account.data_privacy,
        storage_consent=account.storage_consent,
        max_open=account.max_open,
        surveys=_things(account.surveys),
    )
    return config if config == present else msgspec.structs.replace(config, version=config.version + 1)


def _things(placed: list[Placed[T]]) -> list[T]:
    return [one.thing for one in placed]


def _agent(agent: Agent, known_hash: str, entropy: Callable[[int], bytes]) -> Agent:
    if agent.password.startswith("$argon2"):
        return agent
    same = bool(known_hash) and _is_hash_of(known_hash, agent.password)
    hashed = known_hash if same else PasswordHasher().hash(agent.password, salt=entropy(16))
    return msgspec.structs.replace(agent, password=hashed)


def _is_hash_of(known: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(known, password)
    except (VerificationError, InvalidHashError):
        return False


def _rules(account: Account) -> list[Rule]:
    """Return the file's rules, and a default one for each inbox that has none."""
    rules = _things(account.rules)
    served = {rule.inbox for rule in rules}
    for inbox in _things(account.inboxes):
        if inbox.id not in served:
            rules.append(Rule(RuleId(f"{inbox.id}.default"), inbox.id, "Default"))
    return rules


def _inboxes(account: Account, rules: list[Rule]) -> list[Inbox]:
    first_rule = {rule.inbox: rule.id for rule in reversed(rules)}
    return [
        msgspec.structs.replace(inbox, default_rule=inbox.default_rule or first_rule[inbox.id])
        for inbox in _things(account.inboxes)
    ]


def _chatflows(account: Account, inboxes: list[Inbox]) -> list[Chatflow]:
    default_rule: dict[InboxId, RuleId | None] = {inbox.id: inbox.default_rule for inbox in inboxes}
    surveys = {survey.id: survey for survey in _things(account.surveys)}
    return [
        msgspec.structs.replace(
            flow,
            rule=None if flow.rule == OFF else flow.rule or default_rule[flow.inbox],
            heading=headed(flow.heading, account.name),
            priority=LAST + number if flow.priority == UNNAMED else flow.priority,
            survey=_survey(flow.survey, surveys),
        )
        for number, flow in enumerate(_things(account.chatflows))
    ]


def headed(heading: Heading, account: str) -> Heading:
    """Return the heading with the name that visitors see: the account's, if it names none."""
    nameless = heading.kind == "custom" and not heading.name
    return msgspec.structs.replace(heading, name=account) if nameless else heading


def _survey(survey: Survey | None, surveys: dict[SurveyId, Survey]) -> Survey | None:
    return surveys[survey.id] if survey is not None and not survey.name else survey
