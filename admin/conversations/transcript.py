"""What was said in a conversation, as lines of text.

Invariant: a reader finds what their audience may see, in order, each under the name that this audience is told; no text
looks like a line that somebody else said.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from protocol.wire.content import Author, Closed, Event, Message, Note, Role, Started
from store.sql.queries.audit import StoredEvent
from store.sql.queries.history import Audience

_EVENT = msgspec.msgpack.Decoder(Event)
_NEXT_LINE = f"\n{' ' * 21}"  # below what was said first, where no time stands


def lines(entries: Iterable[StoredEvent], audience: Audience) -> list[str]:
    """Return a line for each thing said that `audience` may read, with its further lines; times are in UTC."""
    told = []
    for entry in entries:
        frame = entry.frame_for(audience)
        said = _said(event := _EVENT.decode(frame)) if frame else ""
        if said:
            at = datetime.fromtimestamp(event.at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
            told.append(f"{at}  {_NEXT_LINE.join(said.splitlines())}")
    return told


def _said(event: Event) -> str:
    match event.body:
        case Started(welcome=str(welcome)):
            return f"({welcome})"
        case Message(redacted=True, by=by):
            return f"{_name(by)}: (removed)"
        case Message(by=by, text=text):
            return f"{_name(by)}: {text}"
        case Note(redacted=True, by=by):
            return f"{_name(by)} (note): (removed)"
        case Note(by=by, text=text):
            return f"{_name(by)} (note): {text}"
        case Closed(reason=reason):
            return f"(closed: {reason})"
    return ""


def _name(by: Author) -> str:
    return "Visitor" if by.role is Role.VISITOR else by.name or by.role.value.capitalize()
