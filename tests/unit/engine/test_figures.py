"""What a conversation leaves for reports; that it adds up is a law (laws/figure_laws.py)."""

from msgspec.structs import replace

from protocol.bus.figures import Begun, Figure, Measured
from tests.kit.threads import Thread
from tests.kit.workplace import ANN, KARI, admits, conversation, origin, phone, replies, sends
from tests.kit.world import World


def figures(world: World) -> list[Figure]:
    return [fact for fact in world.facts if isinstance(fact, Figure)]


def test_a_start_is_told_apart_by_the_phone_heard_last() -> None:
    """Of two phones the one that said hello after the other."""
    world = World()
    for number, version in ((1, "4.1"), (2, "4.2")):
        hello = admits(KARI, identified=True, device=phone(KARI, number), origin=origin(phone(KARI, number), 0))
        world.do(replace(hello, platform="ios", app_version=version), after_ms=1_000)
    world.do(sends())
    [begun] = [fact for fact in figures(world) if isinstance(fact, Begun)]
    assert (begun.platform, begun.app_version, begun.environment, begun.origin) == (
        "ios",
        "4.2",
        "production",
        "visitor",
    )


def test_a_message_that_is_nobodys_first_leaves_nothing() -> None:
    """First words count, and a talk that goes on costs nothing."""
    thread = Thread()
    thread.ask(sends())
    thread.assign(ANN)
    thread.ask(replies(ANN, 1, conversation()))
    before = len(thread.figures)
    thread.ask(sends(2, "And?"), 5_000)
    thread.ask(replies(ANN, 2, conversation()), 6_000)
    assert thread.figures[before:] == []
    assert [fact.first_reply_ms for fact in thread.figures if isinstance(fact, Measured) and fact.replied_by] == [0]


def test_a_preview_leaves_no_figures() -> None:
    """Without a beginning nothing that follows counts anywhere."""
    world = World()
    world.do(admits())
    world.do(sends(environment="preview"))
    assert [fact for fact in figures(world) if isinstance(fact, Begun)] == []
