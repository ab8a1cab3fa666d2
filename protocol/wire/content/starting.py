"""The first entry of a log, and the settings that a conversation keeps from it.

Invariant: a later publish changes nothing of it.
"""

from typing import Literal

import msgspec

from protocol.ids import ChatflowId, ContactId, ConversationId, InboxId, RuleId, SurveyId, VisitorId
from protocol.wire.content.body import Body


class EmailPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """When this conversation asks for an e-mail address: `open` and `away` as product §3 says."""

    open: str = "never"
    away: str = "never"
    delay_s: int = 30


class SurveyPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """The survey that a close asks: which, by what scale, and for how long it may be answered."""

    id: SurveyId
    scale: Literal["faces", "stars", "ten", "thumbs"]
    expires_s: int
    on_inactivity: bool = False


class Started(Body, frozen=True, tag="started"):
    """Seq 1: the conversation exists, with the welcome as it was shown, and the settings it will keep.

    `previous`: the conversation that this one goes on from, its reopen window being over. `by`: the agent's or the
    company's side began it. `alias`: what agents are called before the visitor. `steps`: those that must be answered
    before a message is taken (storage_consent, consent_to_process, email); while one is left, nobody else sees it.
    """

    chatflow: ChatflowId
    version: int
    inbox: InboxId
    rule: RuleId | None  # None: assignment is off
    visitor: VisitorId
    ordinal: int
    locale: str
    welcome: str | None
    reopen_window_s: int
    gated_ttl_s: int
    alias: str = ""
    help_desk: bool = False
    priority: str = "normal"
    inactivity_s: int = 0
    silent_s: int = 600
    first_reply_s: int = 0
    email: EmailPlan = EmailPlan()
    survey: SurveyPlan | None = None
    environment: str = "production"
    previous: ConversationId | None = None
    by: str = "visitor"
    contact: ContactId | None = None
    steps: list[str] = []
