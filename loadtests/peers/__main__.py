"""`make peers`: Samtale and other stacks in turn, several rounds, same driver. Status 1 if any message was not right.

Invariant: contenders take turns (A B C A B C …) and each starts afresh, so that none runs beside another and whatever
else the machine does falls on all; every figure stands beside a verdict.
"""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
import structlog

from loadtests.bench import machine
from loadtests.peers import duties, table
from loadtests.peers.contenders import CONTENDERS
from loadtests.peers.contenders.socketio import NoNode, installed, versions
from loadtests.peers.measure import Course, Judged, Measured, round_of
from loadtests.peers.talk import Load

T = TypeVar("T")

ROUNDS, QUICK_ROUNDS = 5, 2
COURSE = Course(
    pairs=100,
    warm_up=Load("warm-up", 8_000, in_flight=8),
    loads=[
        Load("100 in flight", 20_000, in_flight=1),
        Load("800 in flight", 60_000, in_flight=8),
        Load("1,000/s", 4_000, per_s=1_000),
    ],
)
TITLES = {
    "100 in flight": "saturated, 100 pairs with 1 message in flight each",
    "800 in flight": "saturated, 100 pairs with 8 messages in flight each",
    "1,000/s": "by the clock, 1,000 messages a second over 100 pairs",
}
QUICK = 10  # so many times fewer messages


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--only", multiple=True, type=click.Choice(list(CONTENDERS)), help="Not all of them; may be repeated.")
@click.option(
    "--rounds", type=click.IntRange(1, 50), help=f"How often each has its turn ({ROUNDS}; {QUICK_ROUNDS} if quick)."
)
@click.option("--quick", is_flag=True, help=f"{QUICK} times fewer messages: to see that it works.")
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write everything here as JSON.")
def main(only: tuple[str, ...], rounds: int | None, quick: bool, as_json: Path | None) -> None:
    """Measure Samtale and its peers with real processes on free ports of this machine."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    names = [name for name in CONTENDERS if name in (only or CONTENDERS)]
    course = replace(COURSE, loads=[_fewer(load) for load in COURSE.loads]) if quick else COURSE
    rounds = rounds or (QUICK_ROUNDS if quick else ROUNDS)
    try:
        node = _run(installed()) if "socketio" in names else ""
    except NoNode as missing:
        raise click.ClickException(f"{missing}; --only minimum --only samtale leaves that peer out") from None
    facts = machine.facts() | ({"socketio": ", ".join(versions(node))} if node else {})
    for name, fact in facts.items():
        click.echo(f"{name:<12} {fact}")
    began_s = time.monotonic()
    measured, judged = _run(_rounds(names, rounds, course))
    click.echo(table.rendered(table.rows(measured), TITLES))
    click.echo("\nratio: to socket.io, within each round, then the median. CPU: of all processes but the driver, Redis")
    click.echo("included, per delivered message. driver: its own CPU per message, and its share of all CPU used.")
    click.echo(f"\nwhat each does and does not do\n\n{duties.rendered()}")
    holds = all(each.holds for each in judged)
    took = f"{len(measured)} measurements in {time.monotonic() - began_s:.0f} s"
    click.echo(f"\n{took}; lost, duplicated, out of order: {'none' if holds else 'SEE ABOVE'}")
    if as_json is not None:
        found = {"command": sys.argv[1:], "machine": facts, "table": table.rows(measured)}
        raw = msgspec.to_builtins(found | {"measured": measured, "verdicts": judged})
        as_json.write_text(json.dumps(raw, indent=1) + "\n")
    sys.exit(0 if holds else 1)


async def _rounds(names: list[str], rounds: int, course: Course) -> tuple[list[Measured], list[Judged]]:
    measured: list[Measured] = []
    judged: list[Judged] = []

    def tell(each: Measured) -> None:
        measured.append(each)
        roles = ", ".join(f"{role} {us:,.0f}" for role, us in each.roles_us.items())
        rate = f"{each.per_s:>9,.0f}/s {each.cpu_us:>8,.1f} µs"
        click.echo(f"  {each.contender:<10}{each.load:<15}{rate}  of it {roles}; driver {each.driver_us:,.1f}")

    for number in range(1, rounds + 1):
        click.echo(f"\nround {number} of {rounds}")
        for name in names:
            judged.append(await round_of(name, number, course, tell))
            click.echo(f"  {name:<10}{judged[-1].text}")
    return measured, judged


def _fewer(load: Load) -> Load:
    return replace(load, messages=load.messages // QUICK)


def _run(work: Coroutine[Any, Any, T]) -> T:
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop

    return uvloop.run(work)


if __name__ == "__main__":
    main()
