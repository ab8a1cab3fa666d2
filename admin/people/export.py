"""A person's export: a zip with all that an installation holds of a contact.

Invariant: written to a file one conversation after the other, never held whole; a reader of the text finds what the
visitor could read, a reader of the JSON every entry there is.
"""

import zipfile
from functools import partial
from typing import IO, Any

import msgspec
import orjson

from admin.conversations.transcript import lines
from admin.people.cards import Card, card_of
from protocol.bus.config import AccountConfig
from protocol.ids import ContactId, ConversationId
from protocol.wire.content import Event
from store.files.bucket import Bucket
from store.sql import tables
from store.sql.database import Databases
from store.sql.queries import attachments, audit, consents, person

_EVENT = msgspec.msgpack.Decoder(Event)
_AT_ONCE = 1_000
MAX_BYTES = 32 * 1024 * 1024  # of an export that is one answer
_TABLES = {"surveys": tables.survey_ask, "tickets": tables.ticket, "attachments": tables.attachment}


class TooMuch(Exception):
    """The export is longer than was allowed."""


async def write_person(
    stores: Databases,
    bucket: Bucket | None,
    config: AccountConfig,
    contact: ContactId,
    file: IO[bytes],
    max_bytes: int | None = None,
) -> bool:
    """Write the contact's export to `file`; False, and nothing written, if there is no such contact.

    `bucket`: where the files are that they sent and got. Raises TooMuch once it is longer than `max_bytes`; BucketAway.
    """
    card = await card_of(stores, config.account, contact)
    if card is None:
        return False
    visitors = [each.id for each in card.visitors]
    of = await stores.record.read(partial(person.conversations, account=config.account, visitors=visitors))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        _put(archive, "contact.json", msgspec.to_builtins(card))
        await _put_consents(archive, stores, config, card)
        for name, table in _TABLES.items():
            query = partial(person.rows_of, table=table, account=config.account, conversations_=of)
            _put(archive, f"{name}.json", await stores.record.read(query))
        for conversation in of:
            await _put_conversation(archive, stores, conversation)
            if max_bytes is not None and file.tell() > max_bytes:
                raise TooMuch
            if bucket is not None:
                left = None if max_bytes is None else max_bytes - file.tell()
                await _put_files(archive, stores, bucket, conversation, left)
    return True


async def _put_consents(archive: zipfile.ZipFile, stores: Databases, config: AccountConfig, card: Card) -> None:
    wanted, after = consents.Wanted(contact=card.id), (-1, "")
    lines: list[dict[str, Any]] = []
    page = partial(consents.page, account=config.account, wanted=wanted, limit=_AT_ONCE)
    while found := await stores.record.read(partial(page, after=after)):
        lines += found
        after = (found[-1]["at_ms"], found[-1]["id"])
    _put(archive, "consents.json", lines)
    history = partial(consents.history, account=config.account, contact=card.id)
    _put(archive, "subscriptions.json", await stores.record.read(history))


async def _put_conversation(archive: zipfile.ZipFile, stores: Databases, conversation: ConversationId) -> None:
    log = await stores.record.read(partial(audit.log_of, conversation=conversation))
    if log is None:
        return
    entries = [msgspec.to_builtins(_EVENT.decode(entry.frame)) for entry in log.entries]
    _put(archive, f"conversations/{conversation}.json", entries)
    archive.writestr(f"conversations/{conversation}.txt", "\n".join(lines(log.entries, "visitor")) + "\n")


async def _put_files(
    archive: zipfile.ZipFile,
    stores: Databases,
    bucket: Bucket,
    conversation: ConversationId,
    left_bytes: int | None,
) -> None:
    """Write what was sent in a conversation, each by its id and its name. Raises TooMuch, before it is read."""
    sent = await stores.record.read(partial(attachments.sent_in, conversation=conversation))
    if left_bytes is not None and sum(kept.file.size for kept in sent) > left_bytes:
        raise TooMuch
    for kept in sent:
        opened = await bucket.open(attachments.key_of(kept.account, kept.file.id))
        if opened is not None:
            with archive.open(f"files/{kept.file.id} {kept.file.name}", "w") as entry:
                async for part in opened.parts:
                    entry.write(part)


def _put(archive: zipfile.ZipFile, name: str, told: Any) -> None:
    archive.writestr(name, orjson.dumps(told, option=orjson.OPT_INDENT_2))
