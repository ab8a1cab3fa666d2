"""Removing attachments: of what was redacted, erased, or uploaded and never sent.

Invariant: a file goes before its row, so that whatever dies in between leaves somebody who knows of it.
"""

from collections.abc import Mapping, Sequence

from protocol.ids import AccountId, AttachmentId
from store.files.bucket import Bucket, BucketAway
from store.sql.database import Database
from store.sql.queries import attachments
from store.sql.queries.jobs import TakenJob
from workers.jobs import Doing, JobFailed


class Remover:
    """Does the jobs about attachments."""

    def __init__(self, bucket: Bucket, record: Database) -> None:
        self._bucket, self._record = bucket, record

    @property
    def kinds(self) -> Mapping[str, Doing]:
        """What it does, by kind of job."""
        return {attachments.GONE: self.gone, attachments.UNUSED: self.unused}

    async def gone(self, job: TakenJob) -> None:
        """Remove those that the job names. Raises JobFailed."""
        await self._remove(job.account, attachments.unpacked(job.payload))

    async def unused(self, job: TakenJob) -> None:
        """Remove those of them that no message names. Raises JobFailed."""
        ids = attachments.unpacked(job.payload)
        await self._remove(job.account, await self._record.read(lambda sql: attachments.unused(sql, ids)))

    async def _remove(self, account: AccountId, ids: Sequence[AttachmentId]) -> None:
        if not ids:
            return
        keys = [attachments.key_of(account, each) for each in ids]
        try:
            await self._bucket.remove(keys)
            await self._record.transact(lambda sql: attachments.forget(sql, ids))
            await self._bucket.remove(keys)  # one that arrived meanwhile; from here on it is refused
        except BucketAway as away:
            raise JobFailed(f"the files cannot be reached: {away}") from None
