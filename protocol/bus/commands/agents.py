"""What agents ask of one conversation that they may see.

Invariant: `agent` is who does it, as whoever let them in knows it; no client says so.
"""

from protocol.bus.commands.command import Asked, Uploaded
from protocol.ids import AgentId, ConversationId
from protocol.wire.kinds import AgentContent


class AgentSends(Asked, frozen=True, tag="asend"):
    """`canned`: the id of a ready reply, used instead of `text`."""

    conversation: ConversationId
    agent: AgentId
    text: str
    content: AgentContent | None = None
    canned: str = ""
    uploads: list[Uploaded] = []


class AgentCloses(Asked, frozen=True, tag="aclose"):
    conversation: ConversationId
    agent: AgentId
    spam: bool = False
    close_ticket: bool = False


class AddNote(Asked, frozen=True, tag="note"):
    conversation: ConversationId
    agent: AgentId
    text: str
    mentions: list[AgentId]
    whisper: bool


class ChangeTags(Asked, frozen=True, tag="tags"):
    conversation: ConversationId
    agent: AgentId
    add: list[str]
    remove: list[str]


class SetFields(Asked, frozen=True, tag="fields"):
    conversation: ConversationId
    agent: AgentId
    fields: dict[str, str]


class SetPriority(Asked, frozen=True, tag="priority"):
    conversation: ConversationId
    agent: AgentId
    priority: str


class SnoozeConversation(Asked, frozen=True, tag="snooze"):
    """`until_ms` 0 wakes it."""

    conversation: ConversationId
    agent: AgentId
    until_ms: int


class RedactMessage(Asked, frozen=True, tag="redact"):
    """`frame`: the event at `seq`, emptied by the gateway that read it; its tombstone is made of it."""

    conversation: ConversationId
    agent: AgentId
    seq: int
    frame: bytes = b""


class BlockVisitor(Asked, frozen=True, tag="block"):
    conversation: ConversationId
    agent: AgentId
    on: bool


class SetTicket(Asked, frozen=True, tag="ticket"):
    conversation: ConversationId
    agent: AgentId
    status: str
