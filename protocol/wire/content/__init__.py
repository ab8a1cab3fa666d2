"""What a conversation's log holds, as every reader sees it (SPEC 7).

Invariant: a body is immutable and complete: replaying a log's bodies in `seq` order rebuilds the conversation.
`audience_of` says who may see a body; whoever may not gets `hidden` in its place, so that sequences stay whole.
"""

from typing import Literal

import msgspec

from protocol.ids import ConversationId, EventId
from protocol.wire.content.body import AGENT, SYSTEM, VISITOR, Author, Body, Role
from protocol.wire.content.desk import FieldsSet, PrioritySet, Snoozed, TagsChanged, TicketChanged, TicketOpened, Woken
from protocol.wire.content.ending import Closed, Erased, Merged, Parked, Reopened
from protocol.wire.content.routing import Assigned, Queued, Transferred, Unassigned, Unrouted
from protocol.wire.content.starting import EmailPlan, Started, SurveyPlan
from protocol.wire.content.steps import ConsentAnswered, EmailAsked, EmailGiven, EmailGivenUp
from protocol.wire.content.surveys import SurveyAnswered, SurveyAsked, SurveyCommented, SurveyExpired, SurveySeen
from protocol.wire.content.talk import Message, Note, Redacted

__all__ = [
    "AGENT", "STAFF_ONLY", "SYSTEM", "VISITOR", "AnyBody", "Assigned", "Author", "Body", "Closed", "ConsentAnswered",
    "EmailAsked", "EmailGiven", "EmailGivenUp", "EmailPlan", "Erased", "Event", "FieldsSet", "Hidden", "Merged",
    "Message", "Note", "Parked", "PrioritySet", "Queued", "Redacted", "Reopened", "Role", "Snoozed", "Started",
    "SurveyAnswered", "SurveyAsked", "SurveyCommented", "SurveyExpired", "SurveyPlan", "SurveySeen", "TagsChanged",
    "TicketChanged", "TicketOpened", "Transferred", "Unassigned", "Unrouted", "Woken", "audience_of",
]  # fmt: skip

AnyBody = (
    Started
    | ConsentAnswered
    | EmailAsked
    | EmailGiven
    | EmailGivenUp
    | Message
    | Note
    | Redacted
    | TagsChanged
    | FieldsSet
    | PrioritySet
    | Snoozed
    | Woken
    | TicketOpened
    | TicketChanged
    | Queued
    | Unrouted
    | Assigned
    | Unassigned
    | Transferred
    | Closed
    | Reopened
    | SurveyAsked
    | SurveySeen
    | SurveyAnswered
    | SurveyCommented
    | SurveyExpired
    | Parked
    | Erased
    | Merged
)
STAFF_ONLY: tuple[type[Body], ...] = (
    Note,
    TagsChanged,
    FieldsSet,
    PrioritySet,
    Snoozed,
    Woken,
    TicketOpened,
    TicketChanged,
    Transferred,
    SurveyExpired,
    Parked,
)


def audience_of(body: Body) -> Literal["all", "staff"]:
    """Return who may see `body` (SPEC 7.3)."""
    return "staff" if isinstance(body, STAFF_ONLY) else "all"


class Event(msgspec.Struct, frozen=True, tag_field="t", tag="event", gc=False):
    """One log entry, as stored and as sent (SPEC 7.1). `at` is milliseconds since 1970 by the cell's clock."""

    conversation: ConversationId
    seq: int
    id: EventId
    at: int
    body: AnyBody


class Hidden(msgspec.Struct, frozen=True, tag_field="t", tag="hidden", rename={"from_seq": "from", "to_seq": "to"}):
    """Events `from`–`to` exist and are not for this reader; `id` is the event id at `to` (SPEC 7.4)."""

    conversation: ConversationId
    from_seq: int
    to_seq: int
    id: EventId
