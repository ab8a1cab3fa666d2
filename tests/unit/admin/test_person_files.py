"""The files in a person's export."""

import io
import zipfile
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from admin.people.export import TooMuch, write_person
from protocol.bus.facts import AttachmentsUsed, ContactKnown
from protocol.ids import AttachmentId, VisitorId, contact_by_email
from protocol.wire.kinds import File
from store.files.bucket import Bucket
from store.sql.database import Databases
from store.sql.queries import accounts, attachments, cells, commits
from store.sql.queries.attachments import Place
from tests.kit.commits import commit, conversation, said, state
from tests.kit.offices import FJORD, desk_in

KARI, CHAT = VisitorId("vis_1"), conversation(1)
SENT = File(AttachmentId("att_1"), "file", "meter.txt", "text/plain", 8)
UNSENT = replace(SENT, id=AttachmentId("att_2"))


async def exported(folder: Path, size_bytes: int = 8, max_bytes: int | None = None) -> dict[str, bytes]:
    """Return the export of somebody who sent one file and put another, by the names in it."""
    bucket, made = Bucket("memory:"), io.BytesIO()
    source = folder / "source"
    source.write_bytes(b"4711 kWh")
    async with desk_in(folder) as desk:
        record = desk.office.record
        config = await desk.office.config.read(partial(accounts.config, account=FJORD))
        assert config is not None
        contact = contact_by_email(config.id_key, "kari@example.org")
        known = ContactKnown(
            FJORD, contact, KARI, "kari@example.org", "", "", verified=False, marketing=False, owner="", at_ms=5
        )  # fmt: skip
        for file in (SENT, UNSENT):
            place = Place(FJORD, KARI, CHAT, KARI)
            await record.transact(partial(attachments.begin, place=place, file=file, at_ms=5))
            await bucket.put(attachments.key_of(FJORD, file.id), source)
            await record.transact(partial(attachments.finish, file=replace(file, size=size_bytes)))
        await record.transact(lambda sql: cells.begin_epoch(sql, config.cell, 1))
        facts = [known, AttachmentsUsed(FJORD, CHAT, 2, [SENT.id])]
        rows = [state(CHAT, 2, account=FJORD)]
        batch = [commit(1, facts=facts, events=[said(CHAT, 1), said(CHAT, 2)], states=rows)]
        assert await record.transact(lambda sql: commits.apply(sql, config.cell, batch))
        stores = Databases(desk.office.config, record)
        assert await write_person(stores, bucket, config, contact, made, max_bytes)
    with zipfile.ZipFile(made) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def test_what_was_sent_is_in_the_export(tmp_path: Path) -> None:
    """By its id and its name; what was put and never said is nobody's word yet."""
    found = await exported(tmp_path)
    assert {name: data for name, data in found.items() if name.startswith("files/")} == {
        "files/att_1 meter.txt": b"4711 kWh"
    }


async def test_too_long_with_its_files_is_too_long(tmp_path: Path) -> None:
    """Before any of them is read."""
    with pytest.raises(TooMuch):
        await exported(tmp_path, size_bytes=2_000_000, max_bytes=1_000_000)
