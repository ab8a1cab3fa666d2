"""Conversations of a made-up help desk, as the facts that engines would have left of them.

Invariant: the same seed gives the same facts; what happens in a conversation happens in an order that is possible.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from protocol.bus.facts import AnyFact, SurveyChanged
from protocol.bus.figures import AgentHeld, AnyFigure, Begun, Decided, Measured
from protocol.ids import AccountId, ConversationId

ACCOUNT = AccountId("acc_nordvik")
DAY_MS = 86_400_000
DAYS = 90
BEGAN_MS = 20_000 * DAY_MS
_PHONES = [("ios", "4.1.0"), ("ios", "4.2.0"), ("android", "4.1.0"), ("android", "4.2.0"), ("web", "2.0.0")]
_FLOWS = [
    ("flw_help", 7, "inb_desk", "rul_desk"),
    ("flw_help", 8, "inb_desk", "rul_desk"),
    ("flw_shop", 3, "inb_shop", ""),
]
_AGENTS = [f"agt_{number}" for number in range(1, 21)]


@dataclass(slots=True)
class Talk:
    """One conversation in the making."""

    random: Random
    id: ConversationId
    at_ms: int

    def facts(self) -> Iterator[AnyFact]:
        """Yield what it leaves, in order."""
        platform, app_version = self.random.choice(_PHONES)
        chatflow, version, inbox, rule = self.random.choice(_FLOWS)
        began = ("production", chatflow, version, inbox, rule, "visitor", ["process"], platform, app_version)
        yield Begun(ACCOUNT, self.id, self.at_ms, *began)
        if self.random.random() < 0.08:
            yield self._measured(process="declined")
            yield self._measured(closes=1, ended="gate_expired", stood="gate")
            return
        yield self._measured(process="granted")
        queued_ms = self.at_ms
        yield self._measured(spoke=True, spoke_first=True)
        yield self._measured(entered=True, waits=1, waited_ms=-queued_ms, open_ms=-queued_ms)
        yield self._decided("queued", "started")
        if self.random.random() < 0.05:
            given_up_ms = self._later(600)
            yield self._measured(first_wait="ended", first_wait_ms=given_up_ms - queued_ms, **self._over(given_up_ms))
            yield self._measured(closes=1, ended="visitor", stood="waiting", open_ms=given_up_ms)
            return
        yield from self._answered(queued_ms)
        yield self._asked(chatflow, version, platform, app_version)

    def _answered(self, queued_ms: int) -> Iterator[AnyFigure]:
        agent, spoken_ms = self.random.choice(_AGENTS), queued_ms
        yield self._decided("offered", "offer", agent)
        if self.random.random() < 0.1:
            yield self._decided("declined", "", agent)
            agent = self.random.choice(_AGENTS)
            yield self._decided("offered", "offer", agent)
        since_ms = self._later(60)
        yield self._decided("accepted", "offer", agent)
        waited: dict[str, Any] = {"first_wait": "assigned", "first_wait_ms": since_ms - queued_ms}
        yield self._measured(assigned=1, agent=agent, **waited, **self._over(since_ms))
        yield self._measured(first_reply_ms=self._later(90) - spoken_ms, replied_by=agent)
        closed_ms = self._later(1_800)
        ended = self.random.choice(("agent", "agent", "visitor", "inactivity"))
        yield self._measured(closes=1, ended=ended, stood="answered", open_ms=closed_ms)
        yield AgentHeld(ACCOUNT, self.id, agent, since_ms, closed_ms, "closed", True)

    def _asked(self, chatflow: str, version: int, platform: str, app_version: str) -> SurveyChanged:
        phone = ("production", platform, app_version, self.at_ms)
        if self.random.random() < 0.6:
            return SurveyChanged(ACCOUNT, self.id, 1, "csat", version, chatflow, "faces", *phone, expired=True)
        scored: dict[str, Any] = {
            "seen_at_ms": self.at_ms,
            "score": self.random.choice((0, 1, 2, 2, 2)),
            "answered_at_ms": self.at_ms,
        }
        return SurveyChanged(ACCOUNT, self.id, 1, "csat", version, chatflow, "faces", *phone, **scored)

    def _later(self, about_s: int) -> int:
        self.at_ms += round(self.random.expovariate(1 / (about_s * 1_000)))
        return self.at_ms

    def _over(self, at_ms: int) -> dict[str, int]:
        return {"waits_over": 1, "waited_ms": at_ms}

    def _measured(self, **told: Any) -> Measured:
        return Measured(ACCOUNT, self.id, **told)

    def _decided(self, what: str, how: str, agent: str = "") -> Decided:
        return Decided(ACCOUNT, self.id, self.at_ms, what, how, agent)


def conversations(count: int, seed: int = 1) -> Iterator[list[AnyFact]]:
    """Yield the facts of `count` conversations, one after the other over DAYS days."""
    random = Random(seed)  # nothing secret
    for number in range(count):
        at_ms = BEGAN_MS + number * DAYS * DAY_MS // count
        yield list(Talk(random, ConversationId(f"cnv_{number:026}"), at_ms).facts())
