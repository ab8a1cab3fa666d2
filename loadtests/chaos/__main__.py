"""`make chaos`: faults under traffic for two minutes, then the verdict. Exit status 0 only if every promise was kept.

Invariant: a fault or failpoint that was not reached often enough fails the run: what was not tried was not shown.
"""

import asyncio
import json
import random
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from admin.workspace import apply_text
from app.settings import Settings
from app.stores import databases, redis_address
from loadtests.chaos import traffic, workspace
from loadtests.chaos.evidence import NotQuiet, files_with, gather, raised, until_stored
from loadtests.chaos.installation import Installation, Size
from loadtests.chaos.journal import Notebook
from loadtests.chaos.schedule import Schedule
from loadtests.checker.conduct import unanswered
from loadtests.checker.history import Acked, History, Leak, Refused, Sent, Violation, Waited
from loadtests.checker.verdict import violations
from store.failpoints import NAMES
from store.redis.connection import dial

DEFAULT_S, LONG_S = 120, 1_200
HITS, LONG_HITS = 3, 20
SETTLE_S = 60.0
PLAIN_FAULTS = (
    "kill gateway", "kill engine", "kill worker", "kill Valkey", "append-only tail cut", "SQL stopped",
    "subscriptions cut", "stop engine past its lease", "stop gateway past its lease",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does. `wrong`: a build made wrong on purpose, which the checker must catch."""

    seconds: float
    conversations: int
    size: Size
    seed: int
    hits: int
    wrong: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found."""

    seed: int
    seconds: float
    faults: dict[str, int]
    sends: int
    acked: int
    refused: dict[str, int]
    unanswered: int
    resumes: int
    lost_lines: int
    longest_wait_s: float
    longest_wait_offline_s: float
    longest_online_s: float
    conversations: int
    events: int
    epochs: int
    missing: dict[str, int]
    violations: list[Violation]
    diary: list[str]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", type=float, help=f"How long faults go on.  [default: {DEFAULT_S}]")
@click.option("--long", is_flag=True, help=f"{LONG_S} s, and each failpoint at least {LONG_HITS} times.")
@click.option("--conversations", default=200, show_default=True)
@click.option("--gateways", default=2, show_default=True)
@click.option("--engines", default=2, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--seed", type=int, help="The order of faults and what people do.  [default: by chance]")
@click.option("--hits", type=int, help=f"How often each failpoint must be hit.  [default: {HITS}]")
@click.option("--wrong", help="Run a build made wrong on purpose: see loadtests/wrong.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the data directory here.")
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write the report here as JSON.")
def main(long: bool, keep: Path | None, as_json: Path | None, **options: object) -> None:
    """Kill, stall and cut everything under traffic, then check what everybody remembers."""
    plan = Plan(
        seconds=float(options["seconds"] or (LONG_S if long else DEFAULT_S)),  # type: ignore[arg-type]
        conversations=int(options["conversations"]),  # type: ignore[call-overload]
        size=Size(int(options["gateways"]), int(options["engines"]), int(options["workers"])),  # type: ignore[call-overload]
        seed=int(options["seed"] if options["seed"] is not None else random.randrange(2**32)),  # type: ignore[call-overload]
        hits=int(options["hits"] if options["hits"] is not None else LONG_HITS if long else HITS),  # type: ignore[call-overload]
        wrong=options["wrong"],  # type: ignore[arg-type]
    )
    with tempfile.TemporaryDirectory(prefix="samtale-chaos-") as scratch:
        report = asyncio.run(run(plan, keep or Path(scratch)))
    if as_json is not None:
        as_json.write_text(json.dumps(asdict(report), indent=1) + "\n")
    _print(report)
    sys.exit(1 if report.violations or report.missing else 0)


async def run(plan: Plan, data: Path) -> Report:
    """Do what `plan` says in `data` and return what was found."""
    loop = asyncio.get_running_loop()
    chance = random.Random(plan.seed)
    people = workspace.teams(plan.conversations)
    installation = _installation(plan, data)
    notebook, history = Notebook(), History()
    world = traffic.World(_ways(installation), random.Random(plan.seed + 1), notebook)
    click.echo(f"chaos: seed {plan.seed}, {plan.seconds:.0f} s, {plan.conversations} conversations, {plan.size}")
    async with asyncio.TaskGroup() as tasks:
        await installation.start(tasks)
        await asyncio.to_thread(_apply, installation, people, 60)
        await asyncio.sleep(1.0)
        clients = [
            tasks.create_task(role(world, team, number))
            for team in people
            for role, count in ((traffic.serve, team.agents), (traffic.visit, team.visitors))
            for number in range(1, count + 1)
        ]
        progress = tasks.create_task(_tell_progress(notebook, installation, world.stop))
        await asyncio.sleep(5.0)
        schedule = Schedule(
            installation, lambda pause: _apply(installation, people, pause), chance, plan.hits, lambda: notebook.acked
        )
        await schedule.run(plan.seconds)
        calm_at = loop.time()
        await asyncio.sleep(5.0)
        world.stop.set()
        _, late = await asyncio.wait(clients, timeout=SETTLE_S)
        history.facts, history.misserved = list(notebook.facts), list(notebook.misserved)
        history.facts += _waiting(history, loop.time() - calm_at) if late else []
        if late:
            _tell_who_waits(world)
        for client in late:
            client.cancel()
        progress.cancel()
        try:
            await _until_stored(installation.settings)
            await _gather(installation.settings, history)
        except NotQuiet as fault:
            history.facts.append(Waited(loop.time(), "scribe", "", str(fault), "SQL", loop.time() - calm_at))
        await installation.stop()
    return _report(plan, schedule, notebook, history, world)


def _installation(plan: Plan, data: Path) -> Installation:
    if plan.wrong is None:
        return Installation(data, plan.size)
    return Installation(data, plan.size, module="loadtests.wrong", environment={"SAMTALE_WRONG": plan.wrong})


def _ways(installation: Installation) -> traffic.Ways:
    return traffic.over_network(installation.gateway_urls, random.Random())


def _apply(installation: Installation, people: list[workspace.Team], pause_s: int) -> None:
    settings = installation.settings
    apply_text(settings.config_url, workspace.text(people, pause_s), cells=settings.cells)


async def _until_stored(settings: Settings) -> None:
    stores, connection = databases(settings), await dial(await redis_address(settings))
    try:
        await until_stored(stores, connection, settings.cells)
    finally:
        connection.abort()
        await stores.close()


async def _gather(settings: Settings, history: History) -> None:
    stores, connection = databases(settings), await dial(await redis_address(settings))
    try:
        await gather(stores, connection, history)
    finally:
        connection.abort()
        await stores.close()
    found = await asyncio.to_thread(files_with, settings.data, traffic.CANARY)
    history.leaks += [Leak(traffic.CANARY, name) for name in found]
    history.raised += raised(settings.data)


async def _tell_progress(notebook: Notebook, installation: Installation, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await asyncio.sleep(10.0)
        sends = sum(isinstance(fact, Sent) for fact in notebook.facts)
        hits = sum(installation.armed.hits().values())
        click.echo(f"  {sends:>6} sends, {notebook.resumed:>5} resumes, {hits:>3} failpoints hit")


def _waiting(history: History, for_s: float) -> list[Waited]:
    done = {fact.id for fact in history.facts if isinstance(fact, Acked | Refused)}
    return [
        Waited(fact.t, fact.client, fact.account, fact.conversation, fact.id, for_s)
        for fact in history.facts
        if isinstance(fact, Sent) and fact.id not in done
    ]


def _tell_who_waits(world: traffic.World) -> None:
    for name, client in world.clients.items():
        for item in client.asking.outbox.waiting():
            line = "on the line" if item.line_n else "not on the line"
            code = world.notebook.last_code.get(name)
            connected = "connected" if client.outlet.is_ready() else f"not connected, last closed with {code}"
            click.echo(f"  {name} ({connected}) waits for {item.fields['t']} n {item.n} {item.id}, {line}", err=True)


def _report(plan: Plan, schedule: Schedule, notebook: Notebook, history: History, world: traffic.World) -> Report:
    faults = Counter(dict.fromkeys((*PLAIN_FAULTS, *sorted(NAMES)), 0))
    faults.update(schedule.counts())
    waits = notebook.waits
    return Report(
        seed=plan.seed, seconds=plan.seconds, faults=dict(faults),
        sends=sum(isinstance(fact, Sent) for fact in history.facts),
        acked=sum(isinstance(fact, Acked) for fact in history.facts),
        refused=dict(sorted(world.refused.items())),
        unanswered=unanswered(history), resumes=notebook.resumed, lost_lines=notebook.closed,
        longest_wait_s=round(waits.longest.all_s, 2),
        longest_wait_offline_s=round(waits.longest.offline_s, 2),
        longest_online_s=round(waits.longest_online_s, 2),
        conversations=len(history.conversations), events=len(history.entries),
        epochs=sum(epoch.epoch > 1 for epoch in history.epochs),
        missing={name: count for name, count in faults.items() if count < schedule.wanted(name)},
        violations=violations(history), diary=schedule.diary,
    )  # fmt: skip


def _print(report: Report) -> None:
    click.echo(f"\nchaos: {report.seconds:.0f} s, seed {report.seed}")
    for name, count in report.faults.items():
        click.echo(f"  {name:<30} {count:>5}{'   too few' if name in report.missing else ''}")
    click.echo(
        f"  {report.sends} sends, {report.acked} acknowledged, {report.unanswered} without outcome; refused: "
        f"{report.refused or 'none'}\n"
        f"  {report.resumes} resumes after {report.lost_lines} lost lines\n"
        f"  longest wait for an outcome {report.longest_wait_s} s, of which {report.longest_wait_offline_s} s without "
        f"a line; longest with one {report.longest_online_s} s\n"
        f"  {report.conversations} conversations, {report.events} events, {report.epochs} rebuilds after data loss"
    )
    for violation in report.violations[:50]:
        click.echo(f"  VIOLATION {violation.rule} {violation.where}: {violation.why}", err=True)
    counted = Counter(violation.rule for violation in report.violations)
    click.echo(f"\n{len(report.violations)} violations {dict(counted) if counted else ''}")
    if report.missing:
        longer = f"; a busy machine needs longer: --seconds {2 * report.seconds:.0f}"
        click.echo(f"not tried often enough: {', '.join(report.missing)}{longer}", err=True)


if __name__ == "__main__":
    main()
