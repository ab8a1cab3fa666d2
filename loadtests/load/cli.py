"""`samtale load`: runs a scenario, lists those that come with Samtale, compares two runs.

Invariant: the exit status is 0 if every promise was kept and every goal reached, 1 if not, 2 if it could not be run as
asked, with the reason on standard error.
"""

import asyncio
import shlex
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from loadtests.load import reading
from loadtests.load.link import Ground
from loadtests.load.results import Run
from loadtests.load.scenario import Scenario

PASSWORD = "SAMTALE_AGENT_PASSWORD"


class _Scenarios(click.Group):
    """A group whose unknown commands are scenarios."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            return run.name, run, args
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Scenarios,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    subcommand_metavar="SCENARIO [OPTIONS] | compare A B | workspace SCENARIO",
)
@click.option("--list", "list_them", is_flag=True, help="List the scenarios that come with Samtale.")
@click.pass_context
def load(context: click.Context, list_them: bool) -> None:
    """Drive an installation and tell what it does and whether it kept its promises.

    SCENARIO is one of `samtale load --list`, or a YAML file (docs/howto/load.md). Its options: `samtale load run
    --help`. Without --url it starts an installation of its own on free ports, over data that is thrown away.
    """
    if list_them:
        width = max(map(len, reading.shipped()))
        for name in reading.shipped():
            click.echo(f"{name:<{width}}  {reading.load(name, []).title}")
    elif context.invoked_subcommand is None:
        click.echo(context.get_help())


@load.command(hidden=True)
@click.argument("scenario")
@click.option("--url", "urls", multiple=True, help="A gateway of a running server; several to spread over them.")
@click.option("--app", "apps", multiple=True, help="There: the app's publishable key.  [default: app_load]")
@click.option("--tag", default="load", show_default=True, help="There: the mobile tag.")
@click.option("--agent", "agents", multiple=True, help="There: agents' e-mails; {} counts.  [agent{}@load.example]")
@click.option("--password", envvar=PASSWORD, default="load-password", help=f"There: the agents' (or {PASSWORD}).")
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Change the scenario: phases[2].per_s=500.")
@click.option("--seed", type=int, help="Of all chance.  [default: the scenario's]")
@click.option("--processes", type=int, help="Of the driver.  [default: the scenario's]")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder.  [load-runs/SCENARIO-TIME]")
@click.option("--no-report", is_flag=True, help="Leave run.json alone, without the page.")
def run(scenario: str, sets: tuple[str, ...], out: Path | None, no_report: bool, **options: Any) -> NoReturn:
    """Run SCENARIO."""
    more = [f"{path}={options[name]}" for name, path in _SHORT.items() if options[name] is not None]
    found = _read(scenario, [*sets, *more])
    sys.exit(_run(scenario, found, out, no_report, options))


@load.command()
@click.argument("a", type=click.Path(exists=True, path_type=Path))
@click.argument("b", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def compare(a: Path, b: Path, as_json: bool) -> NoReturn:
    """Put two runs side by side: each a run.json, or the folder that holds it."""
    from loadtests.load.compare import print_comparison

    sys.exit(print_comparison(a, b, as_json=as_json))


@load.command()
@click.argument("scenario")
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Change the scenario first.")
def workspace(scenario: str, sets: tuple[str, ...]) -> None:
    """Print the workspace file that a server needs to be driven with SCENARIO and --url; its passwords are public."""
    from loadtests.load.workspace import text

    click.echo(text(_read(scenario, sets)), nl=False)


_SHORT = {"seed": "seed", "processes": "driver.processes"}


def _read(name: str, sets: Sequence[str]) -> Scenario:
    try:
        return reading.load(name, list(sets))
    except reading.BadScenario as bad:
        _refuse(str(bad))


def _run(name: str, scenario: Scenario, out: Path | None, no_report: bool, options: dict[str, Any]) -> int:
    from loadtests.load import report, runs
    from loadtests.load.conducting import Order, conduct, out_folder
    from loadtests.load.files import TooFew
    from loadtests.load.house import NotStarted
    from loadtests.load.progress import Progress
    from loadtests.load.shares import DriverFailed

    command = shlex.join(["samtale", *sys.argv[1:]])
    order = Order(name, scenario, command, list(options["urls"]), _grounds(scenario, options))
    try:
        with Progress(scenario.title) as shows:
            done = _loop(conduct(order, shows))
    except BaseExceptionGroup as several:
        known, others = several.split((TooFew, NotStarted, DriverFailed))
        if known is None or others is not None:
            raise
        _refuse("; ".join(map(str, _leaves(known))))
    except (TooFew, NotStarted, DriverFailed) as trouble:
        _refuse(str(trouble))
    folder = out_folder(name, out)
    files = [runs.write_run(done, folder)]
    if not no_report:
        files.append(report.write(done, folder))
    _tell(done, files)
    return 0 if done.verdict.is_good and not done.missed else 1


def _grounds(scenario: Scenario, options: dict[str, Any]) -> list[Ground]:
    """Return how to come in at somebody else's server."""
    agents = options["agents"] or ("agent{}@load.example",)
    wanted = max(1, scenario.agents())
    emails = [email for each in agents for email in _counted(each, wanted)]
    staff = [(email, email) for email in emails]
    return [Ground(key, key, options["tag"], staff, options["password"]) for key in options["apps"] or ("app_load",)]


def _counted(email: str, wanted: int) -> list[str]:
    return [email.replace("{}", str(number)) for number in range(1, wanted + 1)] if "{}" in email else [email]


def _tell(done: Run, files: list[Path]) -> None:
    from loadtests.load.report import verdict
    from loadtests.load.report.numbers import number

    group = None
    for figure in done.figures:
        if figure.group != group:
            group = figure.group
            click.echo(f"\n{group}")
        click.echo(f"  {figure.name:<38}{number(figure.value):>12} {figure.unit:<12} {figure.note}".rstrip())
    click.echo()
    for latency in done.latencies:
        shares = "  ".join(f"p{share} {number(value)}" for share, value in latency.percentiles_ms.items())
        click.echo(f"  {latency.name:<38}{latency.count:>12,} of them, ms: {shares}")
    if done.refusals:
        click.echo(f"\nrefused: {', '.join(f'{code} {count:,}' for code, count in sorted(done.refusals.items()))}")
    for note in done.notes[:10]:
        click.echo(f"  {note}")
    said = verdict.told(done.verdict)
    click.echo(f"\n{said.headline}; {said.scope}")
    for example in (*done.verdict.examples[:5], *done.missed):
        click.echo(f"  {example}", err=True)
    click.echo("\n".join(map(str, files)))


def _leaves(group: BaseExceptionGroup[Any]) -> list[BaseException]:
    return [
        leaf
        for each in group.exceptions
        for leaf in (_leaves(each) if isinstance(each, BaseExceptionGroup) else [each])
    ]


def _refuse(why: str) -> NoReturn:
    click.echo(f"samtale: {why}", err=True)
    sys.exit(2)


def _loop(conducting: Coroutine[Any, Any, Run]) -> Run:
    if sys.platform == "win32":
        return asyncio.run(conducting)
    import uvloop

    return uvloop.run(conducting)
