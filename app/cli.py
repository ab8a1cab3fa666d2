"""The `samtale` command: one door to everything an operator, an agent or a visitor does from a terminal.

Invariant: a wrong option, file or address is answered with what and why, on standard error, and exit status 2; a
trace is printed for our own bugs only.
"""

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click

from app.backup import backup
from app.chatflow import chatflow
from app.contact import contact
from app.key import key
from app.lifeline import die_with
from app.restore import restore
from app.settings import Settings, settings_from, unknown_settings

SERVER = "http://127.0.0.1:8080"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="samtale-server", prog_name="samtale")
def samtale() -> None:
    """Support chat inside mobile apps: engine, gateways, and the tools around them.

    Settings come from the environment: SAMTALE_DATA, SAMTALE_REDIS_URL, SAMTALE_DATABASE_URL, SAMTALE_PORT and
    others; `samtale settings` lists them all.
    """


@samtale.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data directory.  [default: .data]")
@click.option("--port", type=int, help="Port of the first gateway.  [default: 8080]")
@click.option("--gateways", type=int, help="Gateway processes, each on its own port.  [default: 1]")
@click.option("--engines", type=int, help="Engine processes.  [default: 1]")
@click.option("--workers", type=int, help="Worker processes.  [default: 1]")
@click.option("--empty", is_flag=True, help="Do not apply the example workspace to a new installation.")
def run(empty: bool, **overrides: Any) -> None:
    """Start everything; Ctrl-C stops it. Valkey and SQLite are embedded unless URLs of others are set."""
    from app.run import run_installation

    if parent := os.environ.pop("SAMTALE_PARENT", None):  # started by a tool, which it must not outlive
        die_with(int(parent))
    sys.exit(run_installation(settings_from(**overrides), example=not empty))


@samtale.command()
def settings() -> None:
    """List every setting, its value now, and what it means."""
    now = settings_from()
    for name, field in Settings.model_fields.items():
        value = getattr(now, name)
        shown = "set" if name.endswith("_url") and value else "" if value is None else value  # URLs hold passwords
        click.echo(f"SAMTALE_{name.upper():<27} {shown!s:<10} {field.description}")
    for name in unknown_settings():
        click.echo(f"{name} is set, and no setting", err=True)


@samtale.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "check_only", is_flag=True, help="Validate the file by itself; no installation is needed.")
@click.option("--dry-run", is_flag=True, help="Say what would change in this installation; change nothing.")
def apply(file: Path, check_only: bool, dry_run: bool) -> None:
    """Make the installation as a workspace FILE (YAML) says. It is validated as a whole first; what changes is said."""
    from app.apply import apply_file

    sys.exit(apply_file(settings_from(), file, check_only=check_only, dry=dry_run))


samtale.add_command(chatflow)
samtale.add_command(contact)
samtale.add_command(key)
samtale.add_command(backup)
samtale.add_command(restore)


@samtale.command()
@click.option("--server", default=SERVER, show_default=True, help="A gateway.")
@click.option("--app", "app_key", default="app_nordvik", show_default=True, help="The app's publishable key.")
@click.option("--tag", default="support", show_default=True, help="The mobile tag.")
@click.option("--locale", default="nb-NO", show_default=True)
@click.option("--token", help="A signed JWT, to be an identified visitor.")
@click.option(
    "--as", "profile", default="default", show_default=True, help="Whose phone: each name keeps its own secret."
)
@click.option("--json", "as_json", is_flag=True, help="Speak the JSON subprotocol instead of msgpack.")
def visitor(**options: Any) -> None:
    """Chat as a visitor, from this terminal."""
    from app.terminal.visitor import chat

    chat(settings_from(), **options)


@samtale.command()
@click.argument("email")
@click.option("--server", default=SERVER, show_default=True, help="A gateway.")
@click.option("--password", envvar="SAMTALE_AGENT_PASSWORD", help="Asked for if not given (or SAMTALE_AGENT_PASSWORD).")
@click.option("--json", "as_json", is_flag=True, help="Speak the JSON subprotocol instead of msgpack.")
def agent(**options: Any) -> None:
    """Answer visitors as the agent with EMAIL, from this terminal."""
    from app.terminal.agent import serve

    serve(**options)


@samtale.command()
@click.argument("subject")
@click.argument("text")
@click.option("--server", default=SERVER, show_default=True, help="A gateway.")
@click.option("--key", envvar="SAMTALE_SERVER_KEY", help="A server key of the app (or SAMTALE_SERVER_KEY).")
@click.option("--tag", default="support", show_default=True, help="The mobile tag.")
@click.option("--name", default="", help="Who it is from.  [default: the account]")
@click.option("--locale", default="", help="Of a new conversation.  [default: the chatflow's]")
def start(**options: Any) -> None:
    """Say TEXT to the visitor SUBJECT, first. In their open conversation or a new one; SUBJECT is the company's id."""
    from app.terminal.start import start_conversation

    start_conversation(**options)


