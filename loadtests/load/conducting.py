"""One run from beginning to end: start, bring everybody in, phase by phase, let settle, judge, tell.

Invariant: whatever happens, every process that was started is ended; a run that got to its end has a verdict.
"""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from loadtests.chaos.evidence import NotQuiet
from loadtests.load import files, goals, judging, machine, measured, reading
from loadtests.load.growth import grown
from loadtests.load.house import House, house
from loadtests.load.link import Ground, Plan
from loadtests.load.measured import Done
from loadtests.load.observing import Observer
from loadtests.load.processes import Usage, usages
from loadtests.load.reached import reached
from loadtests.load.results import Mark, Run
from loadtests.load.scenario import Exchange, Scenario, Send
from loadtests.load.shares import Shares, shares


class Shows(Protocol):
    """Whoever shows a run while it lasts (loadtests.load.progress)."""

    def sample(self, at_s: float, values: dict[str, float]) -> None:
        """Show what is known at `at_s` of the run."""

    def stage(self, text: str) -> None:
        """Say what is done now."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. `urls` and `grounds`: somebody else's server, and how to come in there; none: one of our own."""

    name: str
    scenario: Scenario
    command: str
    urls: list[str] = field(default_factory=list)
    grounds: list[Ground] = field(default_factory=list)


@dataclass(slots=True)
class _Course:
    """A run as it goes."""

    order: Order
    house: House | None
    observer: Observer
    drive: Shares
    shows: Shows
    phases: list[Done] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    unsettled: list[NotQuiet] = field(default_factory=list)
    entered: tuple[dict[str, Usage], dict[str, Usage]] = ({}, {})
    sessions: int = 0


async def conduct(order: Order, shows: Shows) -> Run:
    """Do what `order` says. Raises DriverFailed, NotStarted or files.TooFew, which say what to mend."""
    scenario = order.scenario
    files.allow(scenario, own=not order.urls)
    began_at = datetime.now(UTC)
    shows.stage("starting" if not order.urls else f"driving {', '.join(order.urls)}")
    async with _target(order) as found:
        observer = Observer(found, shows.sample)
        with tempfile.TemporaryDirectory(prefix="samtale-drive-") as scratch:
            async with shares(scenario.driver.processes, observer.heard) as drive:
                return await _observed(_Course(order, found, observer, drive, shows), scratch, began_at)


async def _observed(course: _Course, scratch: str, began_at: datetime) -> Run:
    await course.drive.plan(_plans(course, scratch))
    looking = asyncio.create_task(course.observer.run())
    try:
        return await _through(course, began_at)
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


@asynccontextmanager
async def _target(order: Order) -> AsyncIterator[House | None]:
    if order.urls:
        yield None
        return
    async with house(order.scenario) as found:
        yield found


def _plans(course: _Course, scratch: str) -> list[Plan]:
    order, found = course.order, course.house
    urls = order.urls if found is None else found.installation.gateway_urls
    grounds = order.grounds if found is None else found.grounds
    count, seed = order.scenario.driver.processes, order.scenario.seed
    return [
        Plan(order.scenario, urls, grounds, share, count, course.observer.began_s, seed, scratch)
        for share in range(count)
    ]


async def _through(course: _Course, began_at: datetime) -> Run:
    scenario, shows = course.order.scenario, course.shows
    await _until_stored(course)
    shows.stage("coming in")
    before = course.observer.used()
    course.sessions = await course.drive.enter()
    await _until_stored(course)
    course.entered = (before, course.observer.used())
    peak = 0.0
    for number, phase in enumerate(scenario.phases):
        per_s = phase.times_peak * peak if isinstance(phase, Send) else 0.0
        shows.stage(phase.title())
        course.marks.append(Mark(course.observer.now_s(), phase.title()))
        course.phases.append(await _phase(course, number, per_s))
        if isinstance(phase, Exchange):
            peak = max(peak, course.phases[-1].delivered_per_s)
    shows.stage("letting everything settle")
    course.marks.append(Mark(course.observer.now_s(), "settling"))
    return await _told(course, began_at)


async def _phase(course: _Course, number: int, per_s: float) -> Done:
    observer = course.observer
    redis, before = await observer.redis_now(), observer.used()
    dids = await course.drive.do(number, time.monotonic(), per_s)
    after, ended_s = observer.used(), time.monotonic()
    used_of_redis = await observer.redis_now() - redis
    await _until_stored(course)
    behind_s = time.monotonic() - ended_s
    if course.house is not None:
        after = observer.used()  # what a message costs includes its way into SQL
    return Done(course.order.scenario.phases[number], dids, (before, after), used_of_redis, behind_s)


async def _until_stored(course: _Course) -> None:
    if course.house is None:
        return
    try:
        await course.house.until_stored()
    except NotQuiet as fault:
        course.unsettled.append(fault)


async def _told(course: _Course, began_at: datetime) -> Run:
    scenario, observer = course.order.scenario, course.observer
    outcome = await course.drive.finish()
    await _until_stored(course)
    ended_s = observer.now_s()
    course.shows.stage("judging")
    history = await judging.history_of(outcome, course.house)
    told = measured.figures(course.phases)
    told_of = reached(course.phases, outcome, course.entered, course.sessions)
    if scenario.goals.is_about_growth:
        told_of |= grown(course.phases, observer)
    known, missed = goals.told(scenario.goals, told_of)
    messages = sum(done.delivered for done in course.phases)
    first, last = course.entered[0], course.phases[-1].used[1]
    return Run(
        scenario=course.order.name,
        title=scenario.title,
        command=course.order.command,
        target=_target_told(course.order),
        started_at=began_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        wall_s=ended_s,
        seed=scenario.seed,
        machine=await machine.facts(course.house),
        verdict=judging.judged(outcome, history, course.unsettled),
        figures=[*known, *told],
        latencies=measured.latencies(outcome, course.phases),
        series=[*measured.over_time(outcome, observer.began_s, observer.began_s + ended_s), *observer.series()],
        marks=course.marks,
        usages=usages(first, last, observer.samples, messages),
        refusals=outcome.refusals,
        notes=_notes(outcome.troubles, outcome.happened),
        missed=missed,
        document=reading.written(scenario),
    )


def _target_told(order: Order) -> str:
    if order.urls:
        return ", ".join(order.urls)
    size = order.scenario.installation
    counts = ((size.gateways, "gateway"), (size.engines, "engine"), (size.workers, "worker"))
    return "own installation: " + ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts)


def _notes(troubles: list[str], happened: dict[str, int]) -> list[str]:
    notes = [f"{what}: {count}" for what, count in sorted(happened.items())]
    counted = {why: troubles.count(why) for why in dict.fromkeys(troubles)}
    return notes + [f"{why} ({count} times)" if count > 1 else why for why, count in list(counted.items())[:50]]


def out_folder(name: str, out: Path | None) -> Path:
    """Return where a run's files go: `out`, or a folder of its own below the working directory."""
    return out or Path("load-runs") / f"{Path(name).stem}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
