"""When a log asked for an e-mail address, read from its beginning (product §3, e-mail capture).

Invariant: knows nothing but the log, the plan in `Started`, and since when the visitor's address was known.
"""

from typing import Any

from protocol.wire import content
from protocol.wire.content import Role


def by_visitor(body: Any) -> bool:
    """Whether it is the visitor's word."""
    return isinstance(body, content.Message) and body.by.role is Role.VISITOR


class Story:
    """What one log has told so far of its asks."""

    def __init__(self, started: content.Started, known_ms: int) -> None:
        self.plan, self.known_ms = started.email, known_ms
        self.moment = "never"  # as it was when the visitor first spoke
        self.first_ms = self.agent_ms = self.closed_ms = self.reopened_ms = 0
        self.asks: list[str] = []
        self.over = False

    def take(self, at_ms: int, body: Any) -> None:
        """Hear one entry; an ask must come at its moment."""
        match body:
            case content.Message(by=by) if by.role is Role.VISITOR:
                self.first_ms = self.first_ms or at_ms
            case content.Message(by=by) if by.role is Role.AGENT:
                self.agent_ms = self.agent_ms or at_ms
            case content.Queued() | content.Unrouted() if at_ms == self.first_ms and not self.asks:
                self.moment = self.plan.away if body.away else self.plan.open
            case content.Reopened():
                self.reopened_ms = at_ms
            case content.Closed():
                self.closed_ms = self.closed_ms or at_ms
            case content.EmailGiven() | content.EmailGivenUp():
                self.over = True
            case content.EmailAsked():
                assert not self.over, "given or given up, it is not asked again"
                assert at_ms <= self.known_ms, "nobody is asked for what is known"
                self._asked(at_ms, body.why)
                self.asks.append(body.why)

    def _asked(self, at_ms: int, why: str) -> None:
        assert not self.asks or why == "invalid", f"one ask: {self.asks} and {why}"
        match why:
            case "before_chat":
                assert not self.first_ms, "before the chat is before the first word"
            case "first_message" | "away":
                assert (at_ms, self.moment) == (self.first_ms, "on_first_message")
                assert (self.plan.away if why == "away" else self.plan.open) == "on_first_message"
            case "delay":
                assert self.moment == "after_delay"
                assert not self.agent_ms, "a human message stops it"
                assert at_ms == max(self.due_ms, self.reopened_ms), "from the first message, to the millisecond"
            case "invalid":
                assert self.asks, "asked again means asked before"
                assert self.asks.count("invalid") < 2, "two polite asks"
            case "overflow":
                assert self.first_ms, "who has not spoken waits for nothing"
                assert not self.plan.open == self.plan.away == "never"
            case _:
                raise AssertionError(f"no such moment as {why}")

    @property
    def due_ms(self) -> int:
        """When the delay is over."""
        return self.first_ms + self.plan.delay_s * 1000

    def ends(self, now_ms: int) -> None:
        """Hear that this is all so far: no moment may have gone by without its ask."""
        if self.over or not self.first_ms:
            return
        if self.moment == "on_first_message" and self.first_ms < self.known_ms:
            assert self.asks, "the first message is the moment"
        spoke = 0 < self.agent_ms <= self.due_ms or 0 < self.closed_ms <= self.due_ms
        if self.moment == "after_delay" and self.due_ms <= min(now_ms, self.known_ms) and not spoke:
            assert self.asks, "the delay is over, and nobody has answered"


def check_asks(log: list[tuple[int, Any]], known_ms: int, now_ms: int) -> None:
    """Assert that every ask came at its moment, and that none was left out."""
    story = Story(log[0][1], known_ms)
    for at_ms, body in log:
        story.take(at_ms, body)
    story.ends(now_ms)
