"""What one phone is shown of the chatflow it is served, as it stands now: at `ready`, and whenever it changes.

Invariant: what a session is told of its chatflow, its steps and who is there, comes from here and from nowhere else.
"""

import msgspec
from msgspec import Struct

from gateway.core import clock
from gateway.core.gate import Gate
from gateway.core.showing import availability_view, chatflow_view, heading_view
from gateway.core.views import address
from protocol.bus import targeting
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig
from protocol.bus.records import VisitorRecord
from protocol.bus.topics import Hint
from protocol.ids import AgentId, ConversationId, DeviceId, SessionId
from protocol.wire.codes import Code
from protocol.wire.content import Assigned, Event, Unassigned
from protocol.wire.server import AvailabilityView, ChatflowView, StepsView

_EVENT = msgspec.msgpack.Decoder(Event)
_MARK = b"assigned"  # what an entry holds that may change who has the conversation


class Phone(Struct, frozen=True):
    """A phone as its hello described it."""

    tag: str
    platform: str
    app_version: str
    locale: str
    identified: bool
    device: DeviceId
    session: SessionId


class Shown(Struct, frozen=True):
    """The part of `ready` that may change. `flow`: the version it is of."""

    flow: Chatflow | None = None
    view: ChatflowView | None = None
    conversation: ConversationId | None = None
    steps: StepsView = StepsView()
    availability: AvailabilityView | None = None
    reason: str = ""

    def is_news(self, before: "Shown") -> bool:
        """Whether somebody who was shown `before` must be told; a step that was answered is told by its outcome."""
        more = set(self.steps.outstanding) - set(before.steps.outstanding)
        return bool(more) or _but_steps(self) != _but_steps(before) or self.steps.blocked != before.steps.blocked


def _but_steps(shown: Shown) -> Shown:
    return msgspec.structs.replace(shown, flow=None, steps=StepsView())


class Storefront:
    """One phone before its chatflow. `agent`: who has the conversation that it addresses."""

    def __init__(self, phone: Phone, gate: Gate) -> None:
        self.phone, self.gate = phone, gate
        self.agent: AgentId | None = None
        self._attributes: dict[str, str] = {}  # what the app told since hello
        self._asked: tuple[AccountConfig, targeting.Device] | None = None  # of whom it was found out last
        self._served: Chatflow | None = None

    def note(self, properties: dict[str, str]) -> None:
        """Take what the app tells, as far as some chatflow asks for it."""
        asked = {name for flow in self.gate.config.chatflows for name in flow.targeting.attributes}
        self._attributes |= {name: value for name, value in properties.items() if name in asked}

    def passed(self, entries: list[Hint]) -> bool:
        """Take entries of the conversation addressed; whether they change who is on top."""
        before = self.agent
        for entry in entries:
            if _MARK in entry.frame:
                body = _EVENT.decode(entry.frame).body
                if isinstance(body, Assigned | Unassigned):
                    self.agent = AgentId(body.agent.id) if isinstance(body, Assigned) else None
        return self.agent != before

    def served(self, record: VisitorRecord, at_ms: int) -> Chatflow | None:
        """Return the chatflow for this phone, in the version for this phone. Schedules turn on whole minutes."""
        attributes = {**record.context.properties, **self._attributes}
        phone, at_ms = self.phone, at_ms // 1000 * 1000
        device = targeting.Device(
            phone.platform, phone.app_version, phone.locale, phone.device, at_ms, phone.identified, attributes
        )
        config, asked = self.gate.config, self._asked
        if asked is None or asked[0] is not config or asked[1] != device:
            self._served = targeting.serve(config, phone.tag, device).flow
            self._asked = (config, device)
        return self._served

    def show(self, record: VisitorRecord, at_ms: int) -> Shown:
        """Return what the phone is shown, and let the gate know which version that is."""
        flow, gate = self.served(record, at_ms), self.gate
        blocked = record.blocked
        if flow is None:
            return Shown(steps=StepsView(blocked=blocked), reason=Code.NO_CHATFLOW.wire)
        gate.served(flow)
        config, locale, row = gate.config, self.phone.locale, gate.row(flow)
        away = clock.is_away(config, flow, at_ms, ready=row is not None and row.ready)
        owner = record.profile.owner if record.profile is not None else None
        heading = heading_view(config, flow, self.phone.session, self.agent, owner)
        view = msgspec.structs.replace(chatflow_view(config, flow, locale, away=away), heading=heading)
        addressed = address(config, flow, record, at_ms)
        return Shown(
            flow,
            view,
            addressed,
            StepsView(gate.outstanding(flow.id, at_ms, addressed), blocked),
            availability_view(config, flow, row, locale, at_ms),
        )
