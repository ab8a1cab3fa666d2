"""An account as tests know it, and the commands its people send.

Invariant: every command is one a gateway could have sent; nothing here decides anything.
"""

from typing import Any

from protocol.bus import commands
from protocol.bus.chatflow import EmailCapture
from protocol.bus.config import AccountConfig, Agent, App, Chatflow, Consent, Heading, Inbox, Rule
from protocol.bus.records import ConsentRecord, CurrentConversation, DeviceRecord, VisitorRecord
from protocol.ids import (
    AccountId,
    AgentId,
    AppKey,
    CellName,
    ChatflowId,
    ConversationId,
    DeviceId,
    InboxId,
    Incarnation,
    RuleId,
    SessionId,
    VisitorId,
    conversation_id,
)
from protocol.wire.content import Author, Role

ACCOUNT = AccountId("acc_nordvik")
APP = AppKey("app_shop")
INBOX = InboxId("inb_support")
RULE = RuleId("rul_turns")
ASKS, IMPLIES, OPEN, UNROUTED = (ChatflowId(f"flw_{name}") for name in ("asks", "implies", "open", "unrouted"))
ANN, BO, CY = (AgentId(f"agt_{name}") for name in ("ann", "bo", "cy"))
KARI, OLA = VisitorId("vis_kari"), VisitorId("vis_ola")
KEY = b"k" * 32
GATEWAY = Incarnation("gw_1")

_MODES: dict[ChatflowId, tuple[Any, RuleId | None]] = {
    ASKS: ("explicit", RULE),
    IMPLIES: ("legitimate_interest", RULE),
    OPEN: ("off", RULE),
    UNROUTED: ("off", None),
}


def chatflow(name: ChatflowId, **changes: Any) -> Chatflow:
    """The chatflow of that name; its consent mode is what the name says."""
    mode, rule = _MODES[name]
    fields: dict[str, Any] = {
        "id": name,
        "version": 3,
        "name": name,
        "inbox": INBOX,
        "tags": ["help"],
        "priority": 1,
        "enabled": True,
        "language": "en",
        "rule": rule,
        "heading": Heading(kind="assigned_agent"),
        "welcome": {"nb": "Hei!", "en": "Hello!"},
        "consent": Consent(mode, {"en": "May we?", "nb": "Kan vi?"}),
        "reopen_window_s": 3_600,
        "gated_ttl_s": 600,
        "email": EmailCapture("never", "never"),
    }
    return Chatflow(**{**fields, **changes})


def workplace(*, version: int = 1, capacity: int = 2, auto_accept: bool = False, **flow: Any) -> AccountConfig:
    """Three agents (Cy supervises), one inbox, one rule, and a chatflow for each way of asking consent."""
    names = {ANN: "Ann", BO: "Bo", CY: "Cy"}
    agents = [
        Agent(
            agent, name, f"{name.lower()}@nordvik.example", "", True, "supervisor" if agent == CY else "agent", capacity
        )
        for agent, name in names.items()
    ]
    rule = Rule(RULE, INBOX, "turns", auto_accept=auto_accept, last_agent_window_s=1_800)
    inbox = Inbox(INBOX, "Support", agents=list(names))
    flows = [chatflow(name, **flow) for name in _MODES]
    return AccountConfig(
        ACCOUNT, "Nordvik", version, CellName("c00"), KEY, [App(APP, "Shop")], [inbox], agents, [rule], flows
    )


def conversation(chatflow: ChatflowId = OPEN, ordinal: int = 1, visitor: VisitorId = KARI) -> ConversationId:
    """The id of a visitor's conversation."""
    return conversation_id(KEY, visitor, chatflow, ordinal)


def phone(visitor: VisitorId, number: int = 1) -> DeviceId:
    """One of the visitor's phones."""
    return DeviceId(f"dev_{visitor[4:]}{number}")


def origin(device: str, n: int, id_: str = "", session: str = "ses_1", gateway: Incarnation = GATEWAY) -> Any:
    """Whose frame it was; its id follows from device and n if none is given."""
    return commands.Origin(gateway, SessionId(session), DeviceId(device), n, id_ or f"{device}-{n}")


def record(visitor: VisitorId = KARI, answer: str = "", **current: CurrentConversation) -> VisitorRecord:
    """A visitor with one phone, who has answered the consent step, if an answer is given."""
    device = DeviceRecord("ios", "1.0", "en", 0, b"secret", b"")
    consents = {"process": ConsentRecord(answer, 0, "hash", ASKS, 3, "en", "1.0")} if answer else {}
    flows = {ChatflowId(name): value for name, value in current.items()}
    return VisitorRecord(visitor, ACCOUNT, APP, False, 0, 0, {phone(visitor): device}, consents, flows)


def admits(visitor: VisitorId = KARI, **changes: Any) -> commands.Admit:
    """A hello without proof on a new phone."""
    fields: dict[str, Any] = {
        "account": ACCOUNT,
        "origin": origin(phone(visitor), 0, "hello"),
        "visitor": visitor,
        "app": APP,
        "device": phone(visitor),
        "presented": [],
        "fresh": b"fresh",
        "identified": False,
        "platform": "ios",
        "app_version": "1.0",
        "locale": "en",
    }
    return commands.Admit(**{**fields, **changes})


def sends(n: int = 1, text: str = "Hello", flow: ChatflowId = OPEN, **changes: Any) -> commands.VisitorSends:
    """Kari says something in her first conversation under `flow`."""
    visitor = changes.pop("visitor", KARI)
    where = changes.pop("conversation", conversation(flow, visitor=visitor))
    asked = changes.pop("origin", origin(phone(visitor), n))
    return commands.VisitorSends(ACCOUNT, asked, where, visitor, flow, text, "en", **changes)


def answers(n: int = 1, value: Any = "granted", flow: ChatflowId = ASKS, **changes: Any) -> commands.VisitorAnswers:
    """Kari answers a step, the consent to process if no other is named, in her first conversation under `flow`."""
    visitor = changes.pop("visitor", KARI)
    where = changes.pop("conversation", conversation(flow, visitor=visitor))
    asked = changes.pop("origin", origin(phone(visitor), n))
    return commands.VisitorAnswers(ACCOUNT, asked, where, visitor, flow, value, "en", **changes)


def closes(n: int = 1, flow: ChatflowId = OPEN, visitor: VisitorId = KARI) -> commands.VisitorCloses:
    """The visitor ends the first conversation under `flow`."""
    return commands.VisitorCloses(ACCOUNT, origin(phone(visitor), n), conversation(flow, visitor=visitor), visitor)


def replies(agent: AgentId, n: int, where: ConversationId, text: str = "Hi", **changes: Any) -> commands.AgentSends:
    """An agent says something."""
    asked = changes.pop("origin", origin(f"desk_{agent}", n))
    return commands.AgentSends(ACCOUNT, asked, where, agent, text, **changes)


def hangs_up(agent: AgentId, n: int, where: ConversationId) -> commands.AgentCloses:
    """An agent ends a conversation."""
    return commands.AgentCloses(ACCOUNT, origin(f"desk_{agent}", n), where, agent)


def author(agent: AgentId) -> Author:
    """The agent as the log names them."""
    return Author(Role.AGENT, agent, agent[4:].title())
