"""What is true after an event.

Invariant: follows from the roster and the event alone, so that a replayed log gives the same bytes.
"""

from collections.abc import Callable
from typing import Any

from routing.core import doors, events, figures, patience, staffing, timers
from routing.core.holding import forget, idle, own_line, put, renew, settle, stir
from routing.core.log import AnyRosterEvent
from routing.core.manning import line_at
from routing.core.presence import ENDED_REMEMBERED_MS, Grace, Member
from routing.core.queue import SEEKING, Held, Offered, Resting, Talking, Unassigned
from routing.core.state import Changes, Roster


def evolve(roster: Roster, event: AnyRosterEvent) -> None:
    """Make `roster` what is true after `event`, in place."""
    roster.seq += 1
    roster.last = Changes()
    _BECAUSE[type(event)](roster, event)


def _arrived(roster: Roster, event: events.AgentArrived) -> None:
    member = roster.members[event.agent]
    if not member.sessions:
        member.back_seq = roster.seq
        _mourn(roster, member, None)
    member.sessions.append((event.gateway, event.session))
    roster.gateways.setdefault(event.gateway, {})[event.session] = event.agent
    settle(roster, member)


def _mourn(roster: Roster, member: Member, grace: Grace | None) -> None:
    """Begin an agent's grace, or end it."""
    before = timers.of_member(member)
    member.grace = grace
    roster.change_timers(before, timers.of_member(member))


def _left(roster: Roster, event: events.AgentLeft) -> None:
    sessions = roster.gateways[event.gateway]
    del sessions[event.session]
    if not sessions:
        del roster.gateways[event.gateway]
    member = roster.members[event.agent]
    member.sessions.remove((event.gateway, event.session))
    _bereaved(roster, member, event.at_ms)


def _gateway_ended(roster: Roster, event: events.GatewayEnded) -> None:
    roster.ended = {gone: at for gone, at in roster.ended.items() if at > event.at_ms - ENDED_REMEMBERED_MS}
    roster.ended[event.gateway] = event.at_ms
    for agent in dict.fromkeys(roster.gateways.pop(event.gateway, {}).values()):
        member = roster.members[agent]
        member.sessions = [session for session in member.sessions if session[0] != event.gateway]
        _bereaved(roster, member, event.at_ms)


def _bereaved(roster: Roster, member: Member, at_ms: int) -> None:
    """Begin the grace if that was the last session of an agent with conversations."""
    if not member.sessions and member.conversations:
        _mourn(roster, member, Grace(at_ms + roster.grace_ms, roster.seq))
    settle(roster, member)


def _state_set(roster: Roster, event: events.StateSet) -> None:
    member = roster.members[event.agent]
    member.state = event.state
    member.expiries = 0
    member.back_seq = roster.seq
    settle(roster, member)


def _given_up(roster: Roster, event: events.AgentGivenUp) -> None:
    _mourn(roster, roster.members[event.agent], None)


def _queued(roster: Roster, event: events.Queued) -> None:
    held = _fresh(roster, event)
    rule = roster.staffing.rule(event.rule)
    held.rule, held.priority, held.wish = event.rule, event.priority, event.wish
    held.line = event.line or event.rule
    if rule is not None:
        line_at(roster, rule, event.wish.team)
    if event.avoid in roster.members:
        held.asked[event.avoid] = roster.seq
    if event.place:
        held.told = (event.place, event.at_ms)
    put(roster, held, idle(roster, held), event.at_ms)
    line = own_line(roster, held)
    if held.told is not None and not event.place and line is not None:
        stir(roster, line, event.at_ms)


def _unrouted(roster: Roster, event: events.Unrouted) -> None:
    held = _fresh(roster, event)
    put(roster, held, Unassigned(event.remind_ms, roster.seq, event.at_ms), event.at_ms)


def _fresh(roster: Roster, event: events.Queued | events.Unrouted) -> Held:
    """Return the conversation at the start of a search; what its visitor was told is kept, and how long they wait."""
    before = roster.held.get(event.conversation)
    since_ms = event.since_ms
    held = Held(event.conversation, event.inbox, None, since_ms, roster.seq, Unassigned(), from_ms=since_ms)
    if before is not None:
        put(roster, before, Unassigned(), event.at_ms)
        held.told = before.told
        held.overflowed = before.overflowed and before.since_ms == since_ms
        held.priority = before.priority
    roster.held[event.conversation] = held
    return held


def _reminded(roster: Roster, event: events.Reminded) -> None:
    held = roster.held[event.conversation]
    assert isinstance(held.phase, Unassigned)
    told = Unassigned(event.next_ms, roster.seq, held.phase.since_ms, held.phase.reminded + 1, event.supervisors)
    put(roster, held, told, event.at_ms)


def _priority_changed(roster: Roster, event: events.PriorityChanged) -> None:
    held = roster.held[event.conversation]
    held.priority = event.priority
    renew(roster, held, event.at_ms)


