"""The roster's next move: which rule of routing answers a command.

Invariant: nothing is changed here, and nothing walks the agents or a line but what a new configuration, hours that turn
and places to tell need.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from protocol.bus import commands, effects
from protocol.bus.commands import Asked, TimerFired
from protocol.bus.decisions import Already, Refusal, Told
from protocol.ids import OfferId
from protocol.wire.codes import Code
from routing.core import attendance, claims, doors, figures, offers, patience, places, seeking, staffing
from routing.core.log import AnyRosterEvent
from routing.core.state import Roster

Decision: TypeAlias = list[AnyRosterEvent] | Refusal | Already | Told
RosterCommand: TypeAlias = Any  # one of `_DECIDERS`


def decide(roster: Roster, command: RosterCommand, at_ms: int) -> Decision:
    """Return what happens because of `command`, or why it may not. An empty list: it no longer matters."""
    if roster.ended and isinstance(command, Asked) and command.origin.gateway in roster.ended:
        return Refusal(Code.UNAVAILABLE)  # that gateway is over: its agents' sessions are, too
    decision: Decision = _DECIDERS[type(command)](roster, command, at_ms)
    return decision


def _fire(roster: Roster, timer: TimerFired, at_ms: int) -> list[AnyRosterEvent]:
    return _TIMERS[timer.kind](roster, timer, at_ms)


_DECIDERS: dict[type, Callable[[Roster, Any, int], Any]] = {
    effects.Seek: seeking.seek,
    effects.Reconsider: offers.reconsider,
    effects.Release: seeking.release,
    effects.Reprioritise: patience.reprioritise,
    effects.Weigh: patience.weigh,
    effects.NoteReply: lambda _, command, at_ms: figures.note_reply(command, at_ms),
    effects.OpenTicket: figures.number_ticket,
    effects.RosterConfig: staffing.take,
    commands.TimerFired: _fire,
    commands.GatewayLost: attendance.lose_gateway,
    commands.AgentArrives: attendance.arrive,
    commands.AgentLeaves: attendance.leave,
    commands.SetAgentState: attendance.set_state,
    commands.AcceptOffer: offers.accept,
    commands.DeclineOffer: offers.decline,
    commands.ClaimConversation: claims.claim,
    commands.TransferConversation: claims.transfer,
    commands.AskWhoNext: lambda roster, command, _: figures.who_next(roster, command),
}

_TIMERS: dict[str, Callable[[Roster, TimerFired, int], list[AnyRosterEvent]]] = {
    "offer": lambda roster, timer, at_ms: offers.expire(roster, OfferId(timer.key), at_ms),
    "retry": offers.begin_round,
    "grace": attendance.give_up,
    "places": places.tell_places,
    "ageing": patience.age,
    "overflow": patience.overflow,
    "remind": patience.remind,
    "opening": doors.turn,
    "replies": figures.forget_replies,
}
