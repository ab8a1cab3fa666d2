"""Which agents a conversation is open to (product §4, eligibility; SPEC 8).

Invariant: judged by the account's present configuration, here and not only in gateways. Whoever has no access to its
inbox finds nothing there; what is behind the gate nobody of staff finds.
"""

from typing import Final

import msgspec

from engine.core import phases
from engine.core.asked import Stamped
from engine.core.conversation import Conversation
from protocol.bus.config import AccountConfig, Agent
from protocol.bus.decisions import Refusal
from protocol.ids import AccountId, AgentId, InboxId
from protocol.wire.codes import Code
from protocol.wire.content import Author, Role

_HIDDEN: Final = frozenset({phases.NotStarted, phases.Opening, phases.Gated, phases.Ready})
_NOT_FOUND: Final = Refusal(Code.NOT_FOUND)


class _Staff(msgspec.Struct, frozen=True, gc=False):
    agents: dict[AgentId, Agent]
    inboxes: dict[InboxId, frozenset[AgentId]]


_KNOWN: dict[AccountId, tuple[AccountConfig, _Staff]] = {}  # of each account the configuration asked for last


def colleague(state: Conversation, asked: Stamped) -> Agent | Refusal:
    """Return the agent who asks, if the conversation is open to them."""
    config = asked.facts.config
    if config is None or type(state.phase) in _HIDDEN:
        return _NOT_FOUND
    staff = _staff(config)
    agent = staff.agents.get(asked.command.agent)
    if agent is None or agent.id not in staff.inboxes.get(state.terms.inbox, ()):
        return _NOT_FOUND
    return agent


def has_access(config: AccountConfig, inbox: InboxId, agent: AgentId) -> bool:
    """Whether `agent` works in `inbox`."""
    staff = _staff(config)
    return agent in staff.agents and agent in staff.inboxes.get(inbox, ())


def author_of(agent: Agent) -> Author:
    """Return the agent as the log names them."""
    return Author(Role.AGENT, agent.id, agent.name)


def _staff(config: AccountConfig) -> _Staff:
    """Return who works where: looked up by every word of an agent, so not searched for among a thousand."""
    known = _KNOWN.get(config.account)
    if known is None or known[0] is not config:
        agents = {agent.id: agent for agent in config.agents}
        staff = _Staff(agents, {inbox.id: frozenset(inbox.agents) for inbox in config.inboxes})
        known = _KNOWN[config.account] = (config, staff)
    return known[1]
