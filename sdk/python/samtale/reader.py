"""The logs that a client follows (SPEC 6).

Invariant: the app sees each event of a conversation once, in order, without a gap that it is not told of.
"""

from collections.abc import Callable

from samtale import events, journal
from samtale.body import Message, read_body
from samtale.horizons import Horizons
from samtale.outlet import Frame, Outlet
from samtale.position import Position, Take


class Reader:
    """`role` is that of whoever reads: messages of others are receipted. `seen` takes each entry before the app."""

    def __init__(self, outlet: Outlet, role: str, seen: Callable[[events.LogEvent], None]) -> None:
        self.positions: dict[str, Position] = {}
        self.horizons = Horizons()
        self._outlet = outlet
        self._role = role
        self._seen_by = seen

    def attach(self, conversation: str) -> None:
        """Receive a conversation's log from where it was left."""
        if conversation not in self.positions:
            self._resume(self.expect(conversation))

    def expect(self, conversation: str) -> Position:
        """Take a conversation's log, which the server sends unasked."""
        return self.positions.setdefault(conversation, Position(conversation, resuming=True))

    def leave(self, conversation: str) -> None:
        """Receive it no longer."""
        if self.positions.pop(conversation, None) is not None:
            self.horizons.forget(conversation)
            self._outlet.put({"t": "leave", "conversation": conversation})

    def forget(self) -> None:
        self.positions.clear()
        self.horizons = Horizons()

    def hello(self, limit: int) -> list[Frame]:
        """Return the positions for a hello: the newest `limit`."""
        newest = list(self.positions.values())[-limit:]
        for position in newest:
            self._note_resumed(position)
        return [position.frame() for position in newest]

    def opened(self, resumed: set[str]) -> None:
        """The server resumes those; ask for the others."""
        for position in list(self.positions.values()):
            if position.conversation not in resumed:
                self._resume(position)

    def on_event(self, frame: Frame) -> None:
        if self._is_next(frame, frame["seq"], frame["seq"]):
            self._seen(frame, frame["seq"], 0)
            event = log_event(frame)
            if isinstance(event.body, Message) and event.body.by.role != self._role:
                self.horizons.delivered(event.conversation, event.seq)
            self._seen_by(event)
            self._outlet.tell(event)

    def on_hidden(self, frame: Frame) -> None:
        if self._is_next(frame, frame["from"], frame["to"]):
            self._seen(frame, frame["from"], frame["to"])

    def on_caught_up(self, frame: Frame) -> None:
        position = self.positions.get(frame["conversation"])
        if position is None:
            return
        if position.caught_up(frame["seq"]):
            self._outlet.tell(events.CaughtUp(frame["conversation"], frame["seq"]))
        else:
            self._resume(position)

    def on_resync(self, frame: Frame) -> None:
        conversation, first, epoch = frame["conversation"], frame.get("from", 1), frame.get("epoch", 0)
        position = self.positions.get(conversation)
        if position is not None and first <= position.seq:  # else nothing is void: only the epoch is told
            position.resync(first)
            self._outlet.note(lambda t: journal.Resynced(t, conversation, first, epoch))
            self._outlet.tell(events.Resynced(conversation, first, epoch))

    def on_refused(self, refused: events.Refused) -> None:
        """A conversation that is not ours."""
        if refused.code == "not_found" and self.positions.pop(refused.conversation, None) is not None:
            # What was read of it is dropped: if it comes again, it comes from its beginning.
            self._outlet.note(lambda t: journal.Resynced(t, refused.conversation, 1, 0))

    def _is_next(self, frame: Frame, first: int, last: int) -> bool:
        position = self.positions.get(frame["conversation"])
        if position is None:
            return False  # left meanwhile
        taken = position.take(first, last, frame["id"])
        if taken is Take.GAP:
            self._resume(position)
        return taken is Take.NEW

    def _seen(self, frame: Frame, seq: int, hidden_to: int) -> None:
        body = frame.get("body", {"kind": "hidden"})
        fact = (frame["conversation"], seq, frame["id"], body["kind"])
        self._outlet.note(lambda t: journal.Seen(t, *fact, journal.digest_of(body), hidden_to))

    def _resume(self, position: Position) -> None:
        position.resuming = True
        if self._outlet.is_ready():
            self._note_resumed(position)
            self._outlet.put({"t": "resume", "position": position.frame()})

    def _note_resumed(self, position: Position) -> None:
        position.resuming = True
        conversation, seq = position.conversation, position.seq
        self._outlet.note(lambda t: journal.Resumed(t, conversation, seq))


def log_event(frame: Frame) -> events.LogEvent:
    """Return the typed form of an `event` frame."""
    return events.LogEvent(frame["conversation"], frame["seq"], frame["id"], frame["at"], read_body(frame["body"]))
