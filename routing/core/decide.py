"""The roster's next move: which rule of routing answers a command.

Invariant: nothing is changed here, and nothing walks the agents or a line but what configuration and places need.
"""

from typing import TypeAlias, assert_never

from protocol.bus.commands import (
    AcceptOffer,
    AgentArrives,
    AgentLeaves,
    Asked,
    ClaimConversation,
    DeclineOffer,
    GatewayLost,
    SetAgentState,
    TimerFired,
    TransferConversation,
)
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import Reconsider, Release, RosterConfig, Seek
from protocol.ids import OfferId
from protocol.wire.codes import Code
from routing.core import attendance, claims, offers, seeking, staffing
from routing.core.events import AnyRosterEvent
from routing.core.state import Roster

FromAgents: TypeAlias = (
    AgentArrives | AgentLeaves | SetAgentState | AcceptOffer | DeclineOffer | ClaimConversation | TransferConversation
)
RosterCommand: TypeAlias = FromAgents | Seek | Release | Reconsider | RosterConfig | GatewayLost | TimerFired
Decision: TypeAlias = list[AnyRosterEvent] | Refusal | Already


def decide(roster: Roster, command: RosterCommand, at_ms: int) -> Decision:
    """Return what happens because of `command`, or why it may not. An empty list: it no longer matters."""
    match command:
        case Seek():
            return seeking.seek(roster, command, at_ms)
        case Reconsider():
            return offers.reconsider(roster, command, at_ms)
        case Release():
            return seeking.release(roster, command, at_ms)
        case TimerFired():
            return _fire(roster, command, at_ms)
        case GatewayLost():
            return attendance.lose_gateway(roster, command, at_ms)
        case RosterConfig():
            return staffing.take(roster, command, at_ms)
        case Asked() if command.origin.gateway in roster.ended:
            return Refusal(Code.UNAVAILABLE)  # that gateway is over: its agents' sessions are, too
        case _:
            return _answer(roster, command, at_ms)


def _answer(roster: Roster, command: FromAgents, at_ms: int) -> Decision:
    match command:
        case AgentArrives():
            return attendance.arrive(roster, command, at_ms)
        case AgentLeaves():
            return attendance.leave(roster, command, at_ms)
        case SetAgentState():
            return attendance.set_state(roster, command, at_ms)
        case AcceptOffer():
            return offers.accept(roster, command, at_ms)
        case DeclineOffer():
            return offers.decline(roster, command, at_ms)
        case ClaimConversation():
            return claims.claim(roster, command, at_ms)
        case TransferConversation():
            return claims.transfer(roster, command, at_ms)
        case _:
            assert_never(command)


def _fire(roster: Roster, timer: TimerFired, at_ms: int) -> list[AnyRosterEvent]:
    match timer.kind:
        case "offer":
            return offers.expire(roster, OfferId(timer.key), at_ms)
        case "grace":
            return attendance.give_up(roster, timer, at_ms)
        case "retry":
            return offers.begin_round(roster, timer, at_ms)
        case "places":
            return seeking.tell_places(roster, timer, at_ms)
    raise AssertionError(f"no roster timer is called {timer.kind}")
