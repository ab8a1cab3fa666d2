"""A conversation's snapshot."""

import msgspec
import pytest

from engine.core.evolve import replay
from engine.core.snapshot import freeze, thaw
from protocol.bus.records import SCHEMA, Snapshot
from tests.kit.threads import Thread
from tests.kit.workplace import ACCOUNT, ANN, ASKS, INBOX, KARI, answers, closes, sends


def threads() -> list[Thread]:
    """A conversation in each phase that it may rest in."""
    gated, ready, waiting, talking, closed = Thread(ASKS), Thread(ASKS), Thread(), Thread(), Thread()
    gated.ask(answers(value="declined"))
    ready.ask(answers())
    for thread in (waiting, talking, closed):
        thread.ask(sends())
    talking.assign(ANN)
    closed.ask(closes(2))
    return [gated, ready, waiting, talking, closed]


@pytest.mark.parametrize("thread", threads(), ids=lambda thread: type(thread.state.phase).__name__)
def test_there_and_back(thread: Thread) -> None:
    """Thawing what was frozen gives an equal conversation, and its log the same bytes."""
    frozen = freeze(thread.state)
    assert thaw(frozen) == thread.state
    again = replay(ACCOUNT, thread.log)
    assert again is not None
    assert freeze(again) == frozen


def test_head() -> None:
    """Gateways read who may see it and how far it is, without knowing the body."""
    heads = [msgspec.msgpack.decode(freeze(thread.state), type=Snapshot).head for thread in threads()]
    assert [head.status for head in heads] == ["gated", "open", "open", "open", "closed"]
    assert [head.phase for head in heads] == ["gated", "ready", "waiting", "talking", "closed"]
    for thread, head in zip(threads(), heads, strict=True):
        assert (head.account, head.visitor, head.inbox) == (ACCOUNT, KARI, INBOX)
        assert (head.seq, head.event) == (thread.state.seq, thread.log[-1].id)


def test_head_names_the_agent() -> None:
    """The head names the agent while one has the conversation."""
    agents = [msgspec.msgpack.decode(freeze(thread.state), type=Snapshot).head.agent for thread in threads()]
    assert agents == [None, None, None, ANN, None]


@pytest.mark.parametrize("rest", [[], ["another form"], ["another form", {"of": "body"}, "and more"]])
def test_another_schema(rest: list[object]) -> None:
    """Bytes of another schema thaw to nothing, whatever their form."""
    assert thaw(msgspec.msgpack.encode([SCHEMA + 1, *rest])) is None


def test_empty_log() -> None:
    """An empty log is no conversation."""
    assert replay(ACCOUNT, []) is None