@samtale.command()
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON instead of the stories.")
@click.option("--server", help="A running gateway.  [default: this installation's if it runs, else an own one]")
@click.option("--story", type=click.Choice(["first", "second", "third"]), help="Only this one.  [default: all]")
def demo(as_json: bool, server: str | None, story: str | None) -> None:
    """Tell three stories with real processes; check every fact."""
    from app.demo.stories import STORIES
    from app.demo.story import tell

    chosen = [each for each in STORIES if story in (None, each.name)]
    sys.exit(tell(settings_from(), chosen, as_json=as_json, server=server))


@samtale.command()
@click.argument("conversation", required=False)
def replay(conversation: str | None) -> None:
    """Replay logs and compare with the stored state. Byte for byte, of CONVERSATION or of all."""
    from app.replay import replay_logs

    sys.exit(replay_logs(settings_from(), conversation))


@samtale.command()
@click.argument("conversation")
def explain(conversation: str) -> None:
    """Say why CONVERSATION went to whom. Each routing decision, who was considered, and why others were passed over."""
    from app.explain import explain_conversation

    sys.exit(explain_conversation(settings_from(), conversation))


@samtale.command(
    add_help_option=False, context_settings={"ignore_unknown_options": True}, options_metavar="SCENARIO [OPTIONS]"
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="| compare A B | --list")
def load(arguments: tuple[str, ...]) -> None:
    """Drive an installation with many people. Tell what it does, and whether it kept its promises."""
    from loadtests.load.cli import load as drive

    drive.main(args=list(arguments), prog_name="samtale load")


@samtale.command()
def doctor() -> None:
    """Check the installation, and say what to mend. Versions, durability, memory, leases, lag, clocks."""
    from app.doctor import examine

    sys.exit(examine(settings_from()))


def _child(name: str) -> Callable[[Callable[[Settings], int]], click.Command]:
    """Register one process of an installation, as the supervisor and the Procfile start it."""

    def register(start: Callable[[Settings], int]) -> click.Command:
        @wraps(start)
        def command(**overrides: Any) -> NoReturn:
            if parent := os.environ.get("SAMTALE_PARENT"):
                die_with(int(parent))
            sys.exit(start(settings_from(**overrides)))

        with_port = (
            click.option("--port", type=int, help="Port to listen on.") if name in ("gateway", "valkey") else None
        )
        return samtale.command(name)(with_port(command) if with_port else command)

    return register


@_child("gateway")
def gateway(now: Settings) -> int:
    """Run one gateway: mobile and agent sockets, public HTTP."""
    from app.wiring import run_gateway

    return run_gateway(now)


@_child("engine")
def engine(now: Settings) -> int:
    """Run one engine: owns cells, decides what happens in them."""
    from app.wiring import run_engine

    return run_engine(now)


@_child("worker")
def worker(now: Settings) -> int:
    """Run one worker: the scribes and the jobs. It brings the database schema up to date first."""
    from app.wiring import run_worker

    return run_worker(now)


@_child("valkey")
def valkey(now: Settings) -> int:
    """Run the embedded Valkey on the data directory."""
    from app.wiring import run_valkey

    return run_valkey(now)


@samtale.command()
@click.argument("what", metavar="WHAT")
@click.option("--account", default="", help="Needed if there are several.")
@click.option("--days", default=0, help="Of today and the days before it only (UTC).  [default: all time]")
@click.option("--by", multiple=True, help="Split by this: day, platform, version, chatflow, … May be given again.")
@click.option("--only", multiple=True, metavar="NAME=VALUE", help="Of one platform, chatflow, inbox, agent, …")
@click.option("--environment", type=click.Choice(["production", "test"]), default="production", show_default=True)
@click.option("--limit", default=1_000, show_default=True, help="Of a list, the newest.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def report(what: str, only: tuple[str, ...], form: str, as_json: bool, **asked: Any) -> None:
    """Show what an account's figures say. WHAT: conversations, first_response, resolution, wait, abandonment, agents,
    routing, steps, consent_rates, surveys; or the lists of its consents, contacts and tickets (docs/reports.md).
    """
    from app.report import REPORTS, Question
    from app.report import report as show
    from app.trouble import Trouble

    if what not in REPORTS:
        raise Trouble(f"there is no report {what}; there is {', '.join(REPORTS)}")
    if unfit := [each for each in only if "=" not in each]:
        raise Trouble(f"--only takes NAME=VALUE, not {unfit[0]}")
    narrowed = dict(each.split("=", 1) for each in only)
    sys.exit(show(settings_from(), what, Question(only=narrowed, **asked), "json" if as_json else form))


def main() -> None:
    """The entry point of the `samtale` script."""
    samtale()


if __name__ == "__main__":
    main()
