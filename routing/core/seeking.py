"""Conversations asking for an agent, or for none any more.

Invariant: a conversation that seeks an agent is in a line, kept back until it opens, offered, assigned or claimable
after every decision.
"""

from protocol.bus.config import Rule
from protocol.bus.effects import Release, Seek
from protocol.bus.staff import PRIORITIES
from protocol.ids import AgentId, TeamId
from routing.core.choosing import preferred
from routing.core.configured import tongue
from routing.core.events import (
    AgentFreed,
    ConversationReleased,
    OfferEnded,
    Queued,
    Unrouted,
)
from routing.core.explain import reasons
from routing.core.lines import asks_owner, default_rule, key_of, rule_for
from routing.core.log import AnyRosterEvent
from routing.core.offers import missed, put_before
from routing.core.patience import level_of, next_reminder
from routing.core.places import first_place, rank_of
from routing.core.queue import Held, Offered, Talking, Wish
from routing.core.state import Roster

LOST = "agent_lost"
NO_REPLY = "no_reply"
QUIET = "lost"  # its agent is gone and it is owed nothing: there is nothing to remind anybody of


def seek(roster: Roster, command: Seek, at_ms: int) -> list[AnyRosterEvent]:
    """Queue the conversation, or leave it open to claims; whom it asks for first is asked first."""
    held, rule = roster.held.get(command.conversation), _rule(roster, command)
    key = "" if rule is None else key_of(rule.id, _team(roster, command))
    if held is not None and not isinstance(held.phase, Talking) and held.line == key:
        return []
    events = [] if held is None else freed(held, at_ms, unanswered=command.reason == NO_REPLY)
    if held is not None and isinstance(held.phase, Talking) and command.reason == NO_REPLY:
        events += missed(roster, roster.members[held.phase.agent], held, at_ms)
    if rule is None:
        return [*events, _unrouted(roster, held, command, at_ms)]
    wish = _wish(roster, command)
    events.append(_queued(roster, rule, command, wish, at_ms))
    line = roster.lines.get(key)
    if line is not None and not _is_shut(roster, wish):
        choice = preferred(roster, line, wish.first)
        if choice is not None:
            events.append(put_before(roster, command.conversation, choice, at_ms))
    return events


def again(roster: Roster, held: Held, reason: str) -> Seek:
    """Return what `held` asks for, as it would be asked anew under the rules there are."""
    first = dict(reversed([(why, agent) for agent, why in held.wish.first]))
    return Seek(
        roster.account, held.conversation, held.inbox, held.rule, held.since_ms, reason,
        prefer=first.get("last_agent"), priority=PRIORITIES[held.priority], language=held.wish.language,
        owner=first.get("owner"), team=held.wish.team, hours=held.wish.hours,
    )  # fmt: skip


def _rule(roster: Roster, command: Seek) -> Rule | None:
    if command.rule is not None:
        return rule_for(roster.staffing, command.rule, command.inbox)
    # A team is sought under the inbox's own rule even if nobody else would be.
    return None if _team(roster, command) is None else default_rule(roster.staffing, command.inbox)


def _team(roster: Roster, command: Seek) -> TeamId | None:
    return None if roster.staffing.team(command.team) is None else command.team


def _wish(roster: Roster, command: Seek) -> Wish:
    first: list[tuple[AgentId, str]] = []
    if command.owner is not None and command.rule is not None and asks_owner(roster.staffing, command.rule):
        first.append((command.owner, "owner"))
    if command.prefer is not None:
        first.append((command.prefer, "last_agent"))
    if command.reason != LOST:
        first = [(agent, reason) for agent, reason in first if agent != command.avoid]
    hours, team = None if command.available_anyway else command.hours, _team(roster, command)
    return Wish(tongue(command.language), team, hours, first if team is None else [])


def _is_shut(roster: Roster, wish: Wish) -> bool:
    door = roster.doors.get(wish.hours) if wish.hours is not None else None
    return door is not None and not door.open


def freed(held: Held, at_ms: int, *, unanswered: bool = False) -> list[AnyRosterEvent]:
    """Return what ends the present hold of an agent on `held`, if there is one."""
    match held.phase:
        case Talking(agent=agent):
            return [AgentFreed(at_ms, held.conversation, agent, unanswered)]
        case Offered(offer=offer, agent=agent):
            return [OfferEnded(at_ms, offer, held.conversation, agent, "withdrawn")]
    return []


def _queued(roster: Roster, rule: Rule, command: Seek, wish: Wish, at_ms: int) -> Queued:
    held, key = roster.held.get(command.conversation), key_of(rule.id, wish.team)
    line, priority, shut = roster.lines.get(key), level_of(command.priority), _is_shut(roster, wish)
    rank = rank_of(line, command.conversation, command.since_ms, (priority, roster.seq + 1, at_ms))
    return Queued(
        at_ms, command.conversation, command.inbox, rule.id, command.since_ms, command.reason,
        # A lost agent who comes back is welcome to it again; anybody else to avoid counts as asked in this round.
        None if command.reason == LOST else command.avoid,
        left_by(held),
        0 if shut else first_place(roster, line, rank, at_ms),
        None if line is None or line.ring else reasons(roster, line, None, None),
        key, priority, wish,
    )  # fmt: skip


def _unrouted(roster: Roster, held: Held | None, command: Seek, at_ms: int) -> Unrouted:
    remind_ms = 0 if command.reason == QUIET else next_reminder(roster.staffing, command.inbox, at_ms, at_ms)
    return Unrouted(at_ms, command.conversation, command.inbox, command.since_ms, left_by(held), remind_ms)


def left_by(held: Held | None) -> str | None:
    """Return the line in which `held` stood so far, or None."""
    return None if held is None else held.line or None


def release(roster: Roster, command: Release, at_ms: int) -> list[AnyRosterEvent]:
    """Forget a conversation that is closed or parked, and free its agent."""
    held = roster.held.get(command.conversation)
    if held is None:
        return []
    phase = held.phase
    agent = phase.agent if type(phase) is Offered or type(phase) is Talking else None
    offer = phase.offer if type(phase) is Offered else None
    return [ConversationReleased(at_ms, held.conversation, held.inbox, left_by(held), agent, offer)]
