"""The other side of a preview: whoever tries out a chatflow also plays the agent in it.

Invariant: it is played in the preview's hidden account only, by whoever holds the token; and through whichever gateway
is asked: who is there is the agent's state, which all of them share.
"""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gateway.core.actions import Mark
from gateway.doors import OUTCOME_TIMEOUT_S
from gateway.logs import Where
from gateway.presence import random_id
from gateway.services import Services
from protocol.bus import topics
from protocol.bus.commands import AgentArrives, AgentCloses, AgentLeaves, AgentSends, Asked, Origin, SetAgentState
from protocol.bus.config import AccountConfig, Agent
from protocol.bus.topics import Ephemeral
from protocol.ids import ConversationId, DeviceId, SessionId
from protocol.wire.client import Id
from protocol.wire.codes import BY_WIRE, Code
from protocol.wire.kinds import AgentContent
from protocol.wire.server import TypingNow
from store.sql.queries.previews import Preview

_DEVICE = DeviceId("the rehearsal")
_PASSING = ("type", "read")
_to_msgpack = msgspec.msgpack.Encoder().encode


class Act(Struct, frozen=True, forbid_unknown_fields=True):
    """What the agent does: comes, goes, types (`on`), reads everything, says something as a `send` would (SPEC 8.7),
    or closes the conversation."""

    act: Literal["come", "go", "type", "read", "say", "close"]
    conversation: Id = "-"
    text: Annotated[str, Meta(max_length=2_000)] = ""
    content: AgentContent | None = None
    on: bool = True


async def play(services: Services, preview: Preview, config: AccountConfig, act: Act) -> Code | None:
    """Have an agent do it; return why it was refused, None if it was not. Raises Away or Refused."""
    agent = _agent(preview, config)
    if agent is None:
        return Code.NOT_AVAILABLE
    if act.act in _PASSING:
        return await _pass(services, config, agent, act)
    entropy, session = services.outside.entropy, SessionId(f"ses_{preview.id}")
    for command in _commands(config, agent, act):
        origin = Origin(services.lease.incarnation, session, _DEVICE, 0, random_id("act_", entropy))
        outcome = await services.pending.answer(config.cell, command(origin), OUTCOME_TIMEOUT_S)
        if outcome.code:
            return BY_WIRE.get(outcome.code, Code.UNAVAILABLE)
    return None


def _commands(config: AccountConfig, agent: Agent, act: Act) -> list[Callable[[Origin], Asked]]:
    account, me, conversation = config.account, agent.id, ConversationId(act.conversation)
    arrives = [
        lambda origin: AgentArrives(account, origin, me),
        lambda origin: SetAgentState(account, origin, me, "available"),
    ]
    match act.act:
        case "say":
            return [*arrives, lambda origin: AgentSends(account, origin, conversation, me, act.text, act.content)]
        case "close":
            return [lambda origin: AgentCloses(account, origin, conversation, me)]
        case "go":  # the session may be another gateway's; the state is everybody's
            return [
                lambda origin: SetAgentState(account, origin, me, "away"),
                lambda origin: AgentLeaves(account, origin, me),
            ]
        case _:
            return arrives


async def _pass(services: Services, config: AccountConfig, agent: Agent, act: Act) -> Code | None:
    """Show the visitor what passes by a conversation of the hidden account (SPEC 9.1, 9.2)."""
    cell, conversation = config.cell, ConversationId(act.conversation)
    head, _ = await services.logs.before(Where(cell, config.account, conversation, "staff"), 2, 1)
    if head is None or head.account != config.account:
        return Code.NOT_FOUND
    if act.act == "read":
        services.receipts.mark(cell, _DEVICE, Mark(conversation, "staff", head.seq, head.seq))
        return None
    frame = _to_msgpack(TypingNow(conversation, "agent", head.alias or agent.name, act.on))
    passing = _to_msgpack(Ephemeral("visitor", _DEVICE, frame))
    services.cells.line(cell).tell("SPUBLISH", topics.ephemeral(cell, conversation), passing)
    return None


def _agent(preview: Preview, config: AccountConfig) -> Agent | None:
    """Return who plays: the first with a seat who has the chatflow's inbox."""
    inbox = next((flow.inbox for flow in config.chatflows if flow.id == preview.id), None)
    may = next((each.agents for each in config.inboxes if each.id == inbox), [])
    seated = {agent.id: agent for agent in config.agents if agent.seat}
    return next((seated[agent] for agent in may if agent in seated), None)
