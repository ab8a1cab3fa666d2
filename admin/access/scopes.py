"""What may be done, by name, and which role may do what (docs/howto/rest.md).

Invariant: a key can do no more than who made it can by now; nobody gives a role that may more than they do.
"""

from typing import Literal, get_args

from protocol.bus.staff import Agent, Role

Scope = Literal[
    "settings.read", "settings.edit", "staff.edit", "chatflows.edit", "chatflows.publish", "contacts.read",
    "contacts.edit", "contacts.erase", "conversations.read", "conversations.edit", "notes.read", "reports.read",
    "audit.read", "keys.edit", "accounts.edit",
]  # fmt: skip
SCOPES: tuple[Scope, ...] = get_args(Scope)
INSTALLATION: frozenset[Scope] = frozenset({"accounts.edit"})  # what only the installation's own keys may

_AGENT: frozenset[Scope] = frozenset({"settings.read", "contacts.read", "conversations.read", "notes.read"})
_SUPERVISOR: frozenset[Scope] = _AGENT | {"contacts.edit", "conversations.edit", "reports.read"}
_OWNER: frozenset[Scope] = frozenset(SCOPES) - INSTALLATION
_BY_ROLE: dict[Role, frozenset[Scope]] = {
    "owner": _OWNER,
    "admin": _OWNER - {"keys.edit", "contacts.erase"},
    "supervisor": _SUPERVISOR,
    "agent": _AGENT,
}


def scopes_of(agent: Agent) -> frozenset[Scope]:
    """Return what a user may do: by their role, and what was granted beside it."""
    return _BY_ROLE[agent.role] | set(agent.permissions)


def is_within(role: Role, scopes: frozenset[Scope]) -> bool:
    """Whether all that `role` may do is in `scopes`: nobody gives, or touches, more than they have."""
    return _BY_ROLE[role] <= scopes
