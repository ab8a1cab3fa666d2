"""Answers that were kept for whoever asks again, forgotten after a day (store.sql.queries.answers).

Invariant: none is kept longer than a day and a minute while a worker runs, whether or not anybody asks for anything.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from store.sql.database import Database, Databases, StoreAway
from store.sql.queries import answers
from store.sql.queries.answers import Side

_EVERY_S = 60.0


async def forget_answers(databases: Databases, now_ms: Callable[[], int], log: Any) -> NoReturn:
    """Forget what is old, once a minute, for ever."""
    while True:
        try:
            await forget_old(databases, now_ms())
        except StoreAway as away:
            log.warning("answers.away", why=away.reason)
        await asyncio.sleep(_EVERY_S)


async def forget_old(databases: Databases, now_ms: int) -> None:
    """Forget what is old now. Raises StoreAway."""
    sides: list[tuple[Side, Database]] = [("config", databases.config), ("record", databases.record)]
    for side, database in sides:
        if await database.read(partial(answers.is_any_old, side=side, now_ms=now_ms)):
            await database.transact(partial(answers.forget, side=side, now_ms=now_ms))
