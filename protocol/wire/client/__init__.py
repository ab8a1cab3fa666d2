"""Frames that clients send (SPEC 3–6, 8, 9). Unknown fields are ignored, unknown frames refused.

Invariant: every state-changing frame carries `n` (1, 2, 3 … per device and conversation, or per agent device) and a
client-made `id`; sending the same frame again is always safe (SPEC 5).
"""

from protocol.wire.client.agent import (
    Accept,
    AddNote,
    AgentClose,
    AgentHello,
    AgentSend,
    Block,
    Claim,
    Decline,
    FeedPosition,
    Redact,
    SetFields,
    SetPriority,
    SetState,
    SetTicket,
    Snooze,
    Tag,
    Transfer,
    WhoNext,
)
from protocol.wire.client.both import Download, History, Leave, Ping, Position, Receipt, Resume, Typing, Upload
from protocol.wire.client.frame import Id, Numbered
from protocol.wire.client.mobile import (
    Anonymous,
    Answer,
    Close,
    Device,
    Hello,
    Identified,
    Logout,
    Refresh,
    Send,
    SetAnalyticsConsent,
    SetContext,
    Survey,
    Withdraw,
)

__all__ = [
    "Accept", "AddNote", "AgentClose", "AgentFrame", "AgentHello", "AgentSend", "Anonymous", "Answer", "Block", "Claim",
    "Close", "Decline", "Device", "Download", "FeedPosition", "Hello", "History", "Id", "Identified", "Leave", "Logout",
    "MobileFrame", "Numbered", "Ping", "Position", "Receipt", "Redact", "Refresh", "Resume", "Send",
    "SetAnalyticsConsent", "SetContext", "SetFields", "SetPriority", "SetState", "SetTicket", "Snooze", "Survey", "Tag",
    "Transfer", "Typing", "Upload", "WhoNext", "Withdraw",
]  # fmt: skip

MobileFrame = (
    Hello
    | Send
    | Answer
    | Survey
    | Close
    | SetContext
    | SetAnalyticsConsent
    | Withdraw
    | Upload
    | Download
    | Resume
    | Leave
    | History
    | Receipt
    | Typing
    | Refresh
    | Logout
    | Ping
)
AgentFrame = (
    AgentHello
    | AgentSend
    | AgentClose
    | AddNote
    | Tag
    | SetFields
    | SetPriority
    | Snooze
    | Redact
    | Block
    | SetTicket
    | WhoNext
    | SetState
    | Accept
    | Decline
    | Claim
    | Transfer
    | Upload
    | Download
    | Resume
    | Leave
    | History
    | Receipt
    | Typing
    | Ping
)
