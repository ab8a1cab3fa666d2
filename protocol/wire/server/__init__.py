"""Frames that gateways send (SPEC 3–9).

Invariant: a client may ignore any frame or field it does not know; nothing here is needed twice to be understood.
"""

from protocol.wire.content import Event, Hidden
from protocol.wire.server.agent import (
    AgentReady,
    AgentView,
    Breadcrumb,
    Candidate,
    CannedView,
    ContextView,
    FeedChange,
    FeedSnapshot,
    Looking,
    NextAgent,
    Presence,
    TeamView,
)
from protocol.wire.server.both import (
    Accepted,
    Ack,
    Caught,
    Done,
    DownloadAllowed,
    HistoryPage,
    Pong,
    Receipts,
    Reconnect,
    Refused,
    Resync,
    TypingNow,
    UploadAllowed,
)
from protocol.wire.server.chatflow import (
    AvailabilityView,
    ChatflowView,
    CommunicateStep,
    ConsentStep,
    DisplayView,
    EmailStep,
    HeadingView,
    PersonView,
    StepsView,
    StorageStep,
)
from protocol.wire.server.frame import Limits, ServerFrame
from protocol.wire.server.mobile import ConversationView, LoggedOut, Place, Ready, Refreshed, Serving, TokenExpiring

__all__ = [
    "Accepted", "Ack", "AgentReady", "AgentServerFrame", "AgentView", "AvailabilityView", "Breadcrumb", "Candidate",
    "CannedView", "Caught", "ChatflowView", "CommunicateStep", "ConsentStep", "ContextView", "ConversationView",
    "DisplayView", "Done", "DownloadAllowed", "EmailStep", "FeedChange", "FeedSnapshot", "HeadingView", "HistoryPage",
    "Limits", "LoggedOut", "Looking", "MobileServerFrame", "NextAgent", "PersonView", "Place", "Pong", "Presence",
    "Ready", "Receipts", "Reconnect", "Refreshed", "Refused", "Resync", "ServerFrame", "Serving", "StepsView",
    "StorageStep", "TeamView", "TokenExpiring", "TypingNow", "UploadAllowed",
]  # fmt: skip

_Both = (
    Ack
    | Accepted
    | Refused
    | Resync
    | Caught
    | HistoryPage
    | Receipts
    | TypingNow
    | UploadAllowed
    | DownloadAllowed
    | Reconnect
    | Pong
    | Event
    | Hidden
)
MobileServerFrame = Ready | Serving | Done | Place | TokenExpiring | Refreshed | LoggedOut | _Both
AgentServerFrame = AgentReady | FeedSnapshot | FeedChange | Presence | NextAgent | ContextView | Looking | Done | _Both
