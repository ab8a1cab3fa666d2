"""What the engine sees of routing: the roster's decider behind one value, with its bytes.

Invariant: nothing here remembers anything; the roster passed in is the whole state, and only `evolve` changes it.
"""

import msgspec

from protocol.bus.config import AccountConfig
from protocol.bus.effects import Effect, Inner, SetTimer
from protocol.ids import InboxId, Incarnation, RuleId
from routing.core import feeds, log, staffing, timers
from routing.core.configured import staffing_of
from routing.core.decide import Decision, RosterCommand, decide
from routing.core.evolve import evolve
from routing.core.react import react
from routing.core.state import SCHEMA, TIMER_OWNER, Changes, Roster, Row, UnknownSchema

__all__ = ["TIMER_OWNER", "Roster", "RosterDecider", "UnknownSchema"]

_ROSTERS: msgspec.msgpack.Decoder[tuple[int, Roster]] = msgspec.msgpack.Decoder(tuple[int, Roster])
_SCHEMAS: msgspec.msgpack.Decoder[tuple[int, msgspec.Raw]] = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])


class RosterDecider:
    """Decides for the rosters of a cell; satisfies the engine's RosterPort."""

    def new(self, config: AccountConfig) -> Roster:
        """Return an empty roster, before its first event; the first decision records `config` as event 1.

        A log is replayed onto it from event 1; so `config` need not be the one the log began with.
        """
        return Roster(config.account, founding=config)

    def decide(self, roster: Roster, command: RosterCommand, at_ms: int) -> Decision:
        """Return what happens because of `command`, or why it may not. An empty list: it no longer matters."""
        if roster.founding is None or roster.seq:
            return decide(roster, command, at_ms)
        founded = staffing.taken(staffing_of(roster.founding), at_ms)
        first = Roster(roster.account)
        evolve(first, founded)
        decision = decide(first, command, at_ms)
        return [founded, *decision] if isinstance(decision, list) else decision

    def evolve(self, roster: Roster, event: log.AnyRosterEvent) -> None:
        """Make `roster` what is true after `event`, in place."""
        roster.founding = None
        evolve(roster, event)

    def react(self, roster: Roster, event: log.AnyRosterEvent, at_ms: int) -> list[Inner | Effect]:
        """Return what the cell must decide next and the world must do, right after `event` was evolved."""
        assert event.at_ms == at_ms, "an event is reacted to in the step that made it"
        return react(roster, event)

    def encode(self, event: log.AnyRosterEvent) -> bytes:
        """Return the event as the log keeps it."""
        return log.encode(event)

    def decode_event(self, raw: bytes) -> log.AnyRosterEvent:
        """Return the event that `encode` wrote."""
        return log.decode(raw)

    def freeze(self, roster: Roster) -> bytes:
        """Return the snapshot of `roster`, which must have an event."""
        assert roster.founding is None
        return msgspec.msgpack.encode((SCHEMA, msgspec.structs.replace(roster, last=Changes())))

    def thaw(self, raw: bytes) -> Roster:
        """Return the roster that `freeze` wrote; raises UnknownSchema for another schema's bytes."""
        schema, _ = _SCHEMAS.decode(raw)
        if schema != SCHEMA:
            raise UnknownSchema(schema)
        return _ROSTERS.decode(raw)[1]

    def seq(self, roster: Roster) -> int:
        """Return how many events made `roster`."""
        return roster.seq

    def deadlines(self, roster: Roster) -> list[SetTimer]:
        """Return every timer that must be pending, for a rebuild."""
        return timers.deadlines(roster)

    def feed_rows(self, roster: Roster) -> dict[str, dict[str, Row]]:
        """Return the rows of every feed, by feed and key, for a rebuild."""
        return feeds.all_rows(roster)

    def ready(self, roster: Roster, rule: RuleId | None, inbox: InboxId) -> bool:
        """Return whether somebody is at work for a rule, or with None for an inbox; at capacity too: visitors queue."""
        if roster.founding is not None or rule is None:
            return roster.there.get(inbox, 0) > 0
        line = roster.line_of(rule, inbox)
        return line is not None and line.there

    def gateways(self, roster: Roster) -> list[Incarnation]:
        """Return the gateway incarnations under which the roster counts sessions."""
        return list(roster.gateways)
