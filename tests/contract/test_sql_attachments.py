"""Attachments in SQL, on SQLite and on PostgreSQL; and the jobs that remove them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from protocol.bus.facts import AttachmentsUsed, ConversationErased, Erased, PersonErased
from protocol.ids import AttachmentId, CellName, ErasureId, VisitorId
from protocol.wire.kinds import File
from store.files.bucket import Bucket
from store.sql import tables
from store.sql.database import Database, Databases
from store.sql.queries import attachments, cells, commits, jobs
from store.sql.queries.attachments import Place
from store.sql.queries.jobs import TakenJob
from tests.kit.commits import ACCOUNT, NOW_MS, VISITOR, commit, conversation, said, state
from workers.attachments import Remover

CELL = CellName("c00")
ONE = conversation(1)
PLACE = Place(ACCOUNT, VISITOR, ONE, VISITOR)
FILE = File(AttachmentId("att_1"), "image", "me.jpg", "image/jpeg", 700)
KEPT = replace(FILE, size=650, width=30, height=40)
OTHER = replace(FILE, id=AttachmentId("att_2"))
DAY_MS = attachments.UNUSED_FOR_MS


@pytest.fixture
async def record(databases: Databases) -> Database:
    await databases.record.transact(lambda connection: cells.begin_epoch(connection, CELL, 1))
    return databases.record


@pytest.fixture
def bucket() -> Bucket:
    return Bucket("memory:")


async def upload(record: Database, bucket: Bucket, path: Path, file: File = FILE) -> None:
    """Upload as a gateway does."""
    path.write_bytes(b"x" * file.size)
    assert await record.transact(lambda sql: attachments.begin(sql, PLACE, file, NOW_MS))
    await bucket.put(attachments.key_of(ACCOUNT, file.id), path)
    assert await record.transact(lambda sql: attachments.finish(sql, file))


async def apply(record: Database, commit_no: int, *facts: Any, **rows: Any) -> None:
    batch = [commit(commit_no, facts=list(facts), **rows)]
    assert await record.transact(lambda sql: commits.apply(sql, CELL, batch))


async def do_jobs(record: Database, bucket: Bucket, at_ms: int) -> None:
    """Do what is due, as a worker does."""
    remover = Remover(bucket, record)
    due = await record.transact(lambda sql: jobs.take(sql, "record", now_ms=at_ms, lease_ms=60_000, limit=16))
    for job in due:
        if job.kind in remover.kinds:
            await remover.kinds[job.kind](job)


async def is_left(record: Database, bucket: Bucket, file: File = FILE) -> tuple[bool, bool]:
    """Whether its row, and its file."""
    row = await record.read(lambda sql: sql.scalar(select(tables.attachment.c.id).filter_by(id=file.id)))
    return row is not None, await bucket.open(attachments.key_of(ACCOUNT, file.id)) is not None


async def test_an_upload_begins_once(record: Database) -> None:
    """Whoever comes second with the same address is told so."""

    def begin(sql: Any) -> bool:
        return attachments.begin(sql, PLACE, FILE, NOW_MS)

    assert [await record.transact(begin), await record.transact(begin)] == [True, False]


async def test_an_upload_that_was_given_up_begins_again(record: Database) -> None:
    """Once; one that is whole does not."""

    def begin(sql: Any) -> bool:
        return attachments.begin(sql, PLACE, FILE, NOW_MS)

    async def give_up() -> None:
        await record.transact(lambda sql: attachments.give_up(sql, FILE.id))

    assert await record.transact(begin)
    await give_up()
    assert [await record.transact(begin), await record.transact(begin)] == [True, False]
    await record.transact(lambda sql: attachments.finish(sql, FILE))
    await give_up()
    assert not await record.transact(begin)


async def test_what_is_not_whole_is_not_found(record: Database) -> None:
    """It is there, as it is kept, once its file is."""
    await record.transact(lambda sql: attachments.begin(sql, PLACE, FILE, NOW_MS))
    assert await record.read(lambda sql: attachments.find(sql, FILE.id)) is None
    await record.transact(lambda sql: attachments.finish(sql, KEPT))
    found = await record.read(lambda sql: attachments.find(sql, FILE.id))
    assert found == attachments.Kept(ACCOUNT, VISITOR, KEPT)


async def test_what_was_removed_meanwhile_is_not_finished(record: Database) -> None:
    """So whoever uploads it takes the file away again."""
    await record.transact(lambda sql: attachments.begin(sql, PLACE, FILE, NOW_MS))
    await record.transact(lambda sql: attachments.forget(sql, [FILE.id]))
    assert not await record.transact(lambda sql: attachments.finish(sql, KEPT))


async def test_what_no_message_names_counts_and_is_removed_a_day_later(
    record: Database, bucket: Bucket, tmp_path: Path
) -> None:
    """What one names stays."""
    await upload(record, bucket, tmp_path / "a")
    await upload(record, bucket, tmp_path / "b", OTHER)
    await apply(record, 1, AttachmentsUsed(ACCOUNT, ONE, 2, [OTHER.id]), events=[said(ONE, 1), said(ONE, 2)])
    assert await record.read(lambda sql: attachments.count_unused(sql, ACCOUNT, VISITOR)) == 1
    await do_jobs(record, bucket, NOW_MS + DAY_MS - 1)
    assert await is_left(record, bucket) == (True, True)
    await do_jobs(record, bucket, NOW_MS + DAY_MS)
    assert await is_left(record, bucket) == (False, False)
    assert await is_left(record, bucket, OTHER) == (True, True)


@pytest.mark.parametrize(
    "fact",
    [
        lambda: Erased(ACCOUNT, ONE, 2, b"", None),
        lambda: ConversationErased(ACCOUNT, ONE, 3),
        lambda: PersonErased(ACCOUNT, VISITOR, ErasureId("era_1")),
    ],
    ids=["redacted", "conversation", "person"],
)
async def test_what_is_erased_takes_its_files_along(
    record: Database, bucket: Bucket, tmp_path: Path, fact: Callable[[], Any]
) -> None:
    """Of a message, of a conversation, of a person; twice is as good as once."""
    await upload(record, bucket, tmp_path / "a")
    used = AttachmentsUsed(ACCOUNT, ONE, 2, [FILE.id])
    await apply(record, 1, used, events=[said(ONE, 1), said(ONE, 2)])
    await apply(record, 2, fact())
    await apply(record, 3, fact())
    await do_jobs(record, bucket, NOW_MS)
    assert await is_left(record, bucket) == (False, False)


async def test_what_is_sent_is_whose_the_conversation_is(record: Database, bucket: Bucket, tmp_path: Path) -> None:
    """Though it was put for somebody who logged in before it was whole: they may have it."""
    user = VisitorId("vis_user")
    await upload(record, bucket, tmp_path / "a")
    used = AttachmentsUsed(ACCOUNT, ONE, 2, [FILE.id])
    await apply(record, 1, used, events=[said(ONE, 1), said(ONE, 2)], states=[state(ONE, 2, visitor=user)])
    found = await record.read(lambda sql: attachments.find(sql, FILE.id))
    assert found == attachments.Kept(ACCOUNT, user, FILE)


async def test_a_job_done_twice_harms_nothing(record: Database, bucket: Bucket) -> None:
    """Nor one about what is no more."""
    job = TakenJob("j", attachments.GONE, ACCOUNT, attachments.packed([FILE.id]), 1)
    await Remover(bucket, record).gone(job)
    await Remover(bucket, record).gone(job)
    assert await is_left(record, bucket) == (False, False)
