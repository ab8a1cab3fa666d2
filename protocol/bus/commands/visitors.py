"""What visitors ask, and the company on the way to them.

Invariant: `chatflow` and `version` are what the visitor's phone is served, not what is newest.
"""

import msgspec

from protocol.bus.commands.command import Asked, Uploaded
from protocol.bus.records import Profile, VisitorRecord
from protocol.ids import AppKey, ChatflowId, ConversationId, DeviceId, VisitorId
from protocol.wire.kinds import VisitorContent


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
