"""A conversation as its one writer holds it: the fold of its log, and nothing else.

Invariant: a value; two conversations with the same account, id and log are equal, byte for byte when frozen.
"""

import msgspec

from engine.core.beside import PLAIN, SILENT, Beside, Heard
from engine.core.phases import ROUTED, AnyPhase, Closed, Gated, NotStarted, Parked, Phase
from protocol.ids import AccountId, AgentId, ChatflowId, ConversationId, EventId, InboxId, RuleId, VisitorId
from protocol.wire.content import EmailPlan, SurveyPlan


class Terms(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What `Started` settled for good; its fields say what they mean."""

    visitor: VisitorId
    chatflow: ChatflowId
    version: int
    inbox: InboxId
    rule: RuleId | None  # None: assignment is off
    ordinal: int
    locale: str
    reopen_window_s: int
    gated_ttl_s: int
    alias: str = ""
    help_desk: bool = False
    inactivity_s: int = 0
    silent_s: int = 0
    first_reply_s: int = 0
    environment: str = "production"
    email: EmailPlan = EmailPlan()
    survey: SurveyPlan | None = None


class Conversation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One thread under one chatflow. `last_agent`: whoever had it last, or has it. The rest stands beside the phase."""

    id: ConversationId
    account: AccountId
    terms: Terms
    seq: int
    event: EventId
    phase: AnyPhase
    last_agent: AgentId | None
    heard: Heard = SILENT
    beside: Beside = PLAIN


_NO_TERMS = Terms(VisitorId(""), ChatflowId(""), 0, InboxId(""), None, 0, "", 0, 0)
_NOT_STARTED = NotStarted()
_STATUS: dict[type[Phase], str] = {Gated: "gated", Closed: "closed", Parked: "parked"}


def not_started(account: AccountId, conversation: ConversationId) -> Conversation:
    """Return the state of an id under which nothing happened yet: seq 0."""
    return Conversation(conversation, account, _NO_TERMS, 0, EventId(""), _NOT_STARTED, None)


def status_of(conversation: Conversation) -> str:
    """Return what readers are told of it: gated, open, snoozed, closed, parked."""
    kind = type(conversation.phase)
    if conversation.beside.snoozed_ms and kind in ROUTED:
        return "snoozed"
    return _STATUS.get(kind, "open")


def reopenable(closed_at_ms: int, reopen_window_s: int, at_ms: int) -> bool:
    """Whether a message at `at_ms` brings a conversation back that closed at `closed_at_ms`."""
    return at_ms < closed_at_ms + reopen_window_s * 1000
