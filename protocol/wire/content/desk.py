"""What the desk keeps about a conversation: tags, fields, priority, snoozing, its ticket.

Invariant: all of it is for staff only.
"""

from typing import Literal

from protocol.wire.content.body import Author, Body


class TagsChanged(Body, frozen=True, tag="tags"):
    """Tags were put on and taken off: staff only."""

    by: Author
    added: list[str]
    removed: list[str]


class FieldsSet(Body, frozen=True, tag="fields"):
    """Custom fields of the conversation were set; "" removes one: staff only."""

    by: Author
    fields: dict[str, str]


class PrioritySet(Body, frozen=True, tag="priority"):
    """low, normal, high, urgent: staff only."""

    by: Author
    priority: str


class Snoozed(Body, frozen=True, tag="snoozed"):
    """Put off until `until_ms` or until the visitor speaks: staff only."""

    by: Author
    until_ms: int


class Woken(Body, frozen=True, tag="woken"):
    """Snoozed no longer. `why`: due, visitor, agent: staff only."""

    why: str


class TicketOpened(Body, frozen=True, tag="ticket_opened"):
    """In a help desk: the conversation has the ticket `number`: staff only."""

    number: int


class TicketChanged(Body, frozen=True, tag="ticket"):
    """Somebody set the ticket's status (else it follows who spoke last): staff only."""

    by: Author
    status: Literal["new", "waiting_us", "waiting_visitor", "closed"]
