"""Two runs side by side: every figure of both, the second over the first, and whether they may be compared at all.

Invariant: a ratio is only of two numbers with one name and one unit; what was not measured the same way in both is
said before any of them.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import msgspec

from loadtests.load.report.numbers import number
from loadtests.load.report.verdict import told
from loadtests.load.results import Run
from loadtests.load.runs import NoRun, read_run


class Row(msgspec.Struct):
    """One number of both runs; None where a run has it not. `ratio` is b / a."""

    group: str
    name: str
    unit: str
    a: float | None
    b: float | None
    ratio: float | None


class Difference(msgspec.Struct):
    """Something that was not the same. If it `weighs`, the figures may differ for that alone."""

    what: str
    a: str
    b: str
    weighs: bool


class Comparison(msgspec.Struct):
    """What there is to say about two runs."""

    verdict_a: str
    verdict_b: str
    differences: list[Difference]
    is_comparable: bool
    rows: list[Row]


def compare(a: Run, b: Run) -> Comparison:
    """Return `b` against `a`."""
    differences = list(_differences(a, b))
    numbers_a, numbers_b = dict(_numbers(a)), dict(_numbers(b))
    return Comparison(
        told(a.verdict).headline,
        told(b.verdict).headline,
        differences,
        not any(difference.weighs for difference in differences),
        [_row(key, numbers_a, numbers_b) for key in {**numbers_a, **numbers_b}],
    )


_Key = tuple[str, str, str]  # group, name, unit
_REFUSALS = "refusals"


def _numbers(run: Run) -> Iterator[tuple[_Key, float]]:
    for figure in run.figures:
        yield (figure.group or "figures", figure.name, figure.unit), figure.value
    for latency in (latency for latency in run.latencies if latency.count):
        yield ("latencies", f"{latency.name}, mean", "ms"), latency.mean_ms
        for percentile, value in latency.percentiles_ms.items():
            yield ("latencies", f"{latency.name}, p{percentile}", "ms"), value
        yield ("latencies", f"{latency.name}, longest", "ms"), latency.max_ms
    for usage in run.usages:
        yield ("CPU per message", usage.role, "µs"), usage.cpu_us_per_message
    if run.usages:
        served = sum(usage.cpu_us_per_message for usage in run.usages if usage.role != "driver")
        yield ("CPU per message", "all but the driver", "µs"), served
    for usage in run.usages:
        yield ("memory at most", usage.role, "MiB"), usage.peak_mib
    for code, count in run.refusals.items():
        yield (_REFUSALS, code, ""), count


def _row(key: _Key, numbers_a: dict[_Key, float], numbers_b: dict[_Key, float]) -> Row:
    absent = 0.0 if key[0] == _REFUSALS else None
    a, b = numbers_a.get(key, absent), numbers_b.get(key, absent)
    ratio = b / a if a and b is not None else None
    return Row(*key, a, b, ratio if ratio is not None and math.isfinite(ratio) else None)


def _differences(a: Run, b: Run) -> Iterator[Difference]:
    """What weighs first."""
    one, other = a.machine, b.machine
    facts = [
        ("scenario", a.scenario, b.scenario, True),
        ("settings", *_only(a.document, b.document), True),
        ("target", a.target, b.target, True),
        ("processor", f"{one.cores} × {one.processor}", f"{other.cores} × {other.processor}", True),
        ("memory", f"{number(one.memory_gib)} GiB", f"{number(other.memory_gib)} GiB", True),
        ("server", one.server, other.server, True),
        ("kernel", one.kernel, other.kernel, False),
        ("Python", one.python, other.python, False),
        ("seed", str(a.seed), str(b.seed), False),
    ]
    for name in {**one.versions, **other.versions}:
        facts.append((name, one.versions.get(name, "—"), other.versions.get(name, "—"), False))
    for what, mine, theirs, weighs in facts:
        if mine != theirs:
            yield Difference(what, mine, theirs, weighs)


def _only(mine: str, theirs: str) -> tuple[str, str]:
    """Return the lines that only one of two documents has, on one line each."""
    kept = [list(each.splitlines()) for each in (mine, theirs)]
    return (
        "; ".join(line.strip() for line in kept[0] if line not in kept[1]),
        "; ".join(line.strip() for line in kept[1] if line not in kept[0]),
    )


def rendered(comparison: Comparison) -> str:
    """Return `comparison` as lines for a terminal."""
    lines = [f"A  {comparison.verdict_a}", f"B  {comparison.verdict_b}", "", *_told_differences(comparison)]
    group = ""
    for row in comparison.rows:
        if row.group != group:
            group = row.group
            lines += ["", f"{group:<40}{'A':>12}{'B':>12}{'B/A':>9}"]
        ratio = f"{row.ratio:.2f}×" if row.ratio is not None else "—"
        named = f"{row.name}, {row.unit}" if row.unit else row.name
        lines.append(f"  {named:<38}{number(row.a):>12}{number(row.b):>12}{ratio:>9}")
    return "\n".join(lines)


def _told_differences(comparison: Comparison) -> Iterable[str]:
    weighing = [each.what for each in comparison.differences if each.weighs]
    if weighing:
        yield f"NOT COMPARABLE: not the same {', '.join(weighing)}"
    else:
        yield "comparable: same scenario, settings, target and machine"
    for each in comparison.differences:
        yield f"  {each.what}: {each.a or '—'} | {each.b or '—'}"


def print_comparison(a: Path, b: Path, *, as_json: bool = False) -> int:
    """Print the runs at `a` and `b` side by side. Exit status: 0 done, 2 one of them cannot be read."""
    try:
        comparison = compare(read_run(a), read_run(b))
    except NoRun as wrong:
        click.echo(f"samtale: {wrong}", err=True)
        return 2
    click.echo(msgspec.json.format(msgspec.json.encode(comparison)) if as_json else rendered(comparison))
    return 0
