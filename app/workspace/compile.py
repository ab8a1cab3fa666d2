"""Accounts of a workspace file as configurations: what was left out filled in, versions counted, secrets hashed.

Invariant: an account that the file describes as it already is compiles to exactly its present configuration.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.workspace.shape import LAST, Account
from app.workspace.structs import Placed
from protocol.bus.config import AccountConfig, Agent, Chatflow, Consent, Heading, Rule
from protocol.ids import AccountId, CellName, RuleId

OFF = "off"
CONSENT_TEXTS = {
    "nb": "Vi lagrer og behandler det du skriver her for å kunne hjelpe deg. Er det greit?",
    "en": "We store and process what you write here so that we can help you. Do you agree?",
}
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
    hashes = {agent.id: agent.password for agent in present.agents} if present else {}
    config = AccountConfig(
        account=AccountId(account.id),
        name=account.name,
        version=present.version if present else 0,
        cell=present.cell if present else ground.cell,
        id_key=present.id_key if present else ground.entropy(32),
        apps=_things(account.apps),
        inboxes=_things(account.inboxes),
        agents=[_agent(agent, hashes.get(agent.id, ""), ground.entropy) for agent in _things(account.agents)],
        rules=rules,
        chatflows=_chatflows(account, rules, present),
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


def _chatflows(account: Account, rules: list[Rule], present: AccountConfig | None) -> list[Chatflow]:
    first_rule = {rule.inbox: rule.id for rule in reversed(rules)}
    before = {flow.id: flow for flow in present.chatflows} if present else {}
    flows = []
    for number, flow in enumerate(_things(account.chatflows)):
        full = msgspec.structs.replace(
            flow,
            rule=None if flow.rule == OFF else flow.rule or first_rule[flow.inbox],
            heading=_heading(flow.heading, account.name),
            priority=LAST + number if flow.priority == LAST else flow.priority,
            consent=_consent(flow.consent),
        )
        flows.append(_counted(full, before.get(flow.id)))
    return flows


def _heading(heading: Heading, account: str) -> Heading:
    nameless = heading.kind == "custom" and not heading.name
    return msgspec.structs.replace(heading, name=account) if nameless else heading


def _consent(consent: Consent) -> Consent:
    return consent if consent.text or consent.mode == OFF else msgspec.structs.replace(consent, text=CONSENT_TEXTS)


def _counted(flow: Chatflow, before: Chatflow | None) -> Chatflow:
    """Return the flow with its version: one more than before if anything changed that is not live at once."""
    if before is None:
        return flow
    as_before = msgspec.structs.replace(
        flow, version=before.version, enabled=before.enabled, priority=before.priority, tags=before.tags
    )
    version = before.version if as_before == before else before.version + 1
    return msgspec.structs.replace(flow, version=version)
