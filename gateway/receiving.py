"""Taking a file: as it comes, no further than it was announced; then looked at, made harmless and kept.

Invariant: nothing of what was refused stays anywhere; a receipt is given only for what is kept.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from msgspec.structs import replace

from gateway.attachments import Attachments
from gateway.core.agent import agent_of
from gateway.core.seals import UploadGrant
from gateway.presence import random_id
from gateway.services import Services
from gateway.visitor_door import read_visitor
from protocol.ids import AgentId, AttachmentId
from protocol.wire.codes import Code
from protocol.wire.kinds import File
from protocol.wire.limits import MAX_FILE_BYTES
from store.files.bucket import BucketAway
from store.files.pictures import Busy, NoPicture
from store.files.sniffing import PICTURES, agrees
from store.sql.queries import attachments as rows

MAX_UNUSED = 50  # of one visitor: what was put and no message names yet
IDLE_S = 15.0  # without a byte
DEADLINE_S = 300.0  # for 20 MiB over a slow line
_WRITTEN_BYTES = 1_048_576  # in one go, in a thread


class Unfit(Exception):
    """The file is not taken, and why."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.wire)
        self.code = code


async def receive(services: Services, files: Attachments, grant: UploadGrant, body: AsyncIterator[bytes]) -> File:
    """Take the file of `grant` and return it as it is kept.

    Raises Unfit, TimeoutError, the stores' faults and what `body` raises.
    """
    if not await _may_still(services, grant):
        raise Unfit(Code.NOT_FOUND)
    sql, begun = services.outside.record, grant.file
    place = rows.Place(grant.account, grant.visitor, grant.conversation, grant.sender)
    if await sql.read(lambda read: rows.count_unused(read, grant.account, grant.visitor)) >= MAX_UNUSED:
        raise Unfit(Code.RATE_LIMITED)
    if not await sql.transact(lambda write: rows.begin(write, place, begun, files.now_ms())):
        raise Unfit(Code.NOT_FOUND)
    key, file = rows.key_of(grant.account, begun.id), None
    try:
        with _scratch(files) as (raw, clean):
            await _write(raw, body, begun.size)
            kept, shape = await _harmless(files, begun, raw, clean)
            await files.bucket.put(key, kept)
        if await sql.transact(lambda write: rows.finish(write, shape)):
            file = shape
    finally:
        if file is None:  # whatever went wrong, the same address may be tried again
            await _undo(services, files, key, begun.id)
    if file is None:
        raise Unfit(Code.NOT_FOUND)
    return file


async def _undo(services: Services, files: Attachments, key: str, id_: AttachmentId) -> None:
    """Leave nothing of an upload, or where the bucket is away the row that a job finds it by. Raises BucketAway."""
    sql = services.outside.record
    try:
        await files.bucket.remove([key])
    except BucketAway:
        await sql.transact(lambda write: rows.give_up(write, id_))
        raise
    await sql.transact(lambda write: rows.forget(write, [id_]))


async def _may_still(services: Services, grant: UploadGrant) -> bool:
    """Whether whoever was allowed this may still write: a consent may be withdrawn, a phone logged out meanwhile."""
    if grant.sender != grant.visitor:
        config = await services.configs.of_account(grant.cell, grant.account)
        agent = agent_of(config, AgentId(grant.sender))
        return agent is not None and agent.seat
    record = await read_visitor(services, grant.cell, grant.visitor)
    device = record.devices.get(grant.device) if record is not None else None
    if record is None or device is None or device.revoked or record.blocked:
        return False
    consent = record.consents.get("process")
    return consent is None or consent.answer not in ("withdrawn", "declined")


@contextmanager
def _scratch(files: Attachments) -> Iterator[tuple[Path, Path]]:
    name = random_id("", files.entropy)
    raw, clean = files.scratch / f"{name}.raw", files.scratch / f"{name}.clean"
    try:
        yield raw, clean
    finally:
        raw.unlink(missing_ok=True)
        clean.unlink(missing_ok=True)


async def _write(path: Path, body: AsyncIterator[bytes], size_bytes: int) -> None:
    came, waiting = 0, bytearray()
    parts = aiter(body)
    with path.open("xb") as file:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                async with asyncio.timeout(IDLE_S):
                    part = await anext(parts, None)
                if part is None:
                    break
                came += len(part)
                if came > size_bytes:
                    raise Unfit(Code.TOO_LARGE)
                waiting += part
                if len(waiting) >= _WRITTEN_BYTES:
                    await _flush(file, waiting)
            await _flush(file, waiting)
    if came != size_bytes:
        raise Unfit(Code.MALFORMED)


async def _flush(file: IO[bytes], waiting: bytearray) -> None:
    await asyncio.to_thread(file.write, bytes(waiting))
    waiting.clear()


async def _harmless(files: Attachments, file: File, raw: Path, clean: Path) -> tuple[Path, File]:
    """Return where the file is as it may be kept, and what it then is."""
    if not await asyncio.to_thread(agrees, raw, file.type):
        raise Unfit(Code.BAD_FILE)
    if file.type not in PICTURES:
        return raw, file
    try:
        size = await files.pictures.write_anew(raw, clean, file.type, MAX_FILE_BYTES)
    except NoPicture:
        raise Unfit(Code.BAD_FILE) from None
    except Busy:
        raise Unfit(Code.OVERLOADED) from None
    return clean, replace(file, size=size.bytes, width=size.width, height=size.height)
