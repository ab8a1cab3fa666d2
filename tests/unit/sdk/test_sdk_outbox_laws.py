"""The outbox against a model server, under any order of acks, refusals, cuts, late copies and data loss."""

from random import Random
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from samtale.outbox import Dropped, Held, Outbox, Spared

from tests.unit.sdk.model_server import Frame, Server

CONVERSATION = "cnv"
STEPS = ["say", "flush", "take", "take", "decide", "decide", "hear", "hear", "limit", "gate", "deny", "repeat", "cut"]
Script = list[tuple[str, int]]


@st.composite
def scripts(draw: st.DrawFn, loss: bool = False) -> Script:
    """Long scripts: short ones, which Hypothesis prefers, find nothing here."""
    chance = Random(draw(st.integers(0, 2**32)))
    steps = STEPS + ["lose"] * loss + ["say"] * chance.choice([0, 6])
    return [(chance.choice(steps), chance.randrange(40)) for _ in range(chance.choice([40, 150, 600]))]


class Story:
    """One phone and one server; `said` in order, `denied` what the phone was told is not done."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        self.server = Server()
        self.wire: list[Frame] = []
        self.said: list[str] = []
        self.denied: set[str] = set()
        self.may_lose = 16  # what is older, a client need not have kept: 16 others may be under way

    def do(self, step: str, number: int) -> None:
        match step:
            case "say":
                id_ = f"i{len(self.said)}"
                self.said.append(id_)
                self.outbox.add(CONVERSATION, id_, {"t": "send", "conversation": CONVERSATION, "text": id_})
            case "flush":
                self.wire += [item.frame() for item in self.outbox.due()]
            case "take" | "limit" | "gate" if self.wire:
                trouble = {"take": "", "limit": "rate_limited", "gate": "consent_required"}[step]
                self.server.receive(self.wire.pop(0), trouble)
            case "decide" | "deny":
                self.server.decide(refuse=step == "deny")
            case "repeat" if self.server.everything:
                self.server.inbox.append(self.server.everything[number % len(self.server.everything)])
            case "hear" if self.server.replies:
                self.hear(self.server.replies.pop(0))
            case "cut":
                self.cut()
            case "lose":
                lost = min(number, self.may_lose)
                self.may_lose -= lost
                self.server.lose(lost)
                self.cut()
                self.outbox.epoch_rose()

    def hear(self, reply: Frame) -> None:
        if reply["t"] == "ack":
            self.outbox.acked(reply)
            return
        match self.outbox.refused(reply):
            case Held(series):
                self.outbox.release(series)
            case Dropped(item) | Spared(item):
                self.denied.add(item.id)

    def cut(self) -> None:
        self.wire = []
        self.server.cut()
        self.outbox.lost()

    def come_to_rest(self) -> None:
        """Let everything go well from here on."""
        for _ in range(20_000):
            self.do("flush", 0)
            if not self.outbox.waiting() and not self.server.inbox:
                return
            for step in ("take", "decide", "hear"):
                self.do(step, 0)
            if not self.wire and not self.server.inbox and not self.server.replies:
                self.cut()
        pytest.fail(f"never came to rest: {self.outbox.waiting()}")


def _told(script: Script) -> Story:
    story = Story()
    for step, number in script:
        story.do(step, number)
    story.come_to_rest()
    return story


@given(scripts())
@settings(max_examples=250, deadline=None)
def test_what_is_not_denied_is_in_the_log_once_and_in_order(script: Script) -> None:
    """Nothing is lost, nothing doubled, nothing reordered."""
    story = _told(script)
    event(f"denied {min(len(story.denied), 3)}")
    assert story.server.ledger.log == [id_ for id_ in story.said if id_ not in story.denied]


@given(scripts(loss=True))
@settings(max_examples=250, deadline=None)
def test_what_was_acknowledged_comes_back_after_data_loss(script: Script) -> None:
    """A server that loses its newest gets them again, each once, in their old order."""
    story = _told(script)
    assert story.server.ledger.log == [id_ for id_ in story.said if id_ not in story.denied]


@given(scripts(), st.integers(0, 119))
@settings(max_examples=150, deadline=None)
def test_an_outbox_goes_on_after_its_process_died(script: Script, at: int) -> None:
    """Freezing and thawing in mid-sentence loses and doubles nothing."""
    story = Story()
    for number, (step, argument) in enumerate(script):
        if number == at:
            thawed: Any = Outbox()
            thawed.thaw(story.outbox.freeze())
            story.outbox = thawed
            story.cut()
        story.do(step, argument)
    story.come_to_rest()
    assert story.server.ledger.log == [id_ for id_ in story.said if id_ not in story.denied]
