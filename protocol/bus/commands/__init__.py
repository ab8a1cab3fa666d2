"""Commands: what somebody wants of a cell, in the order of its inbox.

Invariant: a command names its account, and carries all that deciding it needs but the state; its time is that of its
inbox entry. Arrays on the wire of the bus, so fields are only ever appended, with a default (rolling deploys).
"""

import msgspec

from protocol.bus.commands.agents import (
    AddNote,
    AgentCloses,
    AgentSends,
    BlockVisitor,
    ChangeTags,
    RedactMessage,
    SetFields,
    SetPriority,
    SetTicket,
    SnoozeConversation,
)
from protocol.bus.commands.cell import GatewayLost, PublishConfig, TimerFired
from protocol.bus.commands.command import Asked, Command, Origin, Uploaded
from protocol.bus.commands.erasing import Emptied, EraseConversations, ErasePerson
from protocol.bus.commands.roster import (
    AcceptOffer,
    AgentArrives,
    AgentLeaves,
    AskWhoNext,
    ClaimConversation,
    DeclineOffer,
    SetAgentState,
    TransferConversation,
)
from protocol.bus.commands.visitors import (
    Admit,
    Begun,
    CompanySends,
    Kept,
    LogOut,
    NoteContext,
    SetAnalytics,
    VisitorAnswers,
    VisitorCloses,
    VisitorRates,
    VisitorSends,
    VisitorWithdraws,
)

__all__ = [
    "COMMAND_DECODER", "COMMAND_ENCODER", "PACK_DECODER", "AcceptOffer", "AddNote", "Admit", "AgentArrives",
    "AgentCloses", "AgentLeaves", "AgentSends", "AnyCommand", "AskWhoNext", "Asked", "Begun", "BlockVisitor",
    "ChangeTags", "ClaimConversation", "Command", "CompanySends", "DeclineOffer", "Emptied", "EraseConversations",
    "ErasePerson", "GatewayLost", "Kept", "LogOut", "NoteContext", "Origin", "PublishConfig", "RedactMessage",
    "SetAgentState", "SetAnalytics", "SetFields", "SetPriority", "SetTicket", "SnoozeConversation", "TimerFired",
    "TransferConversation", "Uploaded", "VisitorAnswers", "VisitorCloses", "VisitorRates", "VisitorSends",
    "VisitorWithdraws",
]  # fmt: skip

AnyCommand = (
    Admit
    | LogOut
    | VisitorSends
    | VisitorAnswers
    | VisitorRates
    | VisitorWithdraws
    | SetAnalytics
    | NoteContext
    | CompanySends
    | VisitorCloses
    | AgentSends
    | AgentCloses
    | AddNote
    | ChangeTags
    | SetFields
    | SetPriority
    | SnoozeConversation
    | RedactMessage
    | BlockVisitor
    | SetTicket
    | ErasePerson
    | EraseConversations
    | AgentArrives
    | AgentLeaves
    | SetAgentState
    | AcceptOffer
    | DeclineOffer
    | ClaimConversation
    | TransferConversation
    | AskWhoNext
    | PublishConfig
    | GatewayLost
    | TimerFired
)
COMMAND_ENCODER = msgspec.msgpack.Encoder()
COMMAND_DECODER: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)
PACK_DECODER: msgspec.msgpack.Decoder[list[AnyCommand]] = msgspec.msgpack.Decoder(list[AnyCommand])
