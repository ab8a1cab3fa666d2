"""A newer configuration: who is on the roster, and which lines there are.

Invariant: nobody keeps an offer they may not take, no conversation keeps an agent who left the account, and everything
that waits is looked at again.
"""

import msgspec

from protocol.bus.config import Rule
from protocol.bus.decisions import Already
from protocol.bus.effects import RosterConfig
from protocol.ids import AgentId, ConversationId, InboxId, RuleId
from routing.core import doors, timers
from routing.core.configured import Seat, Staffing, doors_at, staffing_of
from routing.core.events import AgentGivenUp, OfferEnded, StaffingTaken
from routing.core.feeds import rule_rows
from routing.core.holding import idle, put, renew
from routing.core.lines import Line, key_of, rule_for
from routing.core.log import AnyRosterEvent
from routing.core.manning import man
from routing.core.presence import Member
from routing.core.queue import SEEKING, Resting
from routing.core.state import Roster


def taken(staffing: Staffing, at_ms: int) -> StaffingTaken:
    """Return the event by which a configuration takes effect."""
    return StaffingTaken(at_ms, staffing, doors_at(staffing, at_ms))


def take(roster: Roster, command: RosterConfig, at_ms: int) -> list[AnyRosterEvent] | Already:
    """Let a newer configuration take effect; an older or equal one is nothing new."""
    if command.config.version <= roster.staffing.version:
        return Already()
    event = taken(staffing_of(command.config), at_ms)
    return [event, *_offers_lost(roster, event), *_given_up(roster, event)]


def _offers_lost(roster: Roster, event: StaffingTaken) -> list[AnyRosterEvent]:
    seated = _seated(event.staffing)
    access = {inbox.id: set(inbox.agents) & seated for inbox in event.staffing.inboxes}
    closed = {hours for hours, is_open, _ in event.doors if not is_open}
    off_shift = {seat.agent for seat in event.staffing.seats if seat.hours in closed}

    def lost(agent: AgentId, conversation: ConversationId) -> bool:
        return agent in off_shift or agent not in access.get(roster.held[conversation].inbox, ())

    return [
        OfferEnded(event.at_ms, offer, conversation, member.agent, "withdrawn")
        for member in roster.members.values()
        for offer, conversation in member.offers.items()
        if lost(member.agent, conversation)
    ]


def _given_up(roster: Roster, event: StaffingTaken) -> list[AnyRosterEvent]:
    seated = _seated(event.staffing)
    return [
        AgentGivenUp(event.at_ms, member.agent, list(member.conversations))
        for member in roster.members.values()
        if member.seat and member.conversations and member.agent not in seated
    ]


def _seated(staffing: Staffing) -> set[AgentId]:
    return {seat.agent for seat in staffing.seats if seat.seat}


def evolve(roster: Roster, event: StaffingTaken) -> None:
    """Rebuild members, lines and doors; states, loads, turns and queues stay. Who rested may be asked about again."""
    rows, states = rule_rows(roster), {member.agent: member.seems for member in roster.members.values()}
    patience = {key: _patience(line) for key, line in roster.lines.items()}
    _rebuild(roster, event)
    hurried = {key for key, line in roster.lines.items() if patience.get(key) != _patience(line)}
    _wait_on(roster, hurried, event.at_ms)
    now = rule_rows(roster)
    roster.last.rules = {RuleId(rule): True for rule in {**rows, **now} if rows.get(rule) != now.get(rule)}
    roster.last.agents = {
        member.agent: True
        for member in roster.members.values()
        if states.get(member.agent, "available") != member.seems
    }


def _patience(line: Line) -> tuple[int, int]:
    return (line.rule.ageing_s, line.rule.overflow.after_s)


def _rebuild(roster: Roster, event: StaffingTaken) -> None:
    roster.staffing = event.staffing
    roster.members = _members(roster.members, event.staffing)
    doors.hang(roster, event.doors)
    for member in roster.members.values():
        member.standing = member.stands()
    roster.there = _there(roster)
    before, roster.lines = roster.lines, _lines(roster, event.staffing)
    for gone in (line for key, line in before.items() if key not in roster.lines):
        roster.change_timers(timers.of_line(gone), {})
    for line in roster.lines.values():
        man(roster, line)
    for line in roster.lines.values():
        line.rows = []
    for rule in event.staffing.rules:
        roster.lines[_sought_by(event.staffing, rule)].rows.append(rule.id)
    for inbox in [inbox for inbox in roster.replies if event.staffing.inbox(inbox) is None]:
        roster.change_timers(timers.of_replies(inbox, roster.replies.pop(inbox)), {})


def _sought_by(staffing: Staffing, rule: Rule) -> RuleId:
    """Return the rule under which the conversations of `rule` wait."""
    found = rule_for(staffing, rule.id, rule.inbox)
    assert found is not None, "a rule leads to a rule"
    return found.id


def _wait_on(roster: Roster, hurried: set[str], at_ms: int) -> None:
    """Let all who wait do so by the new rules and hours."""
    for held in roster.held.values():
        if held.also not in roster.lines:
            held.also = ""
        if held.line in hurried:
            renew(roster, held, at_ms)
        doors.obey(roster, held, at_ms)
        if isinstance(held.phase, Resting):
            put(roster, held, idle(roster, held), at_ms)


def _there(roster: Roster) -> dict[InboxId, int]:
    there = dict.fromkeys((inbox.id for inbox in roster.staffing.inboxes), 0)
    for member in roster.members.values():
        for inbox in member.inboxes if member.is_there else ():
            there[inbox] += 1
    return there


def _members(before: dict[AgentId, Member], staffing: Staffing) -> dict[AgentId, Member]:
    """Return the agents of the account, then those who left it but still have sessions or conversations."""
    inboxes: dict[AgentId, list[InboxId]] = {}
    for inbox in staffing.inboxes:
        for agent in dict.fromkeys(inbox.agents):
            inboxes.setdefault(agent, []).append(inbox.id)
    now = {seat.agent: _member(before.get(seat.agent), seat, inboxes.get(seat.agent, [])) for seat in staffing.seats}
    for member in before.values():
        if member.agent not in now and (member.sessions or member.conversations or member.offers):
            gone = Seat(member.agent, member.name, seat=False, supervisor=False, capacity=0)
            now[member.agent] = _member(member, gone, [])
    return now


def _member(before: Member | None, seat: Seat, inboxes: list[InboxId]) -> Member:
    fresh = Member(
        seat.agent, seat.name, seat.seat, seat.supervisor, seat.capacity, inboxes, seat.languages, seat.hours
    )
    if before is None:
        return fresh
    kept = ("sessions", "state", "expiries", "back_seq", "grace", "conversations", "quiet", "offers")
    return msgspec.structs.replace(fresh, **{name: getattr(before, name) for name in kept})


def _lines(roster: Roster, staffing: Staffing) -> dict[str, Line]:
    """Return the line of each rule, and those of teams that somebody waits for."""
    before, lines = roster.lines, dict[str, Line]()
    used = {key for held in roster.held.values() if type(held.phase) in SEEKING for key in (held.line, held.also)}
    for rule in staffing.rules:
        line = lines[key_of(rule.id, None)] = before.get(rule.id) or Line(rule.id, rule)
        line.rule = rule
    for key, line in before.items():
        still = staffing.rule(line.rule.id)
        if key in used and still is not None and staffing.team(line.team) is not None:
            line.rule, lines[key] = still, line
    return lines
