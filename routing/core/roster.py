"""What the engine sees of routing: the roster's decider behind one value, with its bytes.

Invariant: nothing here remembers anything; the roster passed in is the whole state, and only `evolve` changes it.
"""

from protocol.bus.commands import AnyCommand, TimerFired
from protocol.bus.config import AccountConfig
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import Effect, Inner, SetTimer
from routing.core import events
from routing.core.events import AnyRosterEvent
from routing.core.state import TIMER_OWNER, Roster, Row

__all__ = ["TIMER_OWNER", "Roster", "RosterDecider"]


class RosterDecider:
    """Decides for the rosters of a cell; satisfies the engine's RosterPort."""

    def new(self, config: AccountConfig) -> Roster:
        """Return an empty roster; the first decision on it also records `config` as event 1."""
        raise NotImplementedError

    def decide(
        self, roster: Roster, command: AnyCommand | Inner, at_ms: int
    ) -> list[AnyRosterEvent] | Refusal | Already:
        """Return what happens because of `command`, or why it may not. An empty list: it no longer matters."""
        raise NotImplementedError

    def evolve(self, roster: Roster, event: AnyRosterEvent) -> None:
        """Make `roster` what is true after `event`, in place."""
        raise NotImplementedError

    def react(self, roster: Roster, event: AnyRosterEvent, at_ms: int) -> list[Inner | Effect]:
        """Return what the cell must decide next and the world must do, right after `event` was evolved."""
        raise NotImplementedError

    def encode(self, event: AnyRosterEvent) -> bytes:
        """Return the event as the log keeps it."""
        return events.encode(event)

    def decode_event(self, raw: bytes) -> AnyRosterEvent:
        """Return the event that `encode` wrote."""
        return events.decode(raw)

    def freeze(self, roster: Roster) -> bytes:
        """Return the snapshot of `roster`."""
        raise NotImplementedError

    def thaw(self, raw: bytes) -> Roster:
        """Return the roster that `freeze` wrote; raises UnknownSchema for another schema's bytes."""
        raise NotImplementedError

    def seq(self, roster: Roster) -> int:
        """Return how many events made `roster`."""
        return roster.seq

    def deadlines(self, roster: Roster) -> list[SetTimer]:
        """Return every timer that must be pending, for a rebuild."""
        raise NotImplementedError

    def feed_rows(self, roster: Roster) -> dict[str, dict[str, Row]]:
        """Return the rows of every feed, by feed and key, for a rebuild."""
        raise NotImplementedError
