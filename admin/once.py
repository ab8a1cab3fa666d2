"""Doing once what is asked again under the same Idempotency-Key, in one transaction with its answer.

Invariant: of many that ask the same at once, one does it and all are told the same. What was made of people's things
is kept by its id alone and read again, so no answer outlives the person that it is about.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from admin.http.operations import Call
from admin.http.problems import Problem
from admin.http.replies import Reply
from admin.keeping import REPLAYED, again, asked, checked, name_of, sealed
from admin.office import Office
from store.sql.database import Query
from store.sql.queries import answers
from store.sql.queries.answers import AnsweredBefore, KeptAnswer, Side

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Made:
    """The id of what was made; `is_again`: when the same was asked before."""

    id: str
    is_again: bool

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says of that."""
        return REPLAYED if self.is_again else {}


async def once(office: Office, call: Call, do: Query[Reply]) -> Reply:
    """Do `do` on the configuration's side. Raises Problem, StoreAway, and what `do` raises."""
    try:
        return await _do(office, call, "config", do, lambda reply: sealed(call, reply))
    except AnsweredBefore as before:
        return again(call, before.kept)


async def make_once(office: Office, call: Call, make: Query[str]) -> Made:
    """Do `make`, which returns the id of what it made, on the record's side. Raises Problem, StoreAway."""
    try:
        made = await _do(office, call, "record", make, lambda id_: KeptAnswer(asked(call), 201, id_.encode()))
    except AnsweredBefore as before:
        return Made(checked(call, before.kept).answer.decode(), is_again=True)
    return Made(made, is_again=False)


async def _do(office: Office, call: Call, side: Side, do: Query[T], kept: Callable[[T], KeptAnswer]) -> T:
    database = office.config if side == "config" else office.record
    account, name, now_ms = call.caller.account, name_of(call), office.now_ms()
    if name is None:
        return await database.transact(do)

    def whole(sql: Any) -> T:
        _look(sql)
        try:
            done = do(sql)
        except Problem:
            _look(sql)  # what stands in the way may be what the same request has just made
            raise
        answers.keep(sql, account, name, kept(done), now_ms, side)
        return done

    def _look(sql: Any) -> None:
        if (before := answers.find(sql, account, name, side)) is not None:
            raise AnsweredBefore(before)

    return await database.transact(whole)
