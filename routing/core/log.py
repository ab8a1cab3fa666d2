"""The roster's log: every event there is, and how each is stored.

Invariant: what was stored by any version is read by this one, and notes that people wrote are never in it.
"""

import msgspec

from routing.core import events
from routing.core.events import ConversationTransferred, HandedToTeam

AnyRosterEvent = (
    events.StaffingTaken
    | events.DoorTurned
    | events.AgentArrived
    | events.AgentLeft
    | events.GatewayEnded
    | events.StateSet
    | events.AgentGivenUp
    | events.Queued
    | events.Unrouted
    | events.Reminded
    | events.PriorityChanged
    | events.Aged
    | events.ConversationOverflowed
    | events.ConversationWeighed
    | events.ConversationOffered
    | events.OfferEnded
    | events.ConversationAssigned
    | events.ConversationTransferred
    | events.HandedToTeam
    | events.AgentFreed
    | events.ConversationReleased
    | events.ConversationRested
    | events.RoundBegun
    | events.PlacesTold
    | events.ReplyNoted
    | events.RepliesForgotten
    | events.TicketNumbered
)

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[AnyRosterEvent] = msgspec.msgpack.Decoder(AnyRosterEvent)


def encode(event: AnyRosterEvent) -> bytes:
    """Return the event as the roster's log keeps it."""
    if isinstance(event, ConversationTransferred | HandedToTeam) and event.note:
        event = msgspec.structs.replace(event, note="")  # what people wrote is kept, and erased, in one place
    return _ENCODER.encode(event)


def decode(raw: bytes) -> AnyRosterEvent:
    """Return the event that `encode` wrote."""
    return _DECODER.decode(raw)
