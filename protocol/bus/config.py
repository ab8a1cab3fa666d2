"""An account's published configuration, as immutable bytes of one version.

Invariant: every reference resolves (`samtale apply` checked it); engines and gateways need no SQL to use it.
"""

from typing import Literal

import msgspec

from protocol.bus.chatflow import Chatflow, Consent, Heading, Survey, Texts
from protocol.bus.hours import Hours
from protocol.bus.staff import Agent, Inbox, Rule, Team
from protocol.bus.texts import text_for
from protocol.ids import AccountId, AppKey, CellName, ChatflowId, SubscriptionId

__all__ = [
    "CONFIG_DECODER", "CONFIG_ENCODER", "AccountConfig", "Agent", "App", "Canned", "Chatflow", "Consent", "Heading",
    "IdentityKey", "Inbox", "Rule", "Subscription", "Team", "flow_at", "text_for",
]  # fmt: skip


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
    environment: Literal["production", "test", "preview"] = "production"  # preview: of no account that anybody sets
    server_keys: list[str] = []  # hex SHA-256 of the secrets with which the company's own servers ask


class Subscription(msgspec.Struct, frozen=True):
    """Something a contact may be written to about."""

    id: SubscriptionId
    name: str


class Canned(msgspec.Struct, frozen=True):
    """A ready reply. Its text may hold {agent}, {visitor}, {inbox} and {conversation}; visitors see it filled in."""

    id: str
    text: Texts


class AccountConfig(msgspec.Struct, frozen=True):
    """Everything of an account that a cell or a gateway needs.

    `chatflows` are the newest versions; `past`: those before them, which running conversations go on under; of these
    what is live at once is the newest one's. `texts`: interface texts of the account's own, locale → name → text.
    """

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
    past: list[Chatflow] = []
    teams: list[Team] = []
    hours: list[Hours] = []
    subscriptions: list[Subscription] = []
    canned: list[Canned] = []
    texts: dict[str, Texts] = {}
    data_privacy: bool = True  # off: no consent to process is asked
    storage_consent: bool = True  # off: no storage consent is asked
    max_open: int = 5  # conversations that a visitor may have open at once
    surveys: list[Survey] = []  # those that chatflows can link; a published version has its own copy


CONFIG_ENCODER = msgspec.msgpack.Encoder()
CONFIG_DECODER: msgspec.msgpack.Decoder[AccountConfig] = msgspec.msgpack.Decoder(AccountConfig)


def flow_at(config: AccountConfig, chatflow: ChatflowId | None, version: int) -> Chatflow | None:
    """Return a version of a chatflow as published; the newest one if that version is no longer kept."""
    for newest in config.chatflows:
        if newest.id == chatflow:
            break
    else:
        return None
    if newest.version == version or not version:
        return newest
    return next((flow for flow in config.past if flow.version == version and flow.id == chatflow), newest)
