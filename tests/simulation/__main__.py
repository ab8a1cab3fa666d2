"""`python -m tests.simulation --seeds N`: simulate any number of seeds; with `--seed S`, one, with its history.

Exit status 0 only if every seed was good.
"""

import sys
import time
from collections import Counter

import click

from loadtests.wrong import plant_asked
from tests.simulation.run import Verdict, run


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seeds", default=100, show_default=True, help="How many.")
@click.option("--first", default=1, show_default=True, help="The first of them.")
@click.option("--seed", type=int, help="Only this one, telling what happens.")
@click.option("--until-bad", is_flag=True, help="End at the first bad seed.")
@click.option("--verbose", is_flag=True, help="With --seed: everything that every part says.")
def main(seeds: int, first: int, seed: int | None, until_bad: bool, verbose: bool) -> None:
    """Simulate whole installations under faults and check what everybody remembers."""
    plant_asked()
    numbers = [seed] if seed is not None else range(first, first + seeds)
    faults: Counter[str] = Counter()
    happened: Counter[str] = Counter()
    bad = done = 0
    began_s = time.process_time()
    for number in numbers:
        verdict = run(number, click.echo if seed is not None and verbose else None)
        faults, happened, bad = faults + verdict.faults, happened + verdict.happened, bad + (not verdict.is_good)
        done += 1
        if seed is not None or not verdict.is_good:
            _tell(verdict, whole=seed is not None)
        if bad and until_bad:
            break
    cost_s = (time.process_time() - began_s) / done
    _list("faults", faults)
    _list("what came of them", happened)
    click.echo(f"{done} seeds, {bad} bad, {cost_s:.2f} s of processor time each")
    sys.exit(1 if bad else 0)


def _tell(verdict: Verdict, *, whole: bool) -> None:
    if not whole:
        click.echo(str(verdict))
        return
    for violation in verdict.violations:
        click.echo(f"VIOLATION {violation.rule} {violation.where}: {violation.why}")
    for bug in verdict.bugs:
        click.echo(f"BUG {bug}")
    click.echo(f"seed {verdict.seed}: {verdict.sends} sends, history {verdict.fingerprint[:16]}")


def _list(title: str, counts: Counter[str]) -> None:
    click.echo(f"{title}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
