"""What was said, to everybody or among colleagues, and what of it was removed.

Invariant: removing leaves the entry and its place; only its text and content go.
"""

from protocol.ids import AgentId
from protocol.wire.content.body import Author, Body
from protocol.wire.kinds import AnyContent


class Message(Body, frozen=True, tag="message"):
    """Somebody said something: 1–10,000 characters of NFC text, which is the plain form of `content` if there is any.

    `redacted`: it was removed; its text is empty, and its place in the log remains.
    """

    by: Author
    text: str
    content: AnyContent | None = None
    redacted: bool = False


class Note(Body, frozen=True, tag="note"):
    """A word among colleagues: staff only, for ever. `mentions`: agents who are told. `whisper`: a supervisor's."""

    by: Author
    text: str
    mentions: list[AgentId] = []
    whisper: bool = False
    redacted: bool = False


class Redacted(Body, frozen=True, tag="redacted"):
    """The message or note at seq `of` was removed; readers who hold it forget its text and content."""

    by: Author
    of: int
