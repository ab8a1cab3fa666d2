"""The law of conversations in routing as a table: which event may follow in which phase, and what is true after it.

Invariant: `put` takes no step that is not here, and a law test proves that each event leads only where it says. The
diagram in docs/architecture/roster.md is drawn from it: `python -m routing.core.transitions`.
"""

from typing import Final

from routing.core import events
from routing.core.events import RosterEvent
from routing.core.queue import Offered, Phase, Resting, Talking, Unassigned, UntilOpen, Waiting


class Over:
    """Not held: not sought yet, or closed."""


Row = dict[type[RosterEvent], tuple[type[Phase | Over], ...]]


_ANEW: Final[Row] = {events.Queued: (Waiting, UntilOpen), events.Unrouted: (Unassigned,)}
_MOVED: Final[Row] = {events.ConversationTransferred: (Talking,)}
_TAKEN: Final[Row] = {events.ConversationAssigned: (Talking,), **_MOVED}
_OVER: Final[Row] = {events.ConversationReleased: (Over,)}

TABLE: Final[dict[type, Row]] = {
    Over: _ANEW,
    Waiting: {
        events.ConversationOffered: (Offered,),
        events.ConversationRested: (Resting,),
        events.DoorTurned: (UntilOpen,),
        events.StaffingTaken: (UntilOpen,),
        **_ANEW,
        **_TAKEN,
        **_OVER,
    },
    UntilOpen: {events.DoorTurned: (Waiting,), events.StaffingTaken: (Waiting,), **_ANEW, **_TAKEN, **_OVER},
    Resting: {
        events.ConversationOffered: (Offered,),
        events.RoundBegun: (Waiting,),
        events.ConversationOverflowed: (Waiting,),
        events.DoorTurned: (UntilOpen,),
        events.StaffingTaken: (Waiting, UntilOpen),
        **_ANEW,
        **_TAKEN,
        **_OVER,
    },
    Offered: {
        events.ConversationAssigned: (Talking,),
        events.OfferEnded: (Waiting, UntilOpen),
        **_OVER,
    },
    Unassigned: {events.Reminded: (Unassigned,), **_ANEW, **_TAKEN, **_OVER},
    Talking: {events.AgentFreed: (Unassigned,), **_MOVED, **_OVER},
}

_ON_THE_WAY = {(before, Unassigned) for before in TABLE if before is not Over}  # out of everything, before a new search
EDGES: Final = _ON_THE_WAY | {
    (before, after) for before, row in TABLE.items() for afters in row.values() for after in afters
}


def mermaid() -> str:
    """Return the table as a mermaid state diagram, one arrow per pair of phases."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for phase, row in TABLE.items():
        for event, afters in row.items():
            for after in afters:
                arrows.setdefault((_named(phase), _named(after)), []).append(event.__name__)
    lines = [f"    {before} --> {after}: {', '.join(names)}" for (before, after), names in arrows.items()]
    return "\n".join(["stateDiagram-v2", *lines])


def _named(phase: type) -> str:
    return "[*]" if phase is Over else phase.__name__


if __name__ == "__main__":
    print(mermaid())
