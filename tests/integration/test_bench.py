"""The benchmarks run on a real installation and judge what they find. No test looks at a time."""

from loadtests.bench import core, sessions
from loadtests.bench.pairs import Load, pairs
from loadtests.checker.stories import Verdict

WARM_UP = 6  # the first word, and five to warm up


async def test_pairs_lose_nothing_in_either_loop() -> None:
    """Three pairs: every message reaches the sender and the agent, once and in order, and is acknowledged."""
    async with pairs(3) as ready:
        closed = await ready.measure("closed", "", Load(30, in_flight=4))
        opened = await ready.measure("open", "", Load(15, per_s=1_000))
    assert closed.verdict == Verdict(sent=2 * 3 * (WARM_UP + 10))
    assert opened.verdict == Verdict(sent=2 * 3 * (WARM_UP + 10 + 5))


async def test_the_core_commits_each_command_once() -> None:
    """An engine, its stages one by one, and bare commits leave logs without loss, repeat or reorder."""
    result = await core.measure("core", "", conversations=20, messages=80)
    assert result.verdict == Verdict(sent=20 * (1 + core.ROUNDS_FIRST + 4 + 4))


async def test_idle_sessions_are_all_admitted() -> None:
    """Phones come in and stay; what they cost is told for every kind of process."""
    result = await sessions.measure("sessions", "", 5)
    figures = {figure.name: figure.value for figure in result.figures}
    assert figures["sessions refused or lost"] == 0
    assert {f"{role}, per session" for role in ("gateway", "engine", "worker", "valkey")} <= set(figures)
