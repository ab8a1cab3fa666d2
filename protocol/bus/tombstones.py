"""What is left of what was erased: who did what and when, and nothing of what was said.

Invariant: a log of tombstones replays as the log did, and says nothing of the person. Of a single message or note a
gateway empties the entry before it asks for its redaction, so that the asking stores nothing again.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from protocol.ids import ContactId
from protocol.wire import content
from protocol.wire.content import Event, Message, Note
from protocol.wire.kinds import FormValues

_EVENT: Final = msgspec.msgpack.Decoder(Event)
_ENCODER: Final = msgspec.msgpack.Encoder()


def emptied(body: Message | Note) -> Message | Note:
    """Return what is left; of a filled form which one it was, so that a replay knows that it was filled in."""
    if isinstance(body, Note):
        return Note(body.by, "", whisper=body.whisper, redacted=body.redacted)
    filled = FormValues(body.content.of, {}) if isinstance(body.content, FormValues) else None
    return Message(body.by, "", filled, redacted=body.redacted)


def emptied_entry(frame: bytes) -> bytes:
    """Return a log's entry without what was said; b"" if it is none that can be redacted."""
    try:
        event = _EVENT.decode(frame)
    except msgspec.DecodeError:
        return b""
    if not isinstance(event.body, Message | Note):
        return b""
    return _ENCODER.encode(replace(event, body=emptied(event.body)))


def tombstone(frame: bytes) -> bytes:
    """Return any entry of a log as it is kept of an erased person: `seq`, id, time, kind, and by whom."""
    event = _EVENT.decode(frame)
    emptied_by = _EMPTIED.get(type(event.body))
    return frame if emptied_by is None else _ENCODER.encode(replace(event, body=emptied_by(event.body)))


def _redacted(body: Message | Note) -> Message | Note:
    return replace(emptied(body), redacted=True)


# A kind that is not here says nothing of the person: who was assigned, what was asked, which score was given.
_EMPTIED: Final[dict[type[content.Body], Callable[[Any], content.AnyBody]]] = {
    Message: _redacted,
    Note: _redacted,
    content.Started: lambda body: replace(body, welcome=None, contact=None),
    content.ConsentAnswered: lambda body: replace(body, text_hash="", locale="", version=0, subscription=""),
    content.EmailAsked: lambda body: replace(body, text=""),
    content.EmailGiven: lambda body: replace(body, email="", contact=ContactId("")),
    content.TagsChanged: lambda body: replace(body, added=[], removed=[]),
    content.FieldsSet: lambda body: replace(body, fields={}),
    content.Transferred: lambda body: replace(body, note=""),
    content.SurveyCommented: lambda body: replace(body, text=""),
}
