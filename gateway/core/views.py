"""What `ready` shows a visitor: the chatflow served, the conversations, and which one to address (SPEC 3.3, 4.1).

Invariant: two phones of a visitor are told to address the same conversation, whether or not it exists yet.
"""

import hashlib
from collections.abc import Sequence

from msgspec import Struct

from gateway.core.gate import PURPOSE
from protocol.bus.config import AccountConfig, Chatflow, text_for
from protocol.bus.records import CurrentConversation, Head, VisitorRecord
from protocol.ids import ChatflowId, ConversationId, conversation_id
from protocol.wire.server import ChatflowView, ConsentStep, ConversationView


class Standing(Struct, frozen=True):
    """A conversation as committed, for one device: `head` None if it does not exist yet."""

    head: Head | None = None
    next_n: int = 1
    delivered: int = 0
    read: int = 0


def chatflow_view(flow: Chatflow, locale: str, record: VisitorRecord) -> ChatflowView:
    """Return `flow` as this visitor's phone shows it."""
    welcome = text_for(flow.welcome, locale, flow.language)
    return ChatflowView(
        id=flow.id,
        version=flow.version,
        name=flow.name,
        locale=text_for({each: each for each in flow.welcome}, locale, flow.language) or flow.language,
        heading=flow.heading,
        welcome=welcome,
        consent=_consent(flow, locale, record),
        close_button=flow.close_button,
    )


def _consent(flow: Chatflow, locale: str, record: VisitorRecord) -> ConsentStep | None:
    if flow.consent.mode == "off":
        return None
    text = text_for(flow.consent.text, locale, flow.language) or ""
    given = record.consents.get(PURPOSE)
    enough = ("granted",) if flow.consent.mode == "explicit" else ("granted", "implied")
    outstanding = given is None or given.answer not in enough
    return ConsentStep(flow.consent.mode, text, hashlib.sha256(text.encode()).hexdigest(), outstanding)


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
    """Return the conversations that `ready` names: those that are not over, and the one to address."""
    own = {each.conversation: chatflow for chatflow, each in record.current.items() if goes_on(each, at_ms)}
    if flow is not None:
        own[address(config, flow, record, at_ms)] = flow.id
    return own


def conversation_views(
    own: Sequence[ConversationId], standings: dict[ConversationId, Standing]
) -> list[ConversationView]:
    """Return `own` as `ready` shows them."""
    return [_view(each, standings.get(each, Standing())) for each in own]


def _view(conversation: ConversationId, standing: Standing) -> ConversationView:
    head = standing.head
    if head is None:
        return ConversationView(conversation, "new", 0, "", standing.next_n)
    status = head.status if head.status in ("gated", "closed") else "open"
    return ConversationView(
        conversation,
        status,  # type: ignore[arg-type]  # a str by its type, one of three by the line above
        head.seq,
        head.event,
        standing.next_n,
        standing.delivered,
        standing.read,
    )
