"""`samtale replay`: does every log, played again, give the state that is stored, byte for byte?

Invariant: reads only. The record is one consistent prefix of each cell, so log and state belong together.
"""

import asyncio
from dataclasses import dataclass

import click
import msgspec

from app.settings import Settings
from app.stores import none_here
from engine.core.evolve import replay
from engine.core.snapshot import freeze
from protocol.ids import ConversationId
from protocol.wire.content import Event
from store.sql.database import Database, SqlDatabase, StoreAway
from store.sql.queries import audit

_EVENT = msgspec.msgpack.Decoder(Event)


@dataclass(frozen=True, slots=True)
class Replayed:
    """One conversation's log against its state. `differs_at` is the first byte that differs, None if all are equal."""

    conversation: ConversationId
    entries: int
    stored: bytes
    replayed: bytes

    @property
    def differs_at(self) -> int | None:
        if self.stored == self.replayed:
            return None
        pairs = zip(self.stored, self.replayed, strict=False)
        shorter = min(len(self.stored), len(self.replayed))
        return next((at for at, (left, right) in enumerate(pairs) if left != right), shorter)


async def replay_one(record: Database, conversation: ConversationId) -> Replayed | None:
    """Replay one conversation's log; None if the record has no such conversation."""
    log = await record.read(lambda connection: audit.log_of(connection, conversation))
    if log is None:
        return None
    state = replay(log.account, [_EVENT.decode(entry.frame) for entry in log.entries])
    return Replayed(conversation, len(log.entries), log.state, freeze(state) if state is not None else b"")


async def replay_all(record: Database) -> list[Replayed]:
    """Replay every conversation of the record."""
    ids = await record.read(audit.conversation_ids)
    return [found for conversation in ids if (found := await replay_one(record, conversation)) is not None]


def replay_logs(settings: Settings, conversation: str | None) -> int:
    """Print what was replayed. Exit status: 0 all equal, 1 some differ, 2 no such conversation or no record."""
    if why := none_here(settings):
        click.echo(f"samtale: {why}", err=True)
        return 2
    try:
        return asyncio.run(_replay(settings, conversation))
    except StoreAway as away:
        click.echo(f"samtale: the record cannot be read: {away.reason}", err=True)
        return 2


async def _replay(settings: Settings, conversation: str | None) -> int:
    record = SqlDatabase(settings.record_url)
    try:
        if conversation is None:
            found = await replay_all(record)
        else:
            one = await replay_one(record, ConversationId(conversation))
            if one is None:
                click.echo(f"samtale: the record has no conversation {conversation}", err=True)
                return 2
            found = [one]
    finally:
        await record.close()
    for each in found:
        if each.differs_at is not None or conversation is not None:
            verdict = "equal" if each.differs_at is None else f"DIFFERS at byte {each.differs_at}"
            click.echo(f"{each.conversation}  {each.entries:>6} entries  {len(each.stored):>6} bytes  {verdict}")
    different = sum(each.differs_at is not None for each in found)
    entries = sum(each.entries for each in found)
    noun = "conversation" if len(found) == 1 else "conversations"
    click.echo(f"{len(found)} {noun}, {entries} entries replayed: {different} differ from what is stored")
    return 1 if different else 0
