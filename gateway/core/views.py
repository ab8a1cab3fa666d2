"""What `ready` shows a visitor of conversations: those that are not over, and which one to address (SPEC 3.3).

Invariant: two phones of a visitor are told to address the same conversation, whether or not it exists yet.
"""

from collections.abc import Mapping

from msgspec import Struct

from protocol.bus.config import AccountConfig, Chatflow
from protocol.bus.records import CurrentConversation, Head, VisitorRecord
from protocol.ids import ChatflowId, ConversationId, conversation_id
from protocol.wire.server import ConversationView

UNSAID = ("gated", "ready")  # phases in which nobody has said anything


class Standing(Struct, frozen=True):
    """A conversation as committed, for one device: `head` None if it does not exist yet."""

    head: Head | None = None
    next_n: int = 1
    delivered: int = 0
    read: int = 0

    @property
    def is_spoken(self) -> bool:
        """Whether the visitor has spoken: what comes before the chat is over."""
        return self.head is not None and self.head.phase not in UNSAID and not self.head.silent


def address(config: AccountConfig, flow: Chatflow, record: VisitorRecord, at_ms: int) -> ConversationId:
    """Return the conversation to address under `flow`: one that goes on, or the one a first frame starts."""
    current = record.current.get(flow.id)
    if current is not None and goes_on(current, at_ms):
        return current.conversation
    ordinal = current.ordinal + 1 if current is not None else 1
    return conversation_id(config.id_key, record.id, flow.id, ordinal)


def goes_on(current: CurrentConversation, at_ms: int) -> bool:
    """Whether a conversation is open or can be reopened."""
    closed_at_ms = current.closed_at_ms
    return closed_at_ms is None or at_ms <= closed_at_ms + current.reopen_window_s * 1000


def own_conversations(
    config: AccountConfig, flow: Chatflow | None, record: VisitorRecord, at_ms: int
) -> dict[ConversationId, ChatflowId]:
    """Return what `ready` names: the conversations that are not over or ask how it went, and the one to address."""
    own = {
        each.conversation: chatflow
        for chatflow, each in record.current.items()
        if goes_on(each, at_ms) or at_ms < each.survey_until_ms
    }
    if flow is not None:
        own[address(config, flow, record, at_ms)] = flow.id
    return own


def next_conversations(config: AccountConfig, record: VisitorRecord) -> dict[ConversationId, ChatflowId]:
    """Return what would follow each present conversation: a phone may speak of it, if a data loss took it."""
    return {
        conversation_id(config.id_key, record.id, chatflow, each.ordinal + 1): chatflow
        for chatflow, each in record.current.items()
    }


def conversation_views(
    own: Mapping[ConversationId, ChatflowId], standings: dict[ConversationId, Standing]
) -> list[ConversationView]:
    """Return `own` as `ready` shows them."""
    return [_view(each, chatflow, standings.get(each, Standing())) for each, chatflow in own.items()]


def _view(conversation: ConversationId, chatflow: ChatflowId, standing: Standing) -> ConversationView:
    head = standing.head
    if head is None:
        return ConversationView(conversation, "new", 0, "", standing.next_n, chatflow)
    status = head.status if head.status in ("gated", "snoozed", "closed") else "open"
    return ConversationView(
        conversation,
        status,  # type: ignore[arg-type]  # a str by its type, one of four by the line above
        head.seq,
        head.event,
        standing.next_n,
        chatflow,
        standing.delivered,
        standing.read,
    )
