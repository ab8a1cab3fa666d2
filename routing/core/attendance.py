"""Agents coming, going and saying, or being told, whether they may be asked.

Invariant: only the end of an agent's last session starts the grace, and only its own incarnation's end ends a session.
"""

from protocol.bus.commands import AgentArrives, AgentLeaves, GatewayLost, SetAgentState, TimerFired
from protocol.bus.decisions import Already, Refusal
from protocol.ids import AgentId, ConversationId
from protocol.wire.codes import Code
from routing.core.events import AgentArrived, AgentGivenUp, AgentLeft, GatewayEnded, StateSet
from routing.core.log import AnyRosterEvent
from routing.core.offers import withdraw_all
from routing.core.state import Roster


def arrive(roster: Roster, command: AgentArrives, at_ms: int) -> list[AnyRosterEvent] | Refusal | Already:
    """Note a session of an agent."""
    member = roster.members.get(command.agent)
    if member is None:
        return Refusal(Code.NOT_FOUND)
    session = (command.origin.gateway, command.origin.session)
    return Already() if session in member.sessions else [AgentArrived(at_ms, member.agent, *session)]


def leave(roster: Roster, command: AgentLeaves, at_ms: int) -> list[AnyRosterEvent] | Already:
    """Note the end of a session; after the last one, open offers go on at once and the grace begins."""
    member = roster.members.get(command.agent)
    session = (command.origin.gateway, command.origin.session)
    if member is None or session not in member.sessions:
        return Already()
    last = len(member.sessions) == 1
    left = AgentLeft(at_ms, member.agent, *session, last)
    return [left, *(withdraw_all(member, at_ms) if last else [])]


def lose_gateway(roster: Roster, command: GatewayLost, at_ms: int) -> list[AnyRosterEvent] | Already:
    """End all sessions of an incarnation, and remember it, so that its late commands are refused."""
    if command.gateway in roster.ended:
        return Already()
    here = dict.fromkeys(roster.gateways.get(command.gateway, {}).values())
    gone = [agent for agent in here if _only_through(roster, agent, command)]
    events: list[AnyRosterEvent] = [GatewayEnded(at_ms, command.gateway, gone)]
    for agent in gone:
        events += withdraw_all(roster.members[agent], at_ms)
    return events


def _only_through(roster: Roster, agent: AgentId, command: GatewayLost) -> bool:
    return all(gateway == command.gateway for gateway, _ in roster.members[agent].sessions)


def set_state(roster: Roster, command: SetAgentState, at_ms: int) -> list[AnyRosterEvent] | Refusal | Already:
    """Take an agent's word, or a supervisor's of another; open offers of one who goes away go on at once."""
    by, member = roster.members.get(command.agent), roster.members.get(command.of or command.agent)
    if by is None or member is None:
        return Refusal(Code.NOT_FOUND)
    if member is not by and not any(by.leads(inbox) for inbox in member.inboxes):
        return Refusal(Code.NOT_PERMITTED)
    if member.state == command.state:
        return Already()
    why = "agent" if member is by else "supervisor"
    changed = StateSet(at_ms, member.agent, command.state, why, by.agent)
    return [changed, *(withdraw_all(member, at_ms) if command.state != "available" else [])]


def give_up(roster: Roster, timer: TimerFired, at_ms: int) -> list[AnyRosterEvent]:
    """End the grace of an agent who did not come back; what a rule keeps for them stays theirs."""
    member = roster.members.get(AgentId(timer.key))
    if member is None or member.grace is None or member.grace.generation != timer.generation:
        return []
    lost = [conversation for conversation in member.conversations if not _kept(roster, conversation)]
    return [AgentGivenUp(at_ms, member.agent, lost)]


def _kept(roster: Roster, conversation: ConversationId) -> bool:
    line = roster.lines.get(roster.held[conversation].rule or "")
    return line is not None and line.rule.keep_when_lost
