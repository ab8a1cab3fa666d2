"""Sessions without sockets or cells, as the unit tests use them."""

from typing import Any

import msgspec

from gateway.core.actions import Action, Forward, ReadLog, Say, Submit
from gateway.core.agent import AgentSession
from gateway.core.consoles import Desk
from gateway.core.gate import Gate
from gateway.core.limits import Bucket, SessionLimits
from gateway.core.mobile import MobileSession
from gateway.core.resume import Page
from gateway.core.saying import Visitor
from gateway.core.serving import Told
from gateway.core.session import Moment
from gateway.core.storefront import Phone, Storefront
from protocol.bus.config import AccountConfig
from protocol.bus.records import Head, Outcome, VisitorRecord
from protocol.bus.topics import Hint
from protocol.ids import AgentId, ConversationId, DeviceId, EventId, SessionId, event_id
from protocol.wire import client
from protocol.wire.content import AnyBody, Event
from tests.kit.workplace import (
    ACCOUNT,
    ANN,
    ASKS,
    GATEWAY,
    INBOX,
    KARI,
    OPEN,
    conversation,
    phone,
    record,
    workplace,
)

ASKING, CHAT = conversation(ASKS), conversation(OPEN)
NOW = Moment(1_000_000)


def mobile(answer: str = "", config: AccountConfig | None = None, **changes: Any) -> MobileSession:
    """Kari's session: one conversation that asks for consent, one that does not."""
    return visiting(config or workplace(), record(KARI, answer), **changes)


def visiting(config: AccountConfig, known: VisitorRecord, **changes: Any) -> MobileSession:
    """A session of the visitor who is `known`. `tag`, `rows`, `environment`, `admit`, `profile`; else limits."""
    device, session = phone(KARI), SessionId("ses_1")
    asked = Phone(changes.pop("tag", "help"), "ios", "1.0", "en", known.identified, device, session)
    gate = Gate(config, known, changes.pop("rows", {}))
    about = {
        "environment": changes.pop("environment", "production"),
        "admit": changes.pop("admit", None),
        "profile": changes.pop("profile", None),
    }
    me = Visitor(ACCOUNT, GATEWAY, session, device, KARI, asked, {ASKING: ASKS, CHAT: OPEN}, **about)
    front, limits = Storefront(asked, gate), SessionLimits(**changes)
    messages = Bucket(limits.messages_per_minute, limits.message_burst)
    return MobileSession(me, Told(front, front.show(known, NOW.at_ms)), limits, messages)


def agent(who: AgentId = ANN, **changes: Any) -> AgentSession:
    """An agent's session."""
    desk = Desk(ACCOUNT, GATEWAY, SessionId("ses_a"), DeviceId(f"dev_{who[4:]}"), who)
    return AgentSession(desk, workplace(), SessionLimits(**changes))


def head(which: ConversationId = CHAT, **changes: Any) -> Head:
    """The committed head of one of Kari's conversations."""
    fields: dict[str, Any] = {
        "account": ACCOUNT, "visitor": KARI, "inbox": INBOX, "chatflow": OPEN if which == CHAT else ASKS,
        "status": "open", "phase": "waiting", "seq": 1, "event": EventId("1.1.0"), "agent": None,
    }  # fmt: skip
    return Head(**{**fields, **changes})


def hint(seq: int, body: AnyBody | None, which: ConversationId = CHAT, epoch: int = 1) -> Hint:
    """A committed entry; hidden from its reader without a body."""
    name = event_id(epoch, seq, 0)
    frame = msgspec.msgpack.encode(Event(which, seq, name, 0, body)) if body is not None else b""
    return Hint(seq, name, frame)


def attach(session: MobileSession | AgentSession, which: ConversationId, page: Page) -> list[Action]:
    """Resume from nothing, and read one page; returns what the session does about it."""
    actions = session.receive(client.Resume(client.Position(which, 0, "")), NOW)
    asked = next(action for action in actions if isinstance(action, ReadLog))
    return session.log_read(which, asked.turn, page)


def said(actions: list[Action]) -> list[Any]:
    """The frames that actions send, stored ones decoded."""
    frames: list[Any] = []
    for action in actions:
        if isinstance(action, Say):
            frames.append(action.frame)
        elif isinstance(action, Forward):
            frames += map(msgspec.msgpack.decode, action.frames)
    return frames


def submitted(actions: list[Action]) -> list[Any]:
    """The commands that actions put into the cell."""
    return [action.command for action in actions if isinstance(action, Submit)]


def done(n: int, frame_id: str, **changes: Any) -> Outcome:
    """What became of a frame."""
    return msgspec.structs.replace(Outcome("ses_1", phone(KARI), n, frame_id), **changes)
