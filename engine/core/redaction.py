"""Removing one message or note for good.

Invariant: what is stored of it afterwards, wherever it is stored, is its tombstone: who said it and when, and nothing
of what was said. Its place in the log remains, so that sequences stay whole.
"""

from typing import Final

import msgspec

from engine.core.access import author_of, colleague
from engine.core.asked import Decision, Stamped, With
from engine.core.conversation import Conversation
from engine.core.masks import visitor_frame
from protocol.bus.commands import RedactMessage
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import Keep
from protocol.bus.facts import Erased
from protocol.bus.tombstones import emptied
from protocol.wire import content
from protocol.wire.codes import Code
from protocol.wire.content import Event

_EVENT: Final = msgspec.msgpack.Decoder(Event)
_ENCODER: Final = msgspec.msgpack.Encoder()


def redact(state: Conversation, asked: Stamped) -> Decision:
    """Return that one message or note is removed, and the tombstone that takes its place wherever it is stored."""
    command: RedactMessage = asked.command
    agent = colleague(state, asked)
    if isinstance(agent, Refusal):
        return agent
    said = _entry(state, command)
    if said is None:
        return Refusal(Code.NOT_FOUND)
    body = said.body
    if not isinstance(body, content.Message | content.Note):
        return Refusal(Code.NOT_FOUND)
    if body.redacted:
        return Already()
    tombstone = msgspec.structs.replace(said, body=msgspec.structs.replace(emptied(body), redacted=True))
    frame, shown = _ENCODER.encode(tombstone), visitor_frame(tombstone, state.terms.alias)
    erased = Erased(state.account, state.id, said.seq, frame, shown)
    return With([content.Redacted(author_of(agent), command.seq)], [Keep(erased)])


def _entry(state: Conversation, command: RedactMessage) -> Event | None:
    """Return the entry that a gateway read of the log at `seq`, if that is what it is."""
    try:
        event = _EVENT.decode(command.frame)
    except msgspec.DecodeError:
        return None
    return event if (event.conversation, event.seq) == (state.id, command.seq) and event.seq <= state.seq else None
