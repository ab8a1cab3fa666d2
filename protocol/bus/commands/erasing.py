"""What is to be left of a person or of old conversations: tombstones.

Invariant: nobody waits for an outcome; what was done already is not done again.
"""

import msgspec

from protocol.bus.commands.command import Command
from protocol.bus.records import VisitorRecord
from protocol.ids import ContactId, ConversationId, ErasureId, VisitorId


class Emptied(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A conversation that only SQL may still have: the state (a Snapshot) that its tombstones amount to."""

    conversation: ConversationId
    state: bytes


class ErasePerson(Command, frozen=True, tag="erase"):
    """Leave nothing of a visitor: their open conversations end, and of all of them tombstones are left.

    `conversations`: all that SQL knows; `record`: SQL's, without anything personal, used if Redis has none. `contact`:
    erased too, once nobody else is known as it. Nobody waits for an outcome; what was done already is not done again.
    """

    visitor: VisitorId
    erasure: ErasureId
    record: VisitorRecord | None = None
    conversations: list[Emptied] = []
    contact: ContactId | None = None


class EraseConversations(Command, frozen=True, tag="erase_conversations"):
    """Leave nothing but tombstones of these, as far as they are closed: their time is over (retention)."""

    conversations: list[Emptied]
