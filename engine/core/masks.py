"""What a visitor is shown of a log entry: agents stand behind the chatflow's alias (product §2, SPEC 7.2).

Invariant: of an entry that visitors see, nothing under an alias names an agent: not the id, not the name. What an
agent writes is theirs to choose and is passed on as written.
"""

from typing import Final

import msgspec
from msgspec.structs import replace

from protocol.ids import VisitorId
from protocol.wire import content
from protocol.wire.content import STAFF_ONLY, VISITOR, AnyBody, Author, Event

_HIDDEN: Final = frozenset(STAFF_ONLY)
_ENCODER: Final = msgspec.msgpack.Encoder()

# The field of each body that visitors see and that may name an agent.
_NAMES: Final[dict[type[content.Body], str]] = {
    content.Message: "by",
    content.Redacted: "by",
    content.Assigned: "agent",
    content.Unassigned: "agent",
    content.Closed: "by",
    content.Reopened: "by",
}


def visitor_frame(event: Event, alias: str) -> bytes | None:
    """Return an entry as visitors read it: None if as it is stored, b"" if it is hidden from them."""
    body = event.body
    if type(body) is content.Message:  # what is said most
        shown = behind(body.by, alias)
        if shown is body.by:
            return None
        said = content.Message(shown, body.text, body.content, body.redacted)
        return _ENCODER.encode(Event(event.conversation, event.seq, event.id, event.at, said))
    if type(body) in _HIDDEN:
        return b""
    other = masked(body, alias)
    return None if other is None else _ENCODER.encode(replace(event, body=other))


def masked(body: AnyBody, alias: str) -> AnyBody | None:
    """Return `body` as visitors see it; None if they see it as it is. `alias` "": agents go by their own names."""
    if type(body) is content.Queued:
        return content.Queued(body.reason, body.away) if body.team else None
    if type(body) is content.Merged:
        return content.Merged(VisitorId(""), body.over, body.other)
    field = _NAMES.get(type(body)) if alias else None
    if field is None:
        return None
    author: Author = getattr(body, field)
    shown = behind(author, alias)
    return replace(body, **{field: shown}) if shown is not author else None


def behind(author: Author, alias: str) -> Author:
    """Return `author` as visitors see them: whoever speaks for the company goes by its alias, if it has one."""
    if not alias or author.role is VISITOR or not (author.id or author.name):
        return author
    return Author(author.role, "", alias)
