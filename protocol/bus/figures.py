"""What an account counts of its conversations: facts of a commit, from which reports are made (docs/reports.md).

Invariant: no word, name, address or visitor's id is in here, so that figures outlive the person they came from.
"""

import msgspec

from protocol.ids import AccountId, ConversationId


class Figure(msgspec.Struct, frozen=True, array_like=True, gc=False, tag_field="f"):
    """Something that counts."""

    account: AccountId
    conversation: ConversationId


class Begun(Figure, frozen=True, tag="begun"):
    """A conversation exists: what its figures are told apart by. `origin`: visitor, company.

    `steps`: those that the visitor has to answer before a message is taken.
    """

    at_ms: int
    environment: str
    chatflow: str
    version: int
    inbox: str
    rule: str
    origin: str
    steps: list[str]
    platform: str = ""
    app_version: str = ""


class Measured(Figure, frozen=True, tag="measured"):
    """What one event adds to a conversation's figures: None leaves a figure as it is, numbers that count are added.

    `entered`: it is past its gate. `spoke`, `spoke_first`: the visitor did, and before any agent. `first_wait`: how
    that ended (assigned, ended). `storage`, `process`, `communicate`, `email`: how the step was answered;
    `email_later`: the ask that stands in nobody's way. `agent`: who has it. `ended`: the reason, "" if it goes on;
    `stood`: where it then stood (gate, waiting, unanswered, answered, idle).

    Of `waited_ms` and `open_ms` a beginning takes its time off, and its end puts its own on: the sum is how long.
    """

    entered: bool | None = None
    spoke: bool | None = None
    spoke_first: bool | None = None
    first_reply_ms: int | None = None
    replied_by: str | None = None
    first_wait_ms: int | None = None
    first_wait: str | None = None
    agent: str | None = None
    storage: str | None = None
    process: str | None = None
    communicate: str | None = None
    email: str | None = None
    email_later: str | None = None
    ended: str | None = None
    stood: str | None = None
    waits: int = 0
    waits_over: int = 0
    waited_ms: int = 0
    assigned: int = 0
    handed_on: int = 0
    open_ms: int = 0
    closes: int = 0
    reopens: int = 0


class AgentHeld(Figure, frozen=True, tag="held"):
    """An agent had the conversation. `how` that ended: closed, or why they have it no longer."""

    agent: str
    since_ms: int
    until_ms: int
    how: str
    answered: bool


class Decided(Figure, frozen=True, tag="decided"):
    """Routing decided, or an agent did. `how`: the reason, where there are several; `agent`: whom it was about."""

    at_ms: int
    what: str
    how: str = ""
    agent: str = ""


AnyFigure = Begun | Measured | AgentHeld | Decided
