"""Commands: what somebody wants of a cell, in the order of its inbox.

Invariant: a command names its account, and carries all that deciding it needs but the state; its time is that of its
inbox entry. Arrays on the wire of the bus, so fields are only ever appended, with a default (rolling deploys).
"""

from typing import Literal

import msgspec

from protocol.bus.records import Profile, VisitorRecord
from protocol.ids import (
    AccountId,
    AgentId,
    AppKey,
    ChatflowId,
    ContactId,
    ConversationId,
    DeviceId,
    ErasureId,
    Incarnation,
    OfferId,
    RuleId,
    SessionId,
    TeamId,
    VisitorId,
)
from protocol.wire.kinds import AgentContent, File, VisitorContent


class Origin(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Whose frame it was, and where its outcome goes. n 0 for what gateways ask by themselves: no ledger."""

    gateway: Incarnation
    session: SessionId
    device: DeviceId
    n: int
    id: str


class Uploaded(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file that is there, as the gateway's receipt has it: for which conversation, by whom, and since when."""

    conversation: ConversationId
    sender: str
    at_ms: int
    file: File


class Command(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something asked of the cell."""

    account: AccountId


class Asked(Command, frozen=True):
    """A command with somebody waiting for its outcome."""

    origin: Origin


class Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A conversation that only SQL may still have: its Snapshot, and the Outcomes of one device's frames in it."""

    conversation: ConversationId
    state: bytes
    outcomes: list[bytes] = []


class Begun(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a phone began before its user logged in on it: as whom, and as which device of theirs.

    `record` and `known` as in `Admit`; `conversations`: those that are over, as SQL has them.
    """

    visitor: VisitorId
    device: DeviceId
    record: VisitorRecord | None = None
    known: bool = False
    conversations: list[Kept] = []


class Admit(Asked, frozen=True, tag="admit"):
    """A visitor's hello: make or find the visitor, check and rotate the device's secret, note the device.

    `presented` are hashes of the secrets shown (newest first); empty and not `identified` makes a new visitor.
    `fresh` is the hash of the secret that `ready` will hand out. `record` is SQL's, used if Redis has none.
    `known`: the gateway saw a record in Redis; if none is left, it is in SQL, and nobody is to be made in its place.
    `profile`: what the token vouches for; kept only if `chatflow`, as served to this device, awaits no consent to
    process. After a grant the same hello is put in again for its sake.
    `begun`, of an identified visitor: taken over, if `presented` proves that it is this phone's.
    """

    visitor: VisitorId
    app: AppKey
    device: DeviceId
    presented: list[bytes]
    fresh: bytes
    identified: bool
    platform: str
    app_version: str
    locale: str
    record: VisitorRecord | None = None
    known: bool = False
    profile: Profile | None = None
    chatflow: ChatflowId | None = None
    version: int = 0
    begun: Begun | None = None


class LogOut(Asked, frozen=True, tag="logout"):
    visitor: VisitorId
    device: DeviceId


class VisitorSends(Asked, frozen=True, tag="vsend"):
    """`chatflow` is the one served at hello: it matters only when this starts the conversation."""

    conversation: ConversationId
    visitor: VisitorId
    chatflow: ChatflowId | None
    text: str
    locale: str
    version: int = 0  # of the chatflow as served to this device
    content: VisitorContent | None = None
    environment: str = "production"
    uploads: list[Uploaded] = []


class VisitorAnswers(Asked, frozen=True, tag="vanswer"):
    """`value`: granted or declined; of the step `email`, the address. `communicate` None: no such box was shown."""

    conversation: ConversationId
    visitor: VisitorId
    chatflow: ChatflowId | None
    value: str
    locale: str
    version: int = 0
    step: str = "consent_to_process"
    communicate: bool | None = None
    environment: str = "production"


class VisitorRates(Asked, frozen=True, tag="vrate"):
    """What became of a survey: seen, dismiss, answer (score), comment (text)."""

    conversation: ConversationId
    visitor: VisitorId
    ask: int
    action: str
    score: int | None = None
    text: str = ""


class VisitorWithdraws(Asked, frozen=True, tag="vwithdraw"):
    """n 0, id: the frame's ref. `purpose`: storage, process, communicate, analytics.

    `record`, if the company asks and nobody says hello: SQL's, used if Redis has none.
    """

    visitor: VisitorId
    purpose: str
    device: DeviceId
    locale: str
    record: VisitorRecord | None = None


class SetAnalytics(Asked, frozen=True, tag="analytics"):
    """n 0, id: the frame's ref."""

    visitor: VisitorId
    granted: bool
    device: DeviceId
    locale: str


class NoteContext(Asked, frozen=True, tag="context"):
    """What the app tells of the visitor (n 0): merged; "" removes a property.

    Kept only if `chatflow`, as served to this device, awaits no consent to process.
    """

    visitor: VisitorId
    screen: str | None
    properties: dict[str, str]
    device: dict[str, str]
    breadcrumbs: list[str]
    chatflow: ChatflowId | None = None
    version: int = 0


class CompanySends(Asked, frozen=True, tag="csend"):
    """The company begins a conversation with an identified visitor, or goes on with the open one (n 0).

    `name` is who it is from, `record` SQL's if Redis has no such visitor; `known` as in `Admit`. `version` is of the
    chatflow, as the visitor's phone is served it; 0: the newest.
    """

    conversation: ConversationId
    visitor: VisitorId
    chatflow: ChatflowId
    text: str
    name: str
    locale: str
    app: AppKey
    record: VisitorRecord | None = None
    environment: str = "production"
    known: bool = False
    version: int = 0


class VisitorCloses(Asked, frozen=True, tag="vclose"):
    conversation: ConversationId
    visitor: VisitorId


class AgentSends(Asked, frozen=True, tag="asend"):
    """`canned`: the id of a ready reply, used instead of `text`."""

    conversation: ConversationId
    agent: AgentId
    text: str
    content: AgentContent | None = None
    canned: str = ""
    uploads: list[Uploaded] = []


class AgentCloses(Asked, frozen=True, tag="aclose"):
    conversation: ConversationId
    agent: AgentId
    spam: bool = False
    close_ticket: bool = False


class AddNote(Asked, frozen=True, tag="note"):
    conversation: ConversationId
    agent: AgentId
    text: str
    mentions: list[AgentId]
    whisper: bool


class ChangeTags(Asked, frozen=True, tag="tags"):
    conversation: ConversationId
    agent: AgentId
    add: list[str]
    remove: list[str]


class SetFields(Asked, frozen=True, tag="fields"):
    conversation: ConversationId
    agent: AgentId
    fields: dict[str, str]


class SetPriority(Asked, frozen=True, tag="priority"):
    conversation: ConversationId
    agent: AgentId
    priority: str


class SnoozeConversation(Asked, frozen=True, tag="snooze"):
    """`until_ms` 0 wakes it."""

    conversation: ConversationId
    agent: AgentId
    until_ms: int


class RedactMessage(Asked, frozen=True, tag="redact"):
    """`frame`: the event at `seq`, emptied by the gateway that read it; its tombstone is made of it."""

    conversation: ConversationId
    agent: AgentId
    seq: int
    frame: bytes = b""


class BlockVisitor(Asked, frozen=True, tag="block"):
    conversation: ConversationId
    agent: AgentId
    on: bool


class SetTicket(Asked, frozen=True, tag="ticket"):
    conversation: ConversationId
    agent: AgentId
    status: str


class Emptied(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A conversation that only SQL may still have: the state (a Snapshot) that its tombstones amount to."""

    conversation: ConversationId
    state: bytes


class ErasePerson(Command, frozen=True, tag="erase"):
    """Leave nothing of a visitor: their open conversations end, and of all of them tombstones are left.

    `conversations`: all that SQL knows; `record`: SQL's, without anything personal, used if Redis has none. `contact`:
    erased too, once nobody else is known as it. Nobody waits for an outcome; what was done already is not done again.
    """

    visitor: VisitorId
    erasure: ErasureId
    record: VisitorRecord | None = None
    conversations: list[Emptied] = []
    contact: ContactId | None = None


class EraseConversations(Command, frozen=True, tag="erase_conversations"):
    """Leave nothing but tombstones of these, as far as they are closed: their time is over (retention)."""

    conversations: list[Emptied]


class AgentArrives(Asked, frozen=True, tag="arrive"):
    """An agent's session was opened on a gateway (origin n 0)."""

    agent: AgentId


class AgentLeaves(Asked, frozen=True, tag="leave"):
    """That session ended by itself (origin n 0)."""

    agent: AgentId


class SetAgentState(Asked, frozen=True, tag="state"):
    """`of`: whose state, if not the agent's own: a supervisor says so."""

    agent: AgentId
    state: Literal["available", "away", "offline"]
    of: AgentId | None = None


class AcceptOffer(Asked, frozen=True, tag="accept"):
    agent: AgentId
    offer: OfferId


class DeclineOffer(Asked, frozen=True, tag="decline"):
    agent: AgentId
    offer: OfferId


class ClaimConversation(Asked, frozen=True, tag="claim"):
    agent: AgentId
    conversation: ConversationId
    force: bool = False


class TransferConversation(Asked, frozen=True, tag="transfer"):
    agent: AgentId
    conversation: ConversationId
    to: AgentId  # "" if it goes to a team
    note: str
    team: TeamId | None = None
    force: bool = False


class AskWhoNext(Asked, frozen=True, tag="whonext"):
    """To the roster: who would get a new conversation of `rule` now? (n 0, id: the frame's ref.)

    Answered `Told`, or refused NOT_FOUND: no such rule, or not in an inbox of the agent's. Nothing happens by it.
    """

    agent: AgentId
    rule: RuleId


class PublishConfig(Command, frozen=True, tag="config"):
    """A newer configuration of the account lies at its key in Redis; a version not above the present is dropped."""

    version: int


class GatewayLost(msgspec.Struct, frozen=True, array_like=True, tag="gwlost"):
    """The lease of a gateway incarnation lapsed: all its agent sessions, in every account of the cell, are over."""

    gateway: Incarnation


class TimerFired(Command, frozen=True, tag="timer"):
    """A deadline came. It has an effect only if `generation` is still the timer's own.

    `kind`, of a conversation: gate, email, first_reply, silent, inactivity, wake, survey; of the roster (`key`: which
    one): offer, grace, retry, places, opening, ageing, overflow, remind, replies.
    """

    owner: str
    kind: str
    key: str
    generation: int


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
