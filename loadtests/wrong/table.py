"""Which suite catches which wrong build: `python -m loadtests.wrong --table`.

Each build is put before every suite, in a process of its own. A suite that finds nothing is shown as such: the text
beside the build says which safeguard behind it made the fault harmless there.

Invariant: the table in docs/guarantees.md is what this printed, never written by hand.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import click

from loadtests.wrong import VARIABLE
from loadtests.wrong.builds import BUILDS

PAGE = Path("docs/guarantees.md")
BEGIN, END = "<!-- wrong builds: begin -->", "<!-- wrong builds: end -->"
SUITES = {
    "unit and laws": ("tests/unit", "tests/laws"),
    "contract": ("tests/contract",),
    "integration": ("tests/integration/test_hub_story.py", "tests/integration/test_scribe_copies.py"),
}
STORIES = ("tests/simulation/test_stories.py",)  # what seeds meet only rarely, arranged on purpose
SUITE_LIMIT_S = 600
NOTHING = "–"
CHAOS_TRIES = 2


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard simulation and chaos try."""

    seeds: int
    chaos_s: float
    conversations: int


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seeds", default=200, show_default=True, help="Simulated until one is bad.")
@click.option("--chaos", "chaos_s", default=50.0, show_default=True, help="Seconds of chaos, up to twice.")
@click.option("--conversations", default=60, show_default=True)
@click.option("--build", "names", multiple=True, type=click.Choice(list(BUILDS)), help="Only this one; repeatable.")
@click.option("--write/--no-write", default=True, help=f"Put the rows into the table of {PAGE}.")
def main(names: tuple[str, ...], write: bool, **effort: float) -> None:
    """Put every wrong build before every suite and tell who noticed."""
    how = Effort(int(effort["seeds"]), effort["chaos_s"], int(effort["conversations"]))
    rows = {name: _row(name, how) for name in names or BUILDS}
    if write:
        page = PAGE.read_text(encoding="utf-8")
        head, _, rest = page.partition(BEGIN)
        before, _, after = rest.partition(END)
        rows = {name: rows.get(name) or told for name, told in (_told(before) | rows).items()}
        PAGE.write_text(f"{head}{BEGIN}\n{_table(rows)}\n{END}{after}", encoding="utf-8")
    click.echo(_table(rows))
    sys.exit(0 if all(any(found != NOTHING for found in row) for row in rows.values()) else 1)


def _told(table: str) -> dict[str, list[str]]:
    """Return what an earlier run found of each build: the rows that are not measured again stay."""
    rows = (line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `"))
    return {row[0].strip("`"): row[2:] for row in rows if row[0].strip("`") in BUILDS}


def _row(name: str, how: Effort) -> list[str]:
    """Return what each suite says of a build."""
    row = [_pytest(name, paths) for paths in SUITES.values()]
    row.append(_simulated(name, how))
    row.append(_in_chaos(name, how))
    click.echo(f"{name}: {' | '.join(row)}", err=True)
    return row


def _pytest(name: str, paths: tuple[str, ...]) -> str:
    """Return how many tests fail and the first of them."""
    options = ["-p", "loadtests.wrong", "-q", "--tb=no", "-rfE", "--maxfail=5", "-n", "2"]
    try:
        done = _run(name, [sys.executable, "-m", "pytest", *options, *paths], SUITE_LIMIT_S)
    except subprocess.TimeoutExpired:
        return "never ends"
    failed = re.findall(r"^(?:FAILED|ERROR) \S*?(\w+)\.py::(\w+)", done.stdout, re.MULTILINE)
    if not failed:
        return NOTHING
    return f"{len(failed)}{'+' if len(failed) >= 5 else ''}: `{failed[0][0]}: {failed[0][1]}`"


def _simulated(name: str, how: Effort) -> str:
    """Return the first seed that is bad, and the rules that it breaks."""
    command = [sys.executable, "-m", "tests.simulation", "--seeds", str(how.seeds), "--until-bad"]
    done = _run(name, command, 10 * how.seeds)
    bad = re.search(r"^seed (\d+): (.*) -- again", done.stdout, re.MULTILINE)
    if bad is None:
        return _pytest(name, STORIES)
    rules = sorted(set(re.findall(r"(?:^|; )([a-z]+-[a-z-]+|gap|duplicate|phantom|stuck)\b", bad[2])))
    return f"seed {bad[1]}: {', '.join(rules) or 'a part raises'}"


def _in_chaos(name: str, how: Effort) -> str:
    """Return the rules that a run of real processes breaks, and how often."""
    for seed in range(1, CHAOS_TRIES + 1):
        with tempfile.TemporaryDirectory(prefix="samtale-wrong-") as scratch:
            report = Path(scratch) / "report.json"
            options = ["--seconds", str(how.chaos_s), "--conversations", str(how.conversations), "--hits", "1"]
            command = [sys.executable, "-m", "loadtests.chaos", "--wrong", name, "--seed", str(seed), *options]
            done = _run(name, [*command, "--json", str(report)], how.chaos_s + 240, plants=False)
            if not report.exists():
                return f"does not end: `{done.stderr.strip().splitlines()[-1][:80]}`"
            rules = Counter(violation["rule"] for violation in json.loads(report.read_text())["violations"])
        if rules:
            return ", ".join(f"{rule} ({count})" for rule, count in rules.most_common(3))
    return NOTHING


def _run(name: str, command: list[str], limit_s: float, *, plants: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({VARIABLE: name} if plants else {})}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit_s, check=False)


def _table(rows: dict[str, list[str]]) -> str:
    """Return the report as Markdown."""
    suites = [*SUITES, "simulation", "chaos"]
    lines = [f"| build | what it lacks | {' | '.join(suites)} |", "|---" * (len(suites) + 2) + "|"]
    lines += [f"| `{name}` | {BUILDS[name].lacks} | {' | '.join(row)} |" for name, row in rows.items()]
    spare = [f"`{name}`: {BUILDS[name].spare}" for name in rows if BUILDS[name].spare]
    return "\n".join([*lines, "", *(f"* {each}" for each in spare)]).rstrip()
