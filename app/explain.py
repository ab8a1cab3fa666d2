"""`samtale explain`: why a conversation went to whom, from the roster's own log; and which chatflow a device gets.

Invariant: reads only; of a conversation it says nothing that the decisions did not record, and of a device exactly what
a gateway would decide.
"""

import asyncio
from datetime import datetime

import click

from app.settings import Settings
from app.stores import databases, none_here
from protocol.bus.config import AccountConfig
from protocol.bus.targeting import Device, serve
from protocol.ids import ConversationId
from routing.core.explain import explain
from routing.core.roster import RosterDecider
from store.sql.database import Databases, StoreAway
from store.sql.queries import accounts, audit


def explain_conversation(settings: Settings, conversation: str) -> int:
    """Print each routing decision about `conversation`. Exit status 2 if it, or the record, cannot be found."""
    if why := none_here(settings):
        click.echo(f"samtale: {why}", err=True)
        return 2
    try:
        return asyncio.run(_explain(settings, ConversationId(conversation)))
    except StoreAway as away:
        click.echo(f"samtale: the record cannot be read: {away.reason}", err=True)
        return 2


async def _explain(settings: Settings, conversation: ConversationId) -> int:
    stores = databases(settings)
    try:
        lines = await story(stores, conversation)
    finally:
        await stores.close()
    if lines is None:
        click.echo(f"samtale: the record has no conversation {conversation}", err=True)
        return 2
    for line in lines:
        click.echo(line)
    return 0


async def story(stores: Databases, conversation: ConversationId) -> list[str] | None:
    """Return one line per decision about `conversation`, oldest first; None if the record does not know it."""
    log = await stores.record.read(lambda connection: audit.log_of(connection, conversation))
    if log is None:
        return None
    config = await stores.config.read(lambda connection: accounts.config(connection, log.account))
    names = {agent.id: agent.name for agent in config.agents} if config else {}
    decider = RosterDecider()
    rows = await stores.record.read(lambda connection: audit.roster_log(connection, log.account))
    lines: list[str] = []
    for _, stored in rows:
        event = decider.decode_event(stored)
        if getattr(event, "conversation", None) == conversation and (told := explain(event, names)):
            lines += [f"{_clock(event.at_ms)}  {told[0]}", *(f"              {line}" for line in told[1:])]
    return lines or ["no routing decision about it yet"]


def explain_device(config: AccountConfig, tag: str, device: Device) -> list[str]:
    """Return which chatflow `device` is served under `tag`, then a line for each that was passed over."""
    served = serve(config, tag, device)
    if served.flow is None:
        lines = [f"{tag}: no chatflow"]
    else:
        lines = [f"{tag}: chatflow {served.flow.id}, version {served.flow.version}"]
    if served.held_back:
        lines.append(f"  not the newest: {served.held_back}")
    return lines + [
        f"  {passed.chatflow} is passed over ({passed.reason}): {passed.detail}" for passed in served.passed_over
    ]


def _clock(at_ms: int) -> str:
    """Return the reader's own time of day, as the terminals show it; a conversation may go on for days."""
    at = datetime.fromtimestamp(at_ms / 1000)
    day = "" if at.date() == datetime.now().date() else at.strftime("%Y-%m-%d ")
    return day + at.strftime("%H:%M:%S.%f")[:-3]
