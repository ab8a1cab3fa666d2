"""What the roster's decisions add to an account's figures (docs/reports.md).

Invariant: one figure at most per event, and a function of the event alone: the figures of a log are always the same.
"""

from collections.abc import Callable
from typing import Any, Final

from protocol.bus.effects import Keep
from protocol.bus.figures import Decided
from protocol.ids import AccountId
from routing.core import events
from routing.core.log import AnyRosterEvent

Told = tuple[str, str, str]  # what, how, agent


def figure_of(account: AccountId, event: AnyRosterEvent) -> Keep | None:
    """Return what `event` counts as, if it is a decision about a conversation."""
    tell = _TOLD.get(type(event))
    told = tell(event) if tell is not None else None
    if told is None:
        return None
    decided: Any = event
    return Keep(Decided(account, decided.conversation, event.at_ms, *told))


def _queued(event: events.Queued) -> Told:
    return "queued" if event.reasons is None else "nobody_ready", event.cause, ""


def _assigned(event: events.ConversationAssigned) -> Told:
    return "assigned" if event.offer is None else "accepted", event.how, event.agent


def _released(event: events.ConversationReleased) -> Told | None:
    return ("withdrawn", "", event.agent or "") if event.offer is not None else None


_TOLD: Final[dict[type, Callable[[Any], Told | None]]] = {
    events.Queued: _queued,
    events.Unrouted: lambda _: ("unrouted", "", ""),
    events.ConversationOffered: lambda event: ("offered", event.reason, event.agent),
    events.OfferEnded: lambda event: (event.how, "", event.agent),
    events.ConversationAssigned: _assigned,
    events.ConversationTransferred: lambda event: ("transferred", "agent", event.to),
    events.HandedToTeam: lambda _: ("transferred", "team", ""),
    events.ConversationReleased: _released,
    events.ConversationRested: lambda _: ("rested", "", ""),
    events.ConversationOverflowed: lambda _: ("overflowed", "", ""),
}
