"""Erasing: has the cell leave nothing of a person, and looks until no store and no file of ours holds anything.

Invariant: an erasure is done only after SQL has every tombstone, Redis has let go of every conversation, and the files
of both were written anew. Until then the job comes back, and asks again for what is still there; asking twice is once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NoReturn, TypeVar

from protocol.bus.commands import COMMAND_ENCODER, AnyCommand, Emptied, EraseConversations, ErasePerson
from protocol.ids import AccountId, CellName, ContactId, ConversationId, ErasureId, VisitorId, is_preview
from store.files.erased import Erased, ErasedList
from store.redis.connection import Connection, Dial
from store.redis.keys import Keys
from store.sql.database import Databases, Query, StoreAway
from store.sql.queries import accounts, attachments, erasing, erasures, whom
from store.sql.queries.erasures import Erasure
from store.sql.queries.jobs import TakenJob
from workers.forget import purge_quarantine, rewrite_files, rewrite_streams
from workers.jobs import JobFailed
from workers.previews import forget_preview
from workers.stored import held, visitor_record

Frozen = Callable[[AccountId, list[bytes]], bytes]  # a whole log → the state (a Snapshot) that it amounts to

T = TypeVar("T")

RETAIN_EVERY_MS = 3_600_000
_AT_ONCE = 100  # conversations in one command
_PER_JOB = 500  # conversations that one look at an account's retention erases
_PATIENCE_S = 20.0  # within what is allowed to a job
_LOOK_EVERY_S = 0.2
_WATCH_EVERY_S = 60.0


class Eraser:
    """Does the jobs of kind `erase`, which `erased` lists, and those of kind `retain`. `frozen` is the engine's."""

    def __init__(
        self, dial: Dial, databases: Databases, frozen: Frozen, erased: ErasedList, now_ms: Callable[[], int]
    ) -> None:
        self._dial, self._databases, self._frozen, self._now_ms = dial, databases, frozen, now_ms
        self._list = erased

    async def erase(self, job: TakenJob) -> None:
        """Leave nothing of a person. Raises JobFailed as long as something is left."""
        erasure = await self._databases.config.read(partial(erasures.of_id, erasure=ErasureId(job.payload.decode())))
        if erasure is None or erasure.done_at_ms is not None:
            return
        visitors = await self._visitors(erasure)
        began_as = await self._read(partial(whom.began_as, account=erasure.account, visitors=visitors))
        await self._enlist(erasure, [*visitors, *began_as])
        counts = await self._read(partial(whom.counts, account=erasure.account, visitors=visitors))
        await self._databases.config.transact(partial(erasures.count, erasure=erasure.id, counts=counts))
        line = await self._dial(erasure.cell)
        try:
            await _open(line, erasure.cell)
            await self._ask(line, erasure, visitors)
            await _until_none(lambda: self._left(line, erasure, visitors))
            if erasure.contact is not None:
                forget = partial(erasing.forget_contact, account=erasure.account, contact=erasure.contact)
                await self._databases.record.transact(forget)
            names = [*visitors, *began_as, *await self._erased(erasure.account, visitors)]
            await self._clean(line, erasure.cell, names)
        finally:
            line.abort()
        await self._databases.config.transact(partial(erasures.done, erasure=erasure.id, now_ms=self._now_ms()))

    async def retain(self, job: TakenJob) -> None:
        """Erase the account's conversations that were kept for too long, the oldest first."""
        account, now_ms = job.account, self._now_ms()
        days = await self._databases.config.read(partial(erasures.days_kept, account=account))
        config = await self._databases.config.read(partial(accounts.config, account=account))
        if days is None or config is None:
            return
        before_ms = erasures.retained_before(now_ms, days)
        if is_preview(account):
            await forget_preview(self._databases, config, before_ms, now_ms)
            return
        old = await self._read(partial(erasures.over, account=account, before_ms=before_ms, limit=_PER_JOB))
        if not old:
            return
        counts = await self._read(partial(whom.counts_of, of=old))
        line = await self._dial(config.cell)
        try:
            for chunk in _chunks(old):
                emptied = await self._emptied(line, config.cell, account, chunk)
                await self._put(line, config.cell, EraseConversations(account, emptied))
            await _until_none(lambda: self._kept(line, config.cell, old))
            await self._clean(line, config.cell, old)
        finally:
            line.abort()
        done_ms = self._now_ms()
        told = Erasure(ErasureId(job.id), account, config.cell, "retention", None, None, now_ms, done_ms, counts)
        await self._databases.config.transact(partial(erasures.add, erasure=told))

    async def watch(self, log: Any) -> NoReturn:
        """Have every account that keeps nothing for ever looked at, once an hour, for ever."""
        while True:
            try:
                if await self._databases.config.read(erasures.retains):
                    now_ms = self._now_ms()
                    look = partial(erasures.look_again, now_ms=now_ms, every_ms=RETAIN_EVERY_MS)
                    await self._databases.config.transact(look)
            except StoreAway as away:
                log.warning("erase.away", why=away.reason)
            await asyncio.sleep(_WATCH_EVERY_S)

    async def _visitors(self, erasure: Erasure) -> list[VisitorId]:
        if erasure.visitor is not None:
            return [await self._read(partial(whom.is_now, account=erasure.account, visitor=erasure.visitor))]
        assert erasure.contact is not None, "an erasure of a person names one"
        return await self._read(partial(whom.known_as, account=erasure.account, contact=erasure.contact))

    async def _enlist(self, erasure: Erasure, visitors: list[VisitorId]) -> None:
        """Put it on the list for backups that were made before it. Raises JobFailed."""
        contacts: list[ContactId] = []
        if erasure.contact is not None:
            merged = partial(whom.merged_into, account=erasure.account, contact=erasure.contact)
            contacts = [erasure.contact, *await self._read(merged)]
        line = Erased(erasure.id, erasure.account, erasure.cell, erasure.asked_at_ms, contacts, visitors)
        try:
            await asyncio.to_thread(self._list.add, line)
        except OSError as error:
            raise JobFailed(f"the list of erasures cannot be written: {error.strerror}") from None

    async def _ask(self, line: Connection, erasure: Erasure, visitors: Sequence[VisitorId]) -> None:
        """Put into the cell what erases whoever is still there."""
        for visitor in visitors:
            left = await self._read(partial(whom.conversations, account=erasure.account, visitor=visitor))
            for chunk in _chunks(left) or [[]]:
                cold = await self._emptied(line, erasure.cell, erasure.account, chunk)
                known = await visitor_record(line, erasure.cell, self._databases.record, erasure.account, visitor)
                record = whom.emptied(known) if known is not None else None
                command = ErasePerson(erasure.account, visitor, erasure.id, record, cold, erasure.contact)
                await self._put(line, erasure.cell, command)

    async def _left(self, line: Connection, erasure: Erasure, visitors: Sequence[VisitorId]) -> str:
        """Return what is still there, "" if nothing is."""
        account = erasure.account
        for visitor in visitors:
            if not await self._read(partial(whom.is_erased, visitor=visitor, erasure=erasure.id)):
                return "a visitor"
            if await self._read(partial(whom.conversations, account=account, visitor=visitor)):
                return "conversations"
            if await self._read(partial(attachments.of_visitor, account=account, visitor=visitor)):
                return "attachments"
        if set(await self._visitors(erasure)) - set(visitors):
            return "visitors who were met meanwhile"
        return "what Redis holds" if await self._held(line, erasure.cell, await self._erased(account, visitors)) else ""

    async def _kept(self, line: Connection, cell: CellName, conversations: Sequence[ConversationId]) -> str:
        """Return what is still there of the conversations, "" if nothing is."""
        if await self._read(partial(erasures.still_kept, conversations=conversations)):
            return "conversations"
        return "what Redis holds" if await self._held(line, cell, conversations) else ""

    async def _erased(self, account: AccountId, visitors: Sequence[VisitorId]) -> list[ConversationId]:
        found = [partial(whom.erased_conversations, account=account, visitor=visitor) for visitor in visitors]
        return [conversation for query in found for conversation in await self._read(query)]

    async def _held(self, line: Connection, cell: CellName, conversations: Sequence[ConversationId]) -> bool:
        """Whether Redis still holds any of the conversations."""
        keys = Keys(cell)
        for chunk in _chunks(conversations):
            if await line.call("EXISTS", *map(keys.conversation, chunk), *map(keys.log, chunk)):
                return True
        return False

    async def _emptied(
        self, line: Connection, cell: CellName, account: AccountId, conversations: Sequence[ConversationId]
    ) -> list[Emptied]:
        """Return the conversations, those that the cell has let go of as their tombstones leave them."""
        warm = await held(line, cell, conversations)
        emptied = []
        for conversation in conversations:
            log = await self._read(partial(whom.emptied_log, conversation=conversation))
            if log:
                emptied.append(Emptied(conversation, b"" if conversation in warm else self._frozen(account, log)))
        return emptied

    async def _clean(self, line: Connection, cell: CellName, names: Sequence[str]) -> None:
        """Have nothing of it in any byte of Redis, its files, or those of SQL."""
        await purge_quarantine(line, cell, names)
        await rewrite_streams(line, cell)
        await rewrite_files(line)
        await self._databases.record.scrub()

    async def _put(self, line: Connection, cell: CellName, command: AnyCommand) -> None:
        await line.call("XADD", Keys(cell).inbox, "*", "p", COMMAND_ENCODER.encode([command]))

    async def _read(self, query: Query[T]) -> T:
        return await self._databases.record.read(query)


async def _open(line: Connection, cell: CellName) -> None:
    """Raise JobFailed unless the cell is served: one that is rebuilt drops what it was asked before."""
    if await line.call("HGET", Keys(cell).cell, "status") != b"ready":
        raise JobFailed("the cell is not served yet")


async def _until_none(look: Callable[[], Awaitable[str]]) -> None:
    """Look until nothing is left; raises JobFailed if that takes too long for one go."""
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + _PATIENCE_S
    left = await look()
    while left and loop.time() < ends_s:
        await asyncio.sleep(_LOOK_EVERY_S)
        left = await look()
    if left:
        raise JobFailed(f"not gone yet: {left}")


def _chunks(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE)]
