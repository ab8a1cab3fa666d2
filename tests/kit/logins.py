"""Kari, anonymous on her phone, turns out to be Ola, whom the company knows.

Invariant: every command is one that a gateway could have sent; nothing here decides anything.
"""

from typing import Any

from protocol.bus.commands import Begun
from protocol.bus.records import ConsentRecord, Outcome, VisitorRecord
from protocol.ids import ConversationId, VisitorId
from tests.kit.workplace import ASKS, KARI, OLA, admits, conversation, origin, phone, sends
from tests.kit.world import World

NEWS = "communicate:sub_news"
HERS, HIS = conversation(), conversation(visitor=OLA)
OWN = origin(phone(OLA), 0, "hello")


def kari() -> World:
    """A cell in which Kari has said hello."""
    made = World()
    assert made.ask(admits()).code == ""
    return made


def logs_in(world: World, *, begun: dict[str, Any] | None = None, **changes: Any) -> Outcome:
    """Kari turns out to be Ola, whom the company knows; return what came of it."""
    what = Begun(**{"visitor": KARI, "device": phone(KARI), "known": True, **(begun or {})})
    hello = {"origin": OWN, "identified": True, "presented": [b"fresh"], "fresh": b"", "begun": what}
    return world.ask(admits(OLA, **{**hello, **changes}))


def met(world: World, **says: Any) -> None:
    """Ola has been here before, on another phone."""
    assert world.ask(admits(OLA, identified=True, device=phone(OLA, 2), origin=OWN, **says)).code == ""


def ola_says(world: World, n: int = 1, where: ConversationId = HIS, **changes: Any) -> Outcome:
    """Ola says something on the other phone."""
    return world.ask(sends(visitor=OLA, conversation=where, origin=origin(phone(OLA, 2), n), **changes))


def record(world: World, visitor: VisitorId = OLA) -> VisitorRecord:
    """A record as stored."""
    found = world.visitor(visitor)
    assert found is not None
    return found


def answered(world: World, visitor: VisitorId, **answers: str) -> None:
    """Let a visitor have answered, one hour after the other; `news` is the box."""
    purposes = {NEWS if purpose == "news" else purpose: answer for purpose, answer in answers.items()}
    consents = {
        purpose: ConsentRecord(answer, 1_000 + len(visitor), "hash", ASKS, 3, "en", "1.0")
        for purpose, answer in purposes.items()
    }
    world.change_visitor(visitor, consents=consents)
