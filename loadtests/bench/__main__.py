"""`make bench`: what docs/performance.md tells, measured here in under two minutes. Status 1 if a promise broke.

Invariant: speed is only told together with its verdict.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import structlog

from loadtests.bench import core, machine, rosters, sessions
from loadtests.bench.figures import Result, rendered
from loadtests.bench.pairs import Load, Pairs, pairs
from loadtests.load.serving import PROFILES

PAIRS = 100
LOADS = {
    "closed-1": Load(10_000, in_flight=1),
    "closed-8": Load(30_000, in_flight=8),
    "open-500": Load(4_000, per_s=500),
    "open-1000": Load(8_000, per_s=1_000),
}
CONVERSATIONS, COMMANDS, SESSIONS = 1_000, 40_000, 1_000
NAMES = ("core", "rosters", *LOADS, "sessions")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write the figures here as JSON.")
@click.option(
    "--profiles", type=click.Path(path_type=Path, file_okay=False), help="Leave each process's cProfile here (slower)."
)
@click.option("--conversations", default=CONVERSATIONS, show_default=True, help="How many are open in `core`.")
def main(names: tuple[str, ...], as_json: Path | None, profiles: Path | None, conversations: int) -> None:
    """Measure NAMES (all if none is given) with real processes on free ports of this machine."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if profiles is not None:
        profiles.mkdir(parents=True, exist_ok=True)
        os.environ[PROFILES] = str(profiles.resolve())
    facts = machine.facts()
    for name, fact in facts.items():
        click.echo(f"{name:<12} {fact}")
    results = _run(run(names or NAMES, conversations))
    if as_json is not None:
        as_json.write_text(
            json.dumps({"machine": facts, "results": [asdict(each) for each in results]}, indent=1) + "\n"
        )
    sys.exit(0 if all(each.verdict is None or each.verdict.holds for each in results) else 1)


async def run(names: Iterable[str], conversations: int = CONVERSATIONS) -> list[Result]:
    """Measure `names` in the order of NAMES, telling each as it comes."""
    wanted = [name for name in NAMES if name in set(names)]
    results: list[Result] = []
    async with AsyncExitStack() as standing:
        ready: Pairs | None = None
        for name in wanted:
            if name in LOADS and ready is None:
                ready = await standing.enter_async_context(pairs(PAIRS))
            results.append(await _measure(name, ready, conversations))
            click.echo(rendered(results[-1]))
            if ready is not None and not any(later in LOADS for later in wanted[wanted.index(name) + 1 :]):
                await standing.aclose()
                ready = None
    return results


async def _measure(name: str, ready: Pairs | None, conversations: int) -> Result:
    command = f"python -m loadtests.bench {name}"
    if name == "core":
        command += f" --conversations {conversations}" if conversations != CONVERSATIONS else ""
        return await core.measure(name, command, conversations, COMMANDS)
    if name == "rosters":
        return await rosters.measure(name, command)
    if name == "sessions":
        return await sessions.measure(name, command, SESSIONS)
    assert ready is not None, "a load needs its pairs"
    return await ready.measure(name, command, LOADS[name])


def _run(measuring: Coroutine[Any, Any, list[Result]]) -> list[Result]:
    if sys.platform == "win32":
        return asyncio.run(measuring)
    import uvloop

    return uvloop.run(measuring)


if __name__ == "__main__":
    main()
