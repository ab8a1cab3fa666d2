"""What has grown between the first and the last minute of a long phase, of things that should not grow.

Invariant: means over a minute are compared, so that neither a moment nor the tide of visitors counts; what was not seen
often enough is not judged.
"""

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from loadtests.load.measured import Done
from loadtests.load.observing import STREAM, Observer
from loadtests.load.processes import MIB, ROLES
from loadtests.load.results import Figure
from loadtests.load.scenario import Visit

WINDOW_S = 60.0
GROUP = "goals"
FEEDS = "feed"
Points = Sequence[tuple[float, float]]


def grown(phases: Sequence[Done], observer: Observer) -> dict[str, Figure]:
    """Return, by the name of the goal, what grew during the last measured visit that lasts three windows or more."""
    visits = [done for done in phases if isinstance(done.phase, Visit) and not done.phase.warm_up]
    if not visits or visits[-1].wall_s < 3 * WINDOW_S:
        return {}
    phase = visits[-1].phase
    assert isinstance(phase, Visit), "chosen so"
    began_s = visits[-1].began_s - observer.began_s
    span = (began_s, began_s + phase.seconds)
    found = {
        "memory_growth_mib": _worst("memory, of any role", "MiB", _memory(observer), span),
        "files_growth": _worst("open files, of any role", "", _of_roles(observer, _files), span),
        "tasks_growth": _worst("tasks, of all processes", "", [("tasks", observer.live["tasks"])], span),
        "keys_growth": _share("keys in Redis", [(at, float(redis.keys)) for at, redis in observer.redis], span),
        "streams_growth": _streams(observer, span),
    }
    return {name: figure for name, figure in found.items() if figure is not None}


def _worst(name: str, unit: str, all_points: Iterable[tuple[str, Points]], span: tuple[float, float]) -> Figure | None:
    told = [(title, *means) for title, points in all_points if (means := _means(points, span)) is not None]
    if not told:
        return None
    note = ", ".join(f"{title} {first:,.1f} → {last:,.1f}" for title, first, last in told)
    return Figure(f"growth of {name}", max(last - first for _, first, last in told), unit, note, GROUP)


def _share(name: str, points: Points, span: tuple[float, float]) -> Figure | None:
    means = _means(points, span)
    if means is None:
        return None
    first, last = means
    return Figure(f"growth of {name}", last / max(first, 1.0) - 1, "", f"{first:,.0f} → {last:,.0f}", GROUP)


def _streams(observer: Observer, span: tuple[float, float]) -> Figure | None:
    """Return how all streams grew but feeds, which hold their last thousand changes for consoles that come back."""
    kinds = {
        name.removeprefix(STREAM): means
        for name, points in observer.live.items()
        if name.startswith(STREAM) and (means := _means(points, span)) is not None
    }
    counted = [means for kind, means in kinds.items() if kind != FEEDS]
    if not counted:
        return None
    first, last = (sum(means[at] for means in counted) for at in (0, 1))
    note = ", ".join(f"{kind} {means[0]:,.0f} → {means[1]:,.0f}" for kind, means in sorted(kinds.items()))
    name = "growth of entries of streams in Redis, feeds aside"
    return Figure(name, last / max(first, 1.0) - 1, "", note, GROUP)


def _memory(observer: Observer) -> Iterable[tuple[str, Points]]:
    """Yield memory by role. SQLite keeps up to 64 MiB of its file in the worker, which grows as history does."""
    database = observer.live["database"]
    for role, points in _of_roles(observer, _mib):
        if role != "worker" or not database:
            yield role, points
        else:
            yield "worker beyond its database", [(at, mib - _nearest(database, at)) for at, mib in points]


def _nearest(points: Points, at_s: float) -> float:
    return min(points, key=lambda point: abs(point[0] - at_s))[1]


def _means(points: Points, span: tuple[float, float]) -> tuple[float, float] | None:
    began_s, ended_s = span
    first = [value for at, value in points if began_s <= at < began_s + WINDOW_S]
    last = [value for at, value in points if ended_s - WINDOW_S <= at < ended_s]
    return (fmean(first), fmean(last)) if first and last else None


def _of_roles(observer: Observer, value: Callable[[Observer, int, str], float]) -> Iterable[tuple[str, Points]]:
    samples = observer.samples
    for role in ROLES:
        if samples.used and role in samples.used[0]:
            yield role, [(at, value(observer, number, role)) for number, at in enumerate(samples.at_s)]


def _mib(observer: Observer, number: int, role: str) -> float:
    return observer.samples.used[number][role].rss_bytes / MIB


def _files(observer: Observer, number: int, role: str) -> float:
    return float(observer.samples.used[number][role].files)
