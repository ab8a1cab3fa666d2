"""What is true after an event.

Invariant: follows from the roster and the event alone, so that a replayed log gives the same bytes.
"""

from collections.abc import Callable
from typing import Any

from routing.core import events, staffing
from routing.core.events import AnyRosterEvent
from routing.core.holding import line_of, put, settle, stir
from routing.core.presence import ENDED_REMEMBERED_MS, Grace, Member
from routing.core.queue import Held, Offered, Resting, Talking, Unassigned, Waiting
from routing.core.state import Roster


def evolve(roster: Roster, event: AnyRosterEvent) -> None:
    """Make `roster` what is true after `event`, in place."""
    roster.seq += 1
    _BECAUSE[type(event)](roster, event)


def _arrived(roster: Roster, event: events.AgentArrived) -> None:
    member = roster.members[event.agent]
    if not member.sessions:
        member.back_seq, member.grace = roster.seq, None
    member.sessions.append((event.gateway, event.session))
    roster.gateways.setdefault(event.gateway, {})[event.session] = event.agent
    settle(roster, member)


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
        member.grace = Grace(at_ms + roster.grace_ms, roster.seq)
    settle(roster, member)


def _state_set(roster: Roster, event: events.StateSet) -> None:
    member = roster.members[event.agent]
    member.away = event.state == "away"
    member.expiries = 0
    member.back_seq = roster.seq
    settle(roster, member)


def _given_up(roster: Roster, event: events.AgentGivenUp) -> None:
    roster.members[event.agent].grace = None


def _queued(roster: Roster, event: events.Queued) -> None:
    held = _fresh(roster, event)
    held.rule = event.rule
    if event.avoid in roster.members:
        held.asked[event.avoid] = roster.seq
    if event.place:
        held.told = (event.place, event.at_ms)
    put(roster, held, Waiting(), event.at_ms)
    line = line_of(roster, held)
    if held.told is not None and not event.place and line is not None:
        stir(roster, line, event.at_ms)


def _unrouted(roster: Roster, event: events.Unrouted) -> None:
    _fresh(roster, event)


def _fresh(roster: Roster, event: events.Queued | events.Unrouted) -> Held:
    """Return the conversation at the start of a search; only what its visitor was last told is kept."""
    before = roster.held.get(event.conversation)
    if before is not None:
        put(roster, before, Unassigned(), event.at_ms)
    held = Held(event.conversation, event.inbox, None, event.since_ms, roster.seq, Unassigned())
    held.told = None if before is None else before.told
    roster.held[event.conversation] = held
    return held


def _offered(roster: Roster, event: events.ConversationOffered) -> None:
    roster.offers_made += 1
    held = roster.held[event.conversation]
    if event.turn:
        roster.lines[event.rule].ring.turn(event.agent)
    put(roster, held, Offered(event.offer, event.agent, event.deadline_ms, event.reason), event.at_ms)


def _offer_ended(roster: Roster, event: events.OfferEnded) -> None:
    member, held = roster.members[event.agent], roster.held[event.conversation]
    if event.how != "withdrawn":
        member.expiries = member.expiries + 1 if event.how == "expired" else 0
        held.asked[event.agent] = roster.seq
    put(roster, held, Waiting(), event.at_ms)


def _assigned(roster: Roster, event: events.ConversationAssigned) -> None:
    held = roster.held[event.conversation]
    line = line_of(roster, held)
    if event.turn and line is not None:
        line.ring.turn(event.agent)
    if event.offer is not None or event.how == "claim":
        roster.members[event.agent].expiries = 0
    put(roster, held, Talking(event.agent, event.at_ms), event.at_ms)


def _transferred(roster: Roster, event: events.ConversationTransferred) -> None:
    put(roster, roster.held[event.conversation], Talking(event.to, event.at_ms), event.at_ms)


def _freed(roster: Roster, event: events.AgentFreed) -> None:
    put(roster, roster.held[event.conversation], Unassigned(), event.at_ms)


def _released(roster: Roster, event: events.ConversationReleased) -> None:
    put(roster, roster.held[event.conversation], Unassigned(), event.at_ms)
    del roster.held[event.conversation]


def _rested(roster: Roster, event: events.ConversationRested) -> None:
    put(roster, roster.held[event.conversation], Resting(event.until_ms, roster.seq), event.at_ms)


def _round_begun(roster: Roster, event: events.RoundBegun) -> None:
    held = roster.held[event.conversation]
    held.asked = {}
    put(roster, held, Waiting(), event.at_ms)


def _places_told(roster: Roster, event: events.PlacesTold) -> None:
    for conversation, place in event.places:
        roster.held[conversation].told = (place, event.at_ms)
    line = roster.lines[event.rule]
    line.told_ms, line.round = event.at_ms, None
    if event.again:
        stir(roster, line, event.at_ms)


_BECAUSE: dict[type, Callable[[Roster, Any], None]] = {
    events.StaffingTaken: staffing.evolve,
    events.AgentArrived: _arrived,
    events.AgentLeft: _left,
    events.GatewayEnded: _gateway_ended,
    events.StateSet: _state_set,
    events.AgentGivenUp: _given_up,
    events.Queued: _queued,
    events.Unrouted: _unrouted,
    events.ConversationOffered: _offered,
    events.OfferEnded: _offer_ended,
    events.ConversationAssigned: _assigned,
    events.ConversationTransferred: _transferred,
    events.AgentFreed: _freed,
    events.ConversationReleased: _released,
    events.ConversationRested: _rested,
    events.RoundBegun: _round_begun,
    events.PlacesTold: _places_told,
}
