"""An agent's way in: ticket, seat, the roster's word, and `ready` (SPEC 3.6, 8.1).

Invariant: whoever arrived at the roster and did not get in leaves it again.
"""

from msgspec import Struct

from gateway.core.agent import ARRIVE, LEAVE, AgentSession, agent_of, inboxes_of
from gateway.core.consoles import Desk
from gateway.doors import OUTCOME_TIMEOUT_S, Arrival, Turned, check_cell, check_version
from gateway.services import Services
from gateway.standings import next_n
from protocol.bus import topics
from protocol.bus.commands import AgentArrives, AgentLeaves
from protocol.bus.config import AccountConfig, Agent
from protocol.bus.decisions import Refusal
from protocol.ids import AgentId, device_id
from protocol.wire import client
from protocol.wire.codes import BY_WIRE, Code
from protocol.wire.limits import HEARTBEAT_S, PROTOCOL_VERSION, REMEMBERED_OUTCOMES
from protocol.wire.server import AgentReady, AgentView, CannedView, TeamView
from store.redis.keys import Keys


class LetIn(Struct, frozen=True):
    """An agent who is in: the session, what to say first, and where to resume."""

    session: AgentSession
    config: AccountConfig
    ready: AgentReady
    positions: list[client.Position]
    feeds: list[client.FeedPosition]


async def admit(services: Services, arrival: Arrival, hello: client.AgentHello) -> LetIn:
    """Let an agent in, or raise Turned; Away, Refused or StoreAway if a part of the server is."""
    check_version(hello)
    ticket = await services.outside.credentials.redeem_ticket(services.cells, hello.ticket)
    if isinstance(ticket, Refusal):
        raise Turned(ticket.code)
    config = await services.configs.of_account(ticket.cell, ticket.account)
    agent = seated(config, ticket.agent)
    if agent is None:
        config = await services.configs.newest(config)
        agent = seated(config, ticket.agent)
    if agent is None:
        raise Turned(Code.SEAT_REQUIRED)
    check_cell(ticket.cell, services.load, services.lease)
    device = device_id(config.id_key, agent.id, hello.device_key)
    desk = Desk(config.account, services.lease.incarnation, arrival.session, device, agent.id)
    await _arrive(services, config, desk)
    ready = await _ready(services, config, agent, desk)
    session = AgentSession(desk, config, services.limits)
    return LetIn(session, config, ready, hello.positions, hello.feeds)


def seated(config: AccountConfig, agent: AgentId) -> Agent | None:
    """Return the agent if they hold a seat."""
    found = agent_of(config, agent)
    return found if found is not None and found.seat else None


async def _arrive(services: Services, config: AccountConfig, desk: Desk) -> None:
    arrives = AgentArrives(config.account, desk.origin(0, ARRIVE), desk.agent)
    try:
        outcome = await services.pending.answer(config.cell, arrives, OUTCOME_TIMEOUT_S)
    except BaseException:
        leave(services, config, desk)
        raise
    if outcome.code:
        raise Turned(BY_WIRE.get(outcome.code, Code.UNAVAILABLE))


def leave(services: Services, config: AccountConfig, desk: Desk) -> None:
    """Tell the roster that this session is over."""
    if services.lease.incarnation == desk.gateway:
        services.pending.ask(config.cell, AgentLeaves(config.account, desk.origin(0, LEAVE), desk.agent), None)


async def _ready(services: Services, config: AccountConfig, agent: Agent, desk: Desk) -> AgentReady:
    line, keys = services.cells.line(config.cell), Keys(config.cell)
    slots = [f"o:{slot}" for slot in range(REMEMBERED_OUTCOMES)]
    outcomes = line.send("HMGET", keys.desk(desk.device), *slots)
    mine = line.send("HKEYS", keys.feed_rows(topics.agent_feed(config.account, agent.id)))
    states = await services.states.of(config)
    load = sum(key.startswith((b"conversation:", b"offer:")) for key in await mine)
    inboxes = inboxes_of(config, agent.id)
    feeds = [
        topics.agent_feed(config.account, agent.id),
        *(topics.inbox_feed(config.account, each) for each in inboxes),
    ]
    return AgentReady(
        v=PROTOCOL_VERSION,
        session=desk.session,
        device=desk.device,
        epoch=services.load.epoch(config.cell),
        at=services.outside.now_ms(),
        heartbeat_s=HEARTBEAT_S,
        limits=services.limits.stated(to_agent=True),
        agent=AgentView(agent.id, agent.name, states[agent.id], agent.capacity, load),
        colleagues=[
            AgentView(each.id, each.name, states[each.id], each.capacity) for each in config.agents if each != agent
        ],
        inboxes=list(inboxes),
        feeds=feeds,
        next_n=next_n(await outcomes),
        teams=[TeamView(each.id, each.name, list(each.members)) for each in config.teams],
        canned=[CannedView(each.id, each.text) for each in config.canned],
        supervisor=agent.supervisor,
    )
