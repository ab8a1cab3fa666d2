"""What gateways say on the agent socket alone: `ready`, feeds, colleagues, what is known of a visitor (SPEC 8, 9).

Invariant: to staff only; no visitor's session sends one of these.
"""

from typing import Any

from msgspec import Struct

from protocol.wire.server.frame import Limits, ServerFrame


class AgentView(Struct, frozen=True, omit_defaults=True):
    """An agent as colleagues see them."""

    id: str
    name: str
    state: str = "offline"
    capacity: int = 0
    load: int = 0


class AgentReady(ServerFrame, frozen=True, tag="ready"):
    """The answer to the agent's `hello` (SPEC 8.1)."""

    v: int
    session: str
    device: str
    epoch: int
    at: int
    heartbeat_s: int
    limits: Limits
    agent: AgentView
    colleagues: list[AgentView]
    inboxes: list[str]
    feeds: list[str]
    next_n: int
    teams: list["TeamView"] = []
    canned: list["CannedView"] = []
    supervisor: bool = False


class TeamView(Struct, frozen=True):
    id: str
    name: str
    members: list[str]


class CannedView(Struct, frozen=True):
    """A ready reply: its text per locale, with its variables (SPEC 8.7)."""

    id: str
    text: dict[str, str]


class Candidate(Struct, frozen=True):
    """An agent who was considered, and why or why not."""

    agent: str
    reason: str


class NextAgent(ServerFrame, frozen=True, tag="who_next"):
    """Who would get a new conversation of the rule now (SPEC 8.16); `agent` None: nobody."""

    ref: str
    rule: str
    agent: str | None
    candidates: list[Candidate]
    counts: dict[str, int]


class ContextView(ServerFrame, frozen=True, tag="context"):
    """What is known of a conversation's visitor, now (SPEC 8.17). `past`: their other conversations, newest first."""

    conversation: str
    visitor: str
    identified: bool
    platform: str = ""
    app_version: str = ""
    locale: str = ""
    screen: str = ""
    properties: dict[str, str] = {}
    device: dict[str, str] = {}
    breadcrumbs: list["Breadcrumb"] = []
    contact: str = ""
    name: str = ""
    email: str = ""
    email_verified: bool = False
    blocked: bool = False
    past: list[str] = []


class Breadcrumb(Struct, frozen=True):
    at: int
    text: str


class Looking(ServerFrame, frozen=True, tag="looking"):
    """Another agent has the conversation before them, or no longer: staff only (SPEC 9.6)."""

    conversation: str
    agent: str
    name: str
    on: bool


class Presence(ServerFrame, frozen=True, tag="presence"):
    """Whether the visitor is online; to staff only (SPEC 9.3)."""

    conversation: str
    online: bool


class FeedSnapshot(ServerFrame, frozen=True, tag="feed_snapshot"):
    """All rows of a feed at `seq`/`id`; replaces what the reader had (SPEC 8.3)."""

    feed: str
    seq: int
    id: str
    rows: list[dict[str, Any]]


class FeedChange(ServerFrame, frozen=True, tag="feed"):
    """One change of a feed: `row` replaces the row of the same `key`; None removes it (SPEC 8.3)."""

    feed: str
    seq: int
    id: str
    what: str
    key: str
    row: dict[str, Any] | None = None
