"""The other side of a preview: whoever tries out a chatflow also plays the agent in it.

Invariant: it is played in the preview's hidden account only, by whoever holds the token.
"""

from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.doors import OUTCOME_TIMEOUT_S
from gateway.presence import random_id
from gateway.services import Services
from protocol.bus.commands import AgentArrives, AgentCloses, AgentLeaves, AgentSends, Asked, Origin, SetAgentState
from protocol.bus.config import AccountConfig
from protocol.ids import AgentId, ConversationId, DeviceId, SessionId
from protocol.wire.client import Id
from protocol.wire.codes import BY_WIRE, Code
from protocol.wire.kinds import AgentContent
from store.sql.queries.previews import Preview

_DEVICE = DeviceId("the rehearsal")


class Act(Struct, frozen=True, forbid_unknown_fields=True):
    """What the agent does: comes, goes, says something in a conversation as a `send` would (SPEC 8.7), or closes it."""

    act: Literal["come", "go", "say", "close"]
    conversation: Id = "-"
    text: Annotated[str, Meta(max_length=2_000)] = ""
    content: AgentContent | None = None


async def play(services: Services, preview: Preview, config: AccountConfig, act: Act) -> Code | None:
    """Have an agent do it; return why it was refused, None if it was not. Raises Away or Refused."""
    agent = _agent(preview, config)
    if agent is None:
        return Code.NOT_AVAILABLE
    entropy, session = services.outside.entropy, SessionId(f"ses_{preview.id}")
    for command in _commands(config, agent, act):
        origin = Origin(services.lease.incarnation, session, _DEVICE, 0, random_id("act_", entropy))
        outcome = await services.pending.answer(config.cell, command(origin), OUTCOME_TIMEOUT_S)
        if outcome.code:
            return BY_WIRE.get(outcome.code, Code.UNAVAILABLE)
    return None


def _commands(config: AccountConfig, agent: AgentId, act: Act) -> list[Callable[[Origin], Asked]]:
    account, conversation = config.account, ConversationId(act.conversation)
    arrives = [
        lambda origin: AgentArrives(account, origin, agent),
        lambda origin: SetAgentState(account, origin, agent, "available"),
    ]
    match act.act:
        case "come":
            return arrives
        case "go":
            return [lambda origin: AgentLeaves(account, origin, agent)]
        case "say":
            return [*arrives, lambda origin: AgentSends(account, origin, conversation, agent, act.text, act.content)]
        case "close":
            return [lambda origin: AgentCloses(account, origin, conversation, agent)]


def _agent(preview: Preview, config: AccountConfig) -> AgentId | None:
    """Return who plays: the first with a seat who has the chatflow's inbox."""
    inbox = next((flow.inbox for flow in config.chatflows if flow.id == preview.id), None)
    may = next((each.agents for each in config.inboxes if each.id == inbox), [])
    seated = {agent.id for agent in config.agents if agent.seat}
    return next((agent for agent in may if agent in seated), None)
