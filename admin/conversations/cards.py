"""A conversation as it is shown: what is known of it as a whole, and not what was said in it.

Invariant: one view of a page, whatever is written meanwhile; nothing of another account.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from protocol.ids import AccountId, ConversationId
from protocol.wire.content import Event, FieldsSet, PrioritySet, Snoozed, Started, Woken
from store.sql.queries import conversations, tickets, transcripts
from store.sql.queries.conversations import Found

_EVENT = msgspec.msgpack.Decoder(Event)


class TicketOf(Struct, frozen=True):
    """The ticket of a conversation in a help desk."""

    number: int
    status: str


class ConversationCard(Struct, frozen=True):
    """`agent` has it now, `last_agent` has it or had it last ("": nobody). `entries`: how long its log is.

    `contact`: whom its visitor is known as, null: nobody. `matches`: the entries that a search found, only then.
    """

    id: ConversationId
    status: str
    phase: str
    inbox: str
    chatflow: str
    environment: str
    visitor: str
    contact: str | None
    agent: str | None
    last_agent: str
    tags: list[str]
    ticket: TicketOf | None
    opened_at_ms: int
    changed_at_ms: int
    closed_at_ms: int | None
    entries: int
    matches: list[int] | UnsetType = UNSET


class ConversationWhole(ConversationCard, frozen=True, kw_only=True):
    """A conversation with what was set of it: its priority, custom fields, and until when it is put off (null)."""

    priority: str
    fields: dict[str, str]
    snoozed_until_ms: int | None


def cards(connection: Any, account: AccountId, found: Sequence[Found]) -> list[ConversationCard]:
    """Return conversations that were found, as they are shown."""
    return [ConversationCard(**each) for each in _told(connection, account, found)]


def whole(connection: Any, account: AccountId, found: Found) -> ConversationWhole:
    """Return one conversation with what was set of it."""
    [told] = _told(connection, account, [found])
    priority, fields, snoozed_ms = "normal", dict[str, str](), None
    for frame in transcripts.settings(connection, found.id):
        match _EVENT.decode(frame).body:
            case Started(priority=now) | PrioritySet(priority=now):
                priority = now
            case FieldsSet(fields=changed):
                fields |= changed
            case Snoozed(until_ms=until_ms):
                snoozed_ms = until_ms
            case Woken():
                snoozed_ms = None
    kept = {name: value for name, value in sorted(fields.items()) if value}
    return ConversationWhole(**told, priority=priority, fields=kept, snoozed_until_ms=snoozed_ms)


def _told(connection: Any, account: AccountId, found: Sequence[Found]) -> list[dict[str, Any]]:
    ids = [each.id for each in found]
    tags, ticket = conversations.tags(connection, ids), tickets.of(connection, ids)
    known = conversations.contacts(connection, account, [each.head.visitor for each in found])
    return [
        {
            "id": each.id,
            "status": each.head.status,
            "phase": each.head.phase,
            "inbox": each.head.inbox,
            "chatflow": each.head.chatflow,
            "environment": each.environment,
            "visitor": each.head.visitor,
            "contact": known.get(each.head.visitor),
            "agent": each.head.agent,
            "last_agent": each.last_agent,
            "tags": tags[each.id],
            "ticket": TicketOf(one.number, one.status) if (one := ticket.get(each.id)) is not None else None,
            "opened_at_ms": each.opened_at_ms,
            "changed_at_ms": each.changed_at_ms,
            "closed_at_ms": each.closed_at_ms,
            "entries": each.head.seq,
        }
        for each in found
    ]
