"""Phones that change hands, over a cell: who uses each now, what it has said, and what SQL alone still has.

Invariant: a phone asks as gateways would have it ask; what it expects is written down as it happens, and never read
from the engine.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from engine.core.phases import Closed
from engine.core.starting import place_of
from protocol.bus import commands
from protocol.bus.commands import Begun, Kept
from protocol.bus.records import Outcome
from protocol.ids import ChatflowId, ConversationId, DeviceId, VisitorId
from tests.kit.workplace import ACCOUNT, admits, origin, workplace
from tests.kit.world import World

_PACK = msgspec.msgpack.Encoder()


class Phone:
    """`user`: who is logged in, "" if nobody. `secret`: of the anonymous visitor it is, or was before they logged in."""

    def __init__(self, name: str) -> None:
        self.name, self.lives = name, 0
        self.visitor, self.user, self.secret = VisitorId(""), "", b""
        self.frames: list[commands.VisitorSends] = []  # since the last logout

    @property
    def device(self) -> DeviceId:
        return device_of(self.name, self.visitor)


def device_of(phone: str, visitor: VisitorId) -> DeviceId:
    """The device that a phone is, for one visitor."""
    return DeviceId(f"dev_{phone}_{visitor}")


class Street:
    """Some phones, and the cell behind them. `owns`: whose each conversation must be; `said`: what must stand in it."""

    def __init__(self, names: list[str]) -> None:
        self.world = World(workplace(capacity=3))
        self.phones = [Phone(name) for name in names]
        self.owns: dict[ConversationId, VisitorId] = {}
        self.said: dict[ConversationId, list[str]] = {}
        self.words = 0
        for phone in self.phones:
            self.begin(phone)

    def begin(self, phone: Phone) -> None:
        """Let nobody in particular take the phone."""
        phone.lives += 1
        phone.visitor, phone.user = VisitorId(f"vis_{phone.name}_{phone.lives}"), ""
        phone.secret, phone.frames = f"secret of {phone.visitor}".encode(), []
        assert self.hello(phone, fresh=phone.secret).code == ""

    def earlier(self, phone: Phone) -> Phone:
        """The phone as it was before its user logged in."""
        before = Phone(phone.name)
        before.visitor = VisitorId(f"vis_{phone.name}_{phone.lives}")
        return before

    def hello(self, phone: Phone, **changes: Any) -> Outcome:
        """Say hello as whoever uses the phone."""
        fields = {"origin": origin(phone.device, 0, "hello"), "device": phone.device, **changes}
        return self.world.ask(admits(phone.visitor, **fields))

    def logs_in(self, phone: Phone, user: str, *, began_as: VisitorId, secret: bytes, cold: bool) -> Outcome:
        """Say hello as `user`, with what the phone has of who it was. `cold`: what is over, SQL alone still has."""
        visitor, on = VisitorId(f"vis_{user}"), device_of(phone.name, began_as)
        here = device_of(phone.name, visitor)
        over = self._over(began_as) if cold else []
        shelf = {where: self.world.conversations.pop(where) for where in over}
        ledgers = {key: self.world.ledgers.pop(key) for key in list(self.world.ledgers) if key[0] in shelf}
        kept = [Kept(where, shelf[where], _outcomes(ledgers.get((where, on), {}))) for where in over]
        begun = Begun(began_as, on, None, True, kept)
        asked = {"identified": True, "presented": [secret], "fresh": b"", "begun": begun, "device": here}
        outcome = self.world.ask(admits(visitor, origin=origin(here, 0, "hello"), **asked))
        for where, state in shelf.items():
            self.world.conversations.setdefault(where, state)
        for key, remembered in ledgers.items():
            self.world.ledgers[key] = {**remembered, **self.world.ledgers[key]}
        return outcome

    def _over(self, visitor: VisitorId) -> list[ConversationId]:
        theirs = [where for where, owner in self.owns.items() if owner == visitor]
        return [where for where in theirs if isinstance(self.world.conversation(where).phase, Closed)]

    def place(self, phone: Phone, flow: ChatflowId) -> ConversationId:
        """The conversation that `hello` would name."""
        config, record = self.world.configs[ACCOUNT], self.world.visitor(phone.visitor)
        assert record is not None
        served = next(known for known in config.chatflows if known.id == flow)
        return place_of(config, record, served, self.world.now_ms).conversation

    def send(self, phone: Phone, flow: ChatflowId, where: ConversationId) -> Outcome:
        """Say something new."""
        self.words += 1
        asked = origin(phone.device, self.world.next_n(where, phone.device), f"id-{self.words}")
        frame = commands.VisitorSends(ACCOUNT, asked, where, phone.visitor, flow, f"word {self.words}", "en")
        phone.frames.append(frame)
        return self.world.ask(frame)

    def again(self, phone: Phone, frame: commands.VisitorSends) -> Outcome:
        """Say a frame again, as whoever uses the phone now."""
        same = replace(frame, visitor=phone.visitor, origin=replace(frame.origin, device=phone.device))
        return self.world.ask(same)


def _outcomes(remembered: dict[int, Outcome]) -> list[bytes]:
    return [_PACK.encode(outcome) for _, outcome in sorted(remembered.items())]
