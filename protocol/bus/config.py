"""An account's published configuration, as immutable bytes of one version.

Invariant: every reference resolves (`samtale apply` checked it); engines and gateways need no SQL to use it.
"""

from typing import Literal

import msgspec

from protocol.ids import AccountId, AgentId, AppKey, CellName, ChatflowId, InboxId, RuleId


class IdentityKey(msgspec.Struct, frozen=True):
    """One key a company signs visitors' JWTs with. `material`: a shared secret (HS256) or a PEM public key."""

    kid: str
    algorithm: Literal["HS256", "RS256", "ES256", "EdDSA"]
    material: str


class App(msgspec.Struct, frozen=True):
    key: AppKey
    name: str
    origins: list[str] = []  # exact origins browsers may come from; an absent Origin is always allowed
    identity_keys: list[IdentityKey] = []
    audience: str = ""  # the `aud` that tokens must carry; the app key when empty


class Inbox(msgspec.Struct, frozen=True):
    id: InboxId
    name: str
    kind: Literal["inbox", "help_desk"] = "inbox"
    agents: list[AgentId] = []  # who has access


class Agent(msgspec.Struct, frozen=True):
    """A user who answers. `password` is an argon2 hash."""

    id: AgentId
    name: str
    email: str
    password: str
    seat: bool = True
    supervisor: bool = False
    capacity: int = 5


class Rule(msgspec.Struct, frozen=True):
    """How conversations of an inbox find an agent. Times in seconds."""

    id: RuleId
    inbox: InboxId
    name: str
    agents: list[AgentId] = []  # those in turn; everybody of the inbox when empty
    auto_accept: bool = False
    offer_timeout_s: int = 30
    decline_pause_s: int = 60
    lost_grace_s: int = 60
    expiries_to_away: int = 3
    last_agent_window_s: int = 604_800


class Consent(msgspec.Struct, frozen=True):
    mode: Literal["off", "explicit", "legitimate_interest"] = "explicit"
    text: dict[str, str] = {}  # per locale


class Chatflow(msgspec.Struct, frozen=True):
    """One version of a chatflow, and what is live at once: enabled, priority, tags."""

    id: ChatflowId
    version: int
    name: str
    inbox: InboxId
    tags: list[str]
    priority: int  # 1 is served first
    enabled: bool
    language: str
    rule: RuleId | None
    heading: str
    welcome: dict[str, str] = {}  # per locale
    consent: Consent = Consent()
    close_button: bool = True
    reopen_window_s: int = 259_200
    gated_ttl_s: int = 86_400


class AccountConfig(msgspec.Struct, frozen=True):
    """Everything of an account that a cell or a gateway needs."""

    account: AccountId
    name: str
    version: int
    cell: CellName
    id_key: bytes  # derives visitor and conversation ids; never leaves the servers
    apps: list[App]
    inboxes: list[Inbox]
    agents: list[Agent]
    rules: list[Rule]
    chatflows: list[Chatflow]


CONFIG_ENCODER = msgspec.msgpack.Encoder()
CONFIG_DECODER: msgspec.msgpack.Decoder[AccountConfig] = msgspec.msgpack.Decoder(AccountConfig)


def serve(config: AccountConfig, tag: str) -> Chatflow | None:
    """Return the enabled chatflow with the highest priority for `tag`, or None (product: chatflows, mobile tag)."""
    serving = [flow for flow in config.chatflows if flow.enabled and tag in flow.tags]
    return min(serving, key=lambda flow: (flow.priority, flow.id), default=None)


def text_for(texts: dict[str, str], locale: str, default: str) -> str | None:
    """Return the text along the chain `nb-NO` → `nb` → `no` → the flow's default language → `en`, or None."""
    language = locale.partition("-")[0]
    norwegian = ["no"] if language in ("nb", "nn") else []
    for candidate in [locale, language, *norwegian, default, "en"]:
        if candidate in texts:
            return texts[candidate]
    return None
