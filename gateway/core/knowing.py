"""What an agent is shown of the visitor they talk with (SPEC 8.17).

Invariant: at most one reading per conversation is under way, and the last change is always shown.
"""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from gateway.core.actions import Action, ReadContext, Say
from gateway.core.words import but_words
from protocol.bus.records import DeviceRecord, Head, VisitorRecord
from protocol.bus.topics import Hint
from protocol.ids import ConversationId, InboxId
from protocol.wire.content import Event, Merged
from protocol.wire.server import Breadcrumb, ContextView

_EVENT = msgspec.msgpack.Decoder(Event)
_MARKS = (b"email_given", b"consent", b"blocked", b"merged")  # what an entry holds that changes what is known
_NO_DEVICE = DeviceRecord("", "", "", 0)

HeadOf = Callable[[ConversationId], Head | None]


class Knowing:
    """The visitors of one session's conversations."""

    def __init__(self, head_of: HeadOf, inboxes: Callable[[], list[InboxId]]) -> None:
        self._head_of, self._inboxes = head_of, inboxes
        self._past: dict[ConversationId, list[ConversationId]] = {}
        self._under_way: set[ConversationId] = set()
        self._again: set[ConversationId] = set()

    def read(self, conversation: ConversationId) -> list[Action]:
        """Something changed: read the visitor, once more if that is under way."""
        head = self._head_of(conversation)
        if head is None:
            return []
        if conversation in self._under_way:
            self._again.add(conversation)
            return []
        self._under_way.add(conversation)
        known = conversation in self._past
        return [ReadContext(conversation, head.visitor, [] if known else self._inboxes())]

    def whose(self, conversation: ConversationId, head: Head, entries: list[Hint]) -> Head:
        """Return the head as it is after `entries`: whoever logged in is somebody else, with a past of their own."""
        for entry in entries:
            body = _EVENT.decode(entry.frame).body if b"merged" in entry.frame else None
            if isinstance(body, Merged):
                head = replace(head, visitor=body.visitor)
                self._past.pop(conversation, None)
        return head

    def passed(self, conversation: ConversationId, entries: list[Hint]) -> list[Action]:
        """Take committed entries on their way to the agent."""
        moved = any(mark in entry.frame for entry in but_words(entries) for mark in _MARKS)
        return self.read(conversation) if moved else []

    def take(self, asked: ReadContext, record: VisitorRecord | None, past: list[ConversationId] | None) -> list[Action]:
        """Take what was read; `past` None: not asked, or not to be had now."""
        conversation = asked.conversation
        self._under_way.discard(conversation)
        again = conversation in self._again
        self._again.discard(conversation)
        if self._head_of(conversation) is None:
            self._past.pop(conversation, None)
            return []
        if past is not None:
            self._past[conversation] = past
        told: list[Action] = []
        if record is not None:
            told.append(Say(context_view(conversation, record, self._past.get(conversation, []))))
        return [*told, *(self.read(conversation) if again else [])]


def context_view(conversation: ConversationId, record: VisitorRecord, past: list[ConversationId]) -> ContextView:
    """Return what is known of the visitor, with their phone as it was seen last."""
    device = max(record.devices.values(), key=lambda each: each.seen_at_ms, default=_NO_DEVICE)
    contact, profile, context = record.contact, record.profile, record.context
    vouched = profile.email if profile is not None else ""
    typed = contact.email if contact is not None else ""
    return ContextView(
        conversation=conversation,
        visitor=record.id,
        identified=record.identified,
        platform=device.platform,
        app_version=device.app_version,
        locale=device.locale,
        screen=context.screen,
        properties=context.properties,
        device=context.device,
        breadcrumbs=[Breadcrumb(each.at_ms, each.text) for each in context.breadcrumbs],
        contact=contact.id if contact is not None else "",
        name=profile.name if profile is not None else "",
        email=vouched or typed,
        email_verified=bool(vouched) or (contact is not None and contact.verified),
        blocked=record.blocked,
        past=[each for each in past if each != conversation],
    )