def _aged(roster: Roster, event: events.Aged) -> None:
    renew(roster, roster.held[event.conversation], event.at_ms)


def _weighed(roster: Roster, event: events.ConversationWeighed) -> None:
    held = roster.held[event.conversation]
    assert isinstance(held.phase, Talking)
    held.counts = event.counts
    member = roster.members[held.phase.agent]
    if event.counts:
        member.quiet.pop(held.conversation, None)
    else:
        member.quiet[held.conversation] = True
        member.expiries = 0  # it waits for the visitor: they answered
    settle(roster, member)


def _offered(roster: Roster, event: events.ConversationOffered) -> None:
    roster.offers_made += 1
    held = roster.held[event.conversation]
    _use_turn(roster, event, event.line or event.rule)
    put(roster, held, Offered(event.offer, event.agent, event.deadline_ms, event.reason), event.at_ms)


def _use_turn(roster: Roster, event: events.ConversationOffered | events.ConversationAssigned, key: str) -> None:
    if event.turn and key in roster.lines:
        roster.lines[key].ring.turn(event.agent)


def _offer_ended(roster: Roster, event: events.OfferEnded) -> None:
    member, held = roster.members[event.agent], roster.held[event.conversation]
    if event.how != "withdrawn":
        member.expiries = member.expiries + 1 if event.how == "expired" else 0
        held.asked[event.agent] = roster.seq
    put(roster, held, idle(roster, held), event.at_ms)


def _assigned(roster: Roster, event: events.ConversationAssigned) -> None:
    held = roster.held[event.conversation]
    _use_turn(roster, event, event.line or held.line)
    line = own_line(roster, held)
    if line is not None and type(held.phase) in SEEKING:
        line.note_wait(max(event.at_ms - held.from_ms, 0))
    if event.offer is not None or event.how == "claim":
        roster.members[event.agent].expiries = 0
    held.counts = True  # whoever has it new has not answered yet
    put(roster, held, Talking(event.agent, event.at_ms), event.at_ms)


def _transferred(roster: Roster, event: events.ConversationTransferred) -> None:
    held = roster.held[event.conversation]
    held.counts = True
    put(roster, held, Talking(event.to, event.at_ms), event.at_ms)


def _freed(roster: Roster, event: events.AgentFreed) -> None:
    roster.members[event.agent].expiries += event.unanswered
    put(roster, roster.held[event.conversation], Unassigned(), event.at_ms)


def _released(roster: Roster, event: events.ConversationReleased) -> None:
    held = roster.held[event.conversation]
    if isinstance(held.phase, Talking):
        roster.members[held.phase.agent].expiries = 0  # they had it to its end
    put(roster, held, Unassigned(), event.at_ms)
    forget(roster, held)


def _rested(roster: Roster, event: events.ConversationRested) -> None:
    held = roster.held[event.conversation]
    put(roster, held, Resting(event.until_ms, roster.seq), event.at_ms)
    line = own_line(roster, held)
    if held.told is None and line is not None:
        stir(roster, line, event.at_ms)  # no place was told: it was to be assigned in the very step


def _round_begun(roster: Roster, event: events.RoundBegun) -> None:
    held = roster.held[event.conversation]
    held.asked = {}
    put(roster, held, idle(roster, held), event.at_ms)


def _places_told(roster: Roster, event: events.PlacesTold) -> None:
    for conversation, place in event.places:
        roster.held[conversation].told = (place, event.at_ms)
    line = roster.lines[event.line]
    roster.change_timers(timers.of_line(line), {})
    line.told_ms, line.round = event.at_ms, None
    if event.again:
        stir(roster, line, event.at_ms)


def _numbered(roster: Roster, event: events.TicketNumbered) -> None:
    roster.tickets = event.number


_BECAUSE: dict[type, Callable[[Roster, Any], None]] = {
    events.StaffingTaken: staffing.evolve,
    events.DoorTurned: doors.evolve,
    events.AgentArrived: _arrived,
    events.AgentLeft: _left,
    events.GatewayEnded: _gateway_ended,
    events.StateSet: _state_set,
    events.AgentGivenUp: _given_up,
    events.Queued: _queued,
    events.Unrouted: _unrouted,
    events.Reminded: _reminded,
    events.PriorityChanged: _priority_changed,
    events.Aged: _aged,
    events.ConversationOverflowed: patience.overflowed,
    events.ConversationWeighed: _weighed,
    events.ConversationOffered: _offered,
    events.OfferEnded: _offer_ended,
    events.ConversationAssigned: _assigned,
    events.ConversationTransferred: _transferred,
    events.HandedToTeam: lambda _, __: None,  # the conversation will seek
    events.AgentFreed: _freed,
    events.ConversationReleased: _released,
    events.ConversationRested: _rested,
    events.RoundBegun: _round_begun,
    events.PlacesTold: _places_told,
    events.ReplyNoted: figures.recount,
    events.RepliesForgotten: figures.recount,
    events.TicketNumbered: _numbered,
}
