"""Making a suspect cell whole again, from SQL, under an epoch of its own.

Invariant: what the scribe has copied is a consistent prefix of the cell, and nothing else is built upon. Each attempt
has a higher epoch, in SQL first; so whoever is overtaken, here or in a scribe, finds every door shut. It may be broken
off at any instant and begun again.
"""

from dataclasses import dataclass
from functools import partial

import msgspec

from engine.runtime import metrics
from engine.runtime.faults import LeaseLost
from engine.runtime.lease import Found, read
from engine.runtime.rebuild import Rebuild
from engine.runtime.surroundings import Surroundings
from protocol.bus.records import CellRecord, Commit
from protocol.ids import CellName
from store import failpoints
from store.redis import scripts
from store.redis.connection import Connection
from store.redis.keys import Keys
from store.sql.queries import cells, commits

_COMMIT = msgspec.msgpack.Decoder(Commit)
DRAINED_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Recovery:
    """One attempt to rebuild `cell`, which we own as `found` says."""

    around: Surroundings
    cell: CellName
    line: Connection
    found: Found

    async def run(self) -> CellRecord:
        """Rebuild the cell and return its new record. Raises LeaseLost, Away, StoreAway."""
        log, record = self.around.log, self.found.record
        log.warning(
            "cell suspect", cell=self.cell, status=record.status, epoch=record.epoch, commit_no=record.commit_no
        )
        await self._drain(record)
        epoch, commit_no = await self._begin_epoch(record)
        failpoints.hit("recovery.after_epoch")
        if not await scripts.rebuild_begin(self.line, self.cell, self.found.token, epoch, commit_no):
            raise LeaseLost
        built = await Rebuild(self.around, self.cell, self.line, self.found.token, epoch, commit_no).run()
        if not await scripts.rebuild_done(self.line, self.cell, self.found.token, epoch, self.line.run_id):
            raise LeaseLost
        metrics.REBUILDS.labels(self.cell).inc()
        log.warning("cell rebuilt", cell=self.cell, epoch=epoch, commit_no=commit_no, **built)
        return await read(self.line, self.cell)

    async def _drain(self, record: CellRecord) -> None:
        """Bring what survived in the outbox to SQL: it was acknowledged, so it is not thrown away.

        Whether a scribe does the same at the same time does not matter: SQL takes each commit once.
        """
        record_db = self.around.databases.record
        while True:
            position = await record_db.read(partial(cells.position, cell=self.cell))
            if position is None or position.epoch != record.epoch or position.commit_no >= record.commit_no:
                return
            batch = await self._outbox(record.epoch, position.commit_no + 1)
            if not batch:
                if await record_db.read(partial(cells.position, cell=self.cell)) != position:
                    continue  # a scribe stored and trimmed what seemed to be missing
                self.around.log.error(
                    "hole in outbox", cell=self.cell, stored=position.commit_no, commit_no=record.commit_no
                )
                return
            await record_db.transact(partial(commits.apply, cell=self.cell, commits=batch))

    async def _outbox(self, epoch: int, first: int) -> list[Commit]:
        """Return the commits that follow each other from `first` on; none if `first` itself is missing."""
        key = Keys(self.cell).outbox(epoch)
        found = await self.line.call("XRANGE", key, f"{first}-0", "+", "COUNT", DRAINED_AT_ONCE)
        batch = [_COMMIT.decode(fields[1]) for _, fields in found]
        return [commit for number, commit in enumerate(batch, first) if commit.commit_no == number]

    async def _begin_epoch(self, record: CellRecord) -> tuple[int, int]:
        """Shut out every scribe and every owner before us; return the new epoch and the commit_no that SQL has."""
        record_db = self.around.databases.record
        while True:
            position = await record_db.read(partial(cells.position, cell=self.cell))
            # Asked after reading: while we are the owner nobody else has rebuilt, so the epoch just read is none that
            # somebody works under. An owner who was paused here must not shut out the one who overtook it.
            if (await read(self.line, self.cell)).owner != self.found.token:
                raise LeaseLost
            epoch = max(position.epoch if position else 0, record.epoch) + 1
            commit_no = await record_db.transact(partial(cells.begin_epoch, cell=self.cell, epoch=epoch))
            if commit_no is not None:
                return epoch, commit_no
