"""The pace of a client against the allowances of a gateway's session."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from samtale import Surroundings
from samtale.asking import Asking
from samtale.outlet import Outlet
from samtale.pace import Pace

from gateway.core.actions import Action, End, Submit
from gateway.core.limits import Bucket
from gateway.core.session import Moment
from protocol.bus.commands import Asked
from protocol.wire.codec import MOBILE
from protocol.wire.limits import SUBPROTOCOL_MSGPACK
from tests.unit.gateway.sessions import CHAT, done, mobile, said

PER_MINUTE, BURST = 600, 100
ROUND_TRIP_S = 0.03


class Phone:
    """A visitor's outbox and a real session; time goes by in round trips. `now_s` since the line opened."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.refusals: list[str] = []
        self.frames = 0
        self.session = mobile(messages_per_minute=PER_MINUTE, message_burst=BURST)
        nobody = Outlet(Surroundings(clock=lambda: self.now_s, listener=lambda _: None))
        self.asking = Asking(nobody, lambda: None, lambda _: None, lambda *_: None)
        self.asking.pace.stated(PER_MINUTE, BURST)

    def turn(self) -> None:
        """Let what is due reach the session, and what it says come back."""
        for frame in self.asking.due_frames():
            self.frames += 1
            decoded = MOBILE[SUBPROTOCOL_MSGPACK].decode(msgspec.msgpack.encode(frame))
            self._do(self.session.receive(decoded, Moment(round(self.now_s * 1000))))
        self.now_s += max(ROUND_TRIP_S, self.asking.due_in_s() or 0.0)

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            assert not isinstance(action, End), action.reason
            if isinstance(action, Submit):
                assert isinstance(action.command, Asked)
                origin = action.command.origin
                self._do(self.session.outcome(done(origin.n, origin.id), action.command))
        for answer in said(actions):
            self._hear(msgspec.to_builtins(answer))

    def _hear(self, frame: dict[str, Any]) -> None:
        if frame["t"] == "ack":
            self.asking.on_ack(frame)
        else:
            self.refusals.append(frame["code"])
            self.asking.on_refused(frame)


def backlog(asking: Asking, length: int) -> None:
    for number in range(length):
        asking.ask(CHAT, {"t": "send", "conversation": CHAT, "text": f"{number}"})


async def test_a_long_backlog_takes_one_frame_each() -> None:
    """After a long outage nothing is refused, and the line is not ended for flooding."""
    phone = Phone()
    backlog(phone.asking, 500)
    for _ in range(5_000):
        phone.turn()
    assert (phone.asking.outbox.waiting(), phone.refusals, phone.frames) == ([], [], 500)


async def test_a_server_that_counted_more_is_asked_at_its_pace() -> None:
    """What was refused for rate goes alone after its wait, and what is behind it as the allowance grows."""
    phone = Phone()
    for number in range(BURST):  # by another client under the same allowance
        phone.session._messages.wait_ms(number)
    backlog(phone.asking, 40)
    phone.turn()
    assert phone.refusals == ["rate_limited", *["out_of_order"] * 15]
    phone.asking.outbox.release(CHAT)
    for _ in range(400):
        phone.turn()
    assert (phone.asking.outbox.waiting(), phone.frames) == ([], 16 + 40)


@given(
    st.integers(2, 1_200), st.integers(1, 100), st.lists(st.tuples(st.floats(0, 3), st.floats(0, 0.9)), max_size=200)
)
def test_who_keeps_to_the_pace_is_never_too_fast(per_minute: int, burst: int, asked: list[tuple[float, float]]) -> None:
    """Whenever somebody asks, and though the line is now fast and now slow by up to the time between two."""
    pace, bucket, now_s, each_s = Pace(), Bucket(per_minute, burst), 0.0, 60 / per_minute
    pace.stated(per_minute, burst)
    for after, late in asked:
        now_s += after * each_s
        now_s += pace.wait_s(now_s)
        pace.take(now_s)
        assert burst == 1 or bucket.wait_ms(int((now_s + late * each_s) * 1000)) == 0


def test_nothing_stated_is_no_limit() -> None:
    """A server that says nothing of a rate is not waited for."""
    pace = Pace()
    for _ in range(1_000):
        pace.take(5.0)
    assert pace.wait_s(5.0) == 0.0
