"""Reading of logs: what Redis keeps, and before that what SQL has, without the reader noticing.

Invariant: entries of a page are contiguous and begin at the asked seq, or the page is empty; the epoch of a page was
read before its entries, so that it is never newer than they are.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from gateway.cells import Cells
from gateway.core.actions import Audience
from gateway.core.resume import Page
from gateway.holes import filled, holes, tombstones
from gateway.standings import SNAPSHOT, horizons, ledger_fields, next_n
from protocol.bus.records import Head
from protocol.bus.topics import Hint
from protocol.ids import AccountId, CellName, ConversationId, DeviceId
from store.redis.connection import Away
from store.redis.keys import Keys
from store.sql.database import Database
from store.sql.queries import history, records

PAGE_ENTRIES = 100
PAGE_BYTES = 64 * 1024  # well below what a line keeps for a peer that reads slowly


class Where(Struct, frozen=True):
    """A conversation, for one kind of reader. `device`: whose numbering is asked too; `cold`: SQL may know it."""

    cell: CellName
    account: AccountId
    conversation: ConversationId
    audience: Audience
    device: DeviceId | None = None
    cold: bool = True


class Logs:
    """The logs of all conversations."""

    def __init__(self, cells: Cells, record: Database) -> None:
        self._cells = cells
        self._record = record

    async def page(self, where: Where, from_seq: int) -> Page:
        """Return the log from `from_seq` on. Raises Away (also while the cell is rebuilt), Refused or StoreAway."""
        keys, line = Keys(where.cell), self._cells.line(where.cell)
        outcomes = ledger_fields(where.device) if where.device else []
        cell = line.send("HMGET", keys.cell, "epoch", "status")
        state = line.send("HMGET", keys.conversation(where.conversation), "s", *outcomes)
        receipts = line.send("HGETALL", keys.receipts(where.conversation))
        log = await line.call("XRANGE", keys.log(where.conversation), f"{from_seq}-0", "+", "COUNT", PAGE_ENTRIES + 1)
        epoch, status = await cell
        if status != b"ready":
            raise Away(f"{where.cell} is being rebuilt")
        snapshot, *remembered = await state
        entries = [_entry(item, where.audience) for item in log]
        head = SNAPSHOT.decode(snapshot).head if snapshot else None
        entries = await self._whole(where, entries, from_seq, head)
        page = Page(
            epoch=int(epoch),
            entries=entries[:PAGE_ENTRIES],
            more=len(entries) > PAGE_ENTRIES,
            head=head,
            receipts=_receipts(await receipts),
            next_n=next_n(remembered) if where.device else 0,
        )
        return _bounded(await self._completed(where, from_seq, page))

    async def before(self, where: Where, before: int, limit: int) -> tuple[Head | None, list[Hint]]:
        """Return the head and up to `limit` entries below `before`, ascending. Raises as `page`."""
        keys, line = Keys(where.cell), self._cells.line(where.cell)
        state = line.send("HGET", keys.conversation(where.conversation), "s")
        key = keys.log(where.conversation)
        log = await line.call("XREVRANGE", key, f"{before - 1}-0", "-", "COUNT", limit)
        snapshot = await state
        entries = [_entry(item, where.audience) for item in reversed(log)]
        head = SNAPSHOT.decode(snapshot).head if snapshot else None
        if head is not None:
            last = min(before - 1, head.seq)
            seqs = holes(entries, max(1, last - limit + 1), last)
            erased = await tombstones(line, where.cell, where.conversation, seqs, where.audience) if seqs else []
            entries = filled(entries, erased)[-limit:]
            entries = entries[_torn(entries) :]
        else:
            head = await self._cold_head(where)
        earliest = entries[0].seq if entries else before
        if head is not None and earliest > 1 and len(entries) < limit:
            older = await self._record.read(
                lambda sql: history.before(
                    sql, where.account, where.conversation, earliest, limit - len(entries), audience=where.audience
                )
            )
            entries = [*older, *entries]
        return head, _newest(entries)

    async def _whole(self, where: Where, entries: list[Hint], from_seq: int, head: Head | None) -> list[Hint]:
        """Return `entries` of the log from `from_seq` on with the tombstones that stand between them."""
        if head is None:
            return entries
        last = entries[-1].seq if len(entries) > PAGE_ENTRIES else head.seq
        seqs = holes(entries, from_seq, last)[: PAGE_ENTRIES + 1]
        if not seqs:
            return entries
        line = self._cells.line(where.cell)
        return filled(entries, await tombstones(line, where.cell, where.conversation, seqs, where.audience))

    async def _completed(self, where: Where, from_seq: int, page: Page) -> Page:
        """Return `page` with what Redis no longer keeps before its first entry."""
        first = page.entries[0].seq if page.entries else None
        if first == from_seq or (page.head is not None and page.head.seq < from_seq):
            return page
        if page.head is None:
            head = await self._cold_head(where)
            if head is None or head.seq < from_seq:
                return msgspec.structs.replace(page, head=head, entries=[])
            page = msgspec.structs.replace(page, head=head, next_n=await self._cold_next_n(where))
        older = await self._record.read(
            lambda sql: history.after(
                sql, where.account, where.conversation, from_seq - 1, PAGE_ENTRIES, audience=where.audience
            )
        )
        return _joined(older, page)

    async def _cold_head(self, where: Where) -> Head | None:
        if not where.cold:
            return None
        found = await self._record.read(lambda sql: records.conversation(sql, where.account, where.conversation))
        return found.head if found is not None else None

    async def _cold_next_n(self, where: Where) -> int:
        device = where.device
        if device is None:
            return 0
        found = await self._record.read(lambda sql: records.outcomes(sql, where.account, where.conversation, device))
        return max((outcome.n for outcome in found), default=0) + 1


def _torn(entries: Sequence[Hint]) -> int:
    """Return where the last run of `entries` without a hole begins."""
    for index in range(len(entries) - 1, 0, -1):
        if entries[index - 1].seq != entries[index].seq - 1:
            return index
    return 0


def _joined(older: list[Hint], page: Page) -> Page:
    """Return the entries of SQL, and those of Redis behind them if nothing is missing in between."""
    if not page.entries:
        more = bool(older) and page.head is not None and older[-1].seq < page.head.seq
        return msgspec.structs.replace(page, entries=older, more=more)
    first = page.entries[0].seq
    before = [entry for entry in older if entry.seq < first]
    if before and before[-1].seq == first - 1:
        return msgspec.structs.replace(page, entries=[*before, *page.entries])
    return msgspec.structs.replace(page, entries=before, more=True)


def _bounded(page: Page) -> Page:
    """Return as much of `page` as a line takes at once."""
    size = 0
    for count, entry in enumerate(page.entries):
        size += len(entry.frame)
        if size > PAGE_BYTES and count > 1:  # the first may be the one the reader has
            return msgspec.structs.replace(page, entries=page.entries[:count], more=True)
    return page


def _newest(entries: list[Hint]) -> list[Hint]:
    """Return the last of `entries`, as many as fit one frame and at least one."""
    size = 0
    for count, entry in enumerate(reversed(entries)):
        size += len(entry.frame)
        if size > PAGE_BYTES and count:
            return entries[-count:]
    return entries


def _entry(item: Any, audience: Audience) -> Hint:
    name, flat = item
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    frame = fields[b"v"] if audience == "visitor" and b"v" in fields else fields[b"e"]
    return Hint(int(name.partition(b"-")[0]), fields[b"i"].decode(), frame)


def _receipts(flat: Sequence[bytes]) -> dict[str, tuple[int, int]]:
    return {who.decode(): horizons(stored) for who, stored in zip(flat[::2], flat[1::2], strict=True)}
