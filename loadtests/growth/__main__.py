"""`make growth`: what docs/scaling.md tells, measured here in under twelve minutes. Status 1 if a promise broke.

Invariant: a time never breaks the run; what was lost, and a count of steps that grows with the size, do.
"""

import json
import logging
import sys
import time
from pathlib import Path

import click
import msgspec
import structlog
import uvloop

from loadtests.bench import machine
from loadtests.growth import catalog
from loadtests.growth.curve import Curve
from loadtests.growth.told import rendered


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", metavar="[CURVE ...]", nargs=-1, type=click.Choice(catalog.NAMES))
@click.option("--quick", is_flag=True, help="Small sizes and few rounds: under 90 s, to see that all of it works.")
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Keep the curves here, beside those it has.")
@click.option("--pictures", type=click.Path(path_type=Path, file_okay=False), help="Leave growth-CURVE.svg here.")
def main(names: tuple[str, ...], quick: bool, as_json: Path | None, pictures: Path | None) -> None:
    """Measure each CURVE (all if none is given) with real processes on free ports of this machine."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    facts = machine.facts()
    for name, fact in facts.items():
        click.echo(f"{name:<12} {fact}")
    form = catalog.QUICK if quick else catalog.FULL
    wanted = [name for name in catalog.NAMES if not names or name in names]
    curves = [_measured(name, form, quick) for name in wanted]
    if as_json is not None:
        _keep(as_json, facts, curves)
    if pictures is not None:
        from loadtests.growth import pictures as drawing  # matplotlib takes its time

        for curve in curves:
            drawing.write(curve, pictures)
    sys.exit(0 if all(curve.holds for curve in curves) else 1)


def _measured(name: str, form: catalog.Form, quick: bool) -> Curve:
    command = f"python -m loadtests.growth {name}{' --quick' if quick else ''}"
    began_s = time.monotonic()
    curve = uvloop.run(catalog.measure(name, form, command))
    curve.took_s = time.monotonic() - began_s
    click.echo(rendered(curve))
    return curve


def _keep(path: Path, facts: dict[str, str], curves: list[Curve]) -> None:
    """Write the curves, those that were not measured now as they were before."""
    known = json.loads(path.read_text()) if path.exists() else {"curves": {}}
    known["curves"] |= {curve.name: msgspec.to_builtins(curve) | {"machine": facts} for curve in curves}
    path.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
