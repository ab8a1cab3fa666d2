"""A newer configuration: who is on the roster, and which rules there are.

Invariant: nobody keeps an offer they may not take, and no conversation keeps an agent who left the account.
"""

import msgspec

from protocol.bus.config import Rule
from protocol.bus.decisions import Already
from protocol.bus.effects import RosterConfig
from protocol.ids import AgentId, InboxId
from routing.core.events import (
    AgentGivenUp,
    AnyRosterEvent,
    OfferEnded,
    Seat,
    Staffing,
    StaffingTaken,
    staffing_of,
)
from routing.core.holding import put
from routing.core.presence import NO_ACCESS, Member, Standing
from routing.core.queue import Line, Waiting
from routing.core.state import Roster


def take(roster: Roster, command: RosterConfig, at_ms: int) -> list[AnyRosterEvent] | Already:
    """Let a newer configuration take effect; an older or equal one is nothing new."""
    if command.config.version <= roster.staffing.version:
        return Already()
    staffing = staffing_of(command.config)
    return [StaffingTaken(at_ms, staffing), *_offers_lost(roster, staffing, at_ms), *_given_up(roster, staffing, at_ms)]


def _offers_lost(roster: Roster, staffing: Staffing, at_ms: int) -> list[AnyRosterEvent]:
    seated = _seated(staffing)
    access = {inbox.id: set(inbox.agents) & seated for inbox in staffing.inboxes}
    return [
        OfferEnded(at_ms, offer, conversation, member.agent, "withdrawn")
        for member in roster.members.values()
        for offer, conversation in member.offers.items()
        if member.agent not in access.get(roster.held[conversation].inbox, ())
    ]


def _given_up(roster: Roster, staffing: Staffing, at_ms: int) -> list[AnyRosterEvent]:
    seated = _seated(staffing)
    return [
        AgentGivenUp(at_ms, member.agent, list(member.conversations))
        for member in roster.members.values()
        if member.seat and member.conversations and member.agent not in seated
    ]


def _seated(staffing: Staffing) -> set[AgentId]:
    return {seat.agent for seat in staffing.seats if seat.seat}


def evolve(roster: Roster, event: StaffingTaken) -> None:
    """Rebuild members and lines; states, loads, turns and queues stay. Conversations that rested may be asked about."""
    roster.staffing = event.staffing
    access = {inbox.id: dict.fromkeys(inbox.agents) for inbox in event.staffing.inboxes}
    roster.members = _members(roster.members, event.staffing)
    roster.lines = {rule.id: _line(roster.lines.get(rule.id), rule) for rule in event.staffing.rules}
    for line in roster.lines.values():
        named = line.rule.agents or list(access.get(line.rule.inbox, ()))
        line.agents = [agent for agent in named if agent in roster.members and agent in access[line.rule.inbox]]
        for agent in line.agents:
            roster.members[agent].rules.append(line.rule.id)
        line.standings[NO_ACCESS] = len(named) - len(line.agents)
    for member in roster.members.values():
        member.standing = member.stands()
    for line in roster.lines.values():
        _ring(roster, line)
        _wake(roster, line)


def _members(before: dict[AgentId, Member], staffing: Staffing) -> dict[AgentId, Member]:
    """Return the agents of the account, then those who left it but still have sessions or conversations."""
    inboxes: dict[AgentId, list[InboxId]] = {}
    for inbox in staffing.inboxes:
        for agent in dict.fromkeys(inbox.agents):
            inboxes.setdefault(agent, []).append(inbox.id)
    now = {seat.agent: _member(before.get(seat.agent), seat, inboxes.get(seat.agent, [])) for seat in staffing.seats}
    for member in before.values():
        if member.agent not in now and (member.sessions or member.load):
            gone = Seat(member.agent, member.name, seat=False, supervisor=False, capacity=0)
            now[member.agent] = _member(member, gone, [])
    return now


def _member(before: Member | None, seat: Seat, inboxes: list[InboxId]) -> Member:
    if before is None:
        return Member(seat.agent, seat.name, seat.seat, seat.supervisor, seat.capacity, inboxes, [])
    return msgspec.structs.replace(
        before,
        name=seat.name,
        seat=seat.seat,
        supervisor=seat.supervisor,
        capacity=seat.capacity,
        inboxes=inboxes,
        rules=[],
    )


def _line(before: Line | None, rule: Rule) -> Line:
    line = Line(rule) if before is None else before
    line.rule = rule
    line.standings = {standing.value: 0 for standing in Standing} | {NO_ACCESS: 0}
    return line


def _ring(roster: Roster, line: Line) -> None:
    """Keep the order of those who stay, and let the newly ready join in the rule's order."""
    ready = dict.fromkeys(agent for agent in line.agents if roster.members[agent].standing is Standing.READY)
    for agent in list(line.ring):
        if agent not in ready:
            line.ring.leave(agent)
    for agent in ready:
        if agent not in line.ring:
            line.ring.join(agent)
    line.ring.forget(line.agents)
    for agent in line.agents:
        line.standings[roster.members[agent].standing] += 1


def _wake(roster: Roster, line: Line) -> None:
    while line.resting:
        put(roster, roster.held[line.resting.first()], Waiting(), 0)
