"""What is left of a message or note that is redacted: who said it and when, and nothing of what was said.

Invariant: a gateway empties an entry before it asks for its redaction, so that the asking stores nothing again.
"""

from typing import Final

import msgspec

from protocol.wire.content import Event, FormValues, Message, Note

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
    return _ENCODER.encode(msgspec.structs.replace(event, body=emptied(event.body)))
