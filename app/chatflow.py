"""`samtale chatflow`: what is published, what differed, which device gets what; rolling back, switching on and off.

Invariant: works on the stored configuration; what it changes is in effect as fast as what `samtale apply` changes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from app.settings import Settings, settings_from
from app.trouble import Trouble
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig

_ACCOUNT = click.option("--account", help="Which account's, if several have such a chatflow.")


@click.group()
def chatflow() -> None:
    """See chatflows and their versions, roll back, switch on and off."""


@chatflow.command("list")
@_ACCOUNT
def list_(account: str | None) -> None:
    """List every chatflow, in the order in which they are served."""
    from admin.workspace.editing import accounts_of

    with _stored() as (_, url):
        configs = accounts_of(url, account)
    for config in configs:
        for flow in sorted(config.chatflows, key=lambda flow: (flow.archived, flow.priority, flow.id)):
            state = "archived" if flow.archived else "enabled" if flow.enabled else "disabled"
            tags = ", ".join(flow.tags)
            click.echo(
                f"{config.account:<12} {flow.id:<20} version {flow.version:<4} {state:<9} {tags:<20} {flow.name}"
            )


@chatflow.command()
@click.argument("chatflow_id", metavar="ID")
@_ACCOUNT
def versions(chatflow_id: str, account: str | None) -> None:
    """List the kept versions of chatflow ID. Newest first, and what each changed."""
    from admin.workspace.changes import flow_changes
    from admin.workspace.editing import account_of

    with _stored() as (_, url):
        config = account_of(url, chatflow_id, account)
    kept = [flow for flow in [*config.chatflows, *config.past] if flow.id == chatflow_id]
    before: list[Chatflow | None] = [*kept[1:], None]
    for flow, earlier in zip(kept, before, strict=True):
        fields = [line.strip().partition(":")[0] for line in flow_changes(earlier, flow)[1:]]
        click.echo(f"version {flow.version:<4} {', '.join(fields) or 'the first one kept'}")


@chatflow.command()
@click.argument("chatflow_id", metavar="ID")
@click.argument("first", type=int, required=False)
@click.argument("second", type=int, required=False)
@_ACCOUNT
def diff(chatflow_id: str, first: int | None, second: int | None, account: str | None) -> None:
    """Say what differs between versions of chatflow ID. The newest and the one before it, if none is named."""
    from admin.workspace.changes import flow_changes
    from admin.workspace.editing import account_of
    from admin.workspace.versions import find, version_of

    with _stored() as (_, url):
        config = account_of(url, chatflow_id, account)
        old = version_of(config, chatflow_id, first)
        new = find(config, chatflow_id) if second is None else version_of(config, chatflow_id, second)
    for line in flow_changes(old, new) or ["no difference"]:
        click.echo(line)


@chatflow.command()
@click.argument("chatflow_id", metavar="ID")
@click.option("--to", type=int, help="The version whose content is published anew.  [default: the one before]")
@_ACCOUNT
def rollback(chatflow_id: str, to: int | None, account: str | None) -> None:
    """Publish an earlier version of chatflow ID again. It becomes the next version."""
    from admin.workspace.versions import rolled_back

    _publish(chatflow_id, account, lambda config: rolled_back(config, chatflow_id, to))


@chatflow.command()
@click.argument("chatflow_id", metavar="ID")
@_ACCOUNT
def enable(chatflow_id: str, account: str | None) -> None:
    """Let chatflow ID start conversations."""
    from admin.workspace.versions import switched

    _publish(chatflow_id, account, lambda config: switched(config, chatflow_id, on=True))


@chatflow.command()
@click.argument("chatflow_id", metavar="ID")
@_ACCOUNT
def disable(chatflow_id: str, account: str | None) -> None:
    """Let chatflow ID start nothing new; conversations that run go on."""
    from admin.workspace.versions import switched

    _publish(chatflow_id, account, lambda config: switched(config, chatflow_id, on=False))


@chatflow.command()
@click.argument("tag")
@_ACCOUNT
@click.option("--platform", default="ios", show_default=True)
@click.option("--app-version", default="1.0", show_default=True)
@click.option("--locale", default="nb-NO", show_default=True)
@click.option("--device", "id", default="", help="The device's id, on which shares hang (dev_…).")
@click.option("--identified", is_flag=True, help="The company has signed who it is.")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="What the app has set.")
@click.option("--at", type=click.DateTime(), help="When, in UTC.  [default: now]")
def explain(tag: str, account: str | None, at: datetime | None, attributes: tuple[str, ...], **device: Any) -> None:
    """Say which chatflow a device gets for TAG. In which version, and why it gets none of the others."""
    from admin.workspace.editing import accounts_of
    from app.explain import explain_device
    from protocol.bus.targeting import Device

    moment = (at or datetime.now(UTC)).replace(tzinfo=UTC)
    pairs = dict(attribute.partition("=")[::2] for attribute in attributes)
    asking = Device(at_ms=round(moment.timestamp() * 1000), attributes=pairs, **device)
    with _stored() as (_, url):
        configs = accounts_of(url, account)
    for config in configs:
        for line in explain_device(config, tag, asking):
            click.echo(f"{config.account}: {line}")


def _publish(chatflow_id: str, account: str | None, change: Callable[[AccountConfig], AccountConfig]) -> None:
    from admin.workspace.cautions import cautions
    from admin.workspace.changes import changes
    from admin.workspace.editing import account_of, edit
    from app.apply import wait_until_published

    with _stored() as (settings, url):
        done = edit(url, account_of(url, chatflow_id, account), change)
        for line in changes(done.before, done.after) or ["nothing changes: it is so already"]:
            click.echo(line)
        for line in cautions(done.after):
            click.echo(f"note: {line}")
        if done.changed:
            wait_until_published(settings)


@contextmanager
def _stored() -> Iterator[tuple[Settings, str]]:
    """Lead to the stored configuration; what cannot be done with it is said in one line."""
    from admin.workspace.versions import CannotPublish
    from app.apply import no_installation
    from store.sql.database import StoreAway

    settings = settings_from()
    try:
        if why := no_installation(settings):
            raise Trouble(why)
        yield settings, settings.config_url
    except CannotPublish as cannot:
        raise Trouble(str(cannot)) from None
    except StoreAway as away:
        raise Trouble(f"SQL cannot be used: {away.reason}") from None
