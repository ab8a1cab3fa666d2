"""Looking at an account and changing it: what every operation on the configuration goes through.

Invariant: a change is made of what was seen and written only over that, in one transaction with its line in the audit
log, the job that tells the cell, and the answer kept for its Idempotency-Key; seen too late, it is made again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from admin.http.operations import Call
from admin.http.problems import CONFLICT, INVALID, NOT_FOUND, Fault, Problem
from admin.http.reading import pointer_of
from admin.http.replies import Reply
from admin.keeping import again, kept_of, name_of
from admin.workspace.apply import draft_of, plan
from admin.workspace.document import Document
from admin.workspace.places import BadWorkspace, Mistake
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId, ChatflowId
from store.sql.database import Database
from store.sql.queries import accounts, answers, changes, drafts
from store.sql.queries.answers import AnsweredBefore
from store.sql.queries.audit_log import Deed
from store.sql.queries.changes import Seen, Written
from store.sql.queries.drafts import Draft

_FIRST = "accounts[1]"  # a document that is edited holds one account


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody's request comes to: what it did to what, in lines for people, and the answer.

    `config` None: the configuration stays as it is; of `drafts` those that become otherwise, None: gone.
    """

    action: str
    target: str
    reply: Reply
    lines: tuple[str, ...] = ()
    config: AccountConfig | None = None
    drafts: Mapping[ChatflowId, Draft | None] = field(default_factory=dict)


class Office:
    """The configuration of an installation, as operations use it. `record` is the other side of SQL.

    `after_change` hears of every account that was changed.
    """

    def __init__(
        self,
        config: Database,
        record: Database,
        cells: int,
        entropy: Callable[[int], bytes],
        now_ms: Callable[[], int],
    ) -> None:
        self.config, self.record, self.cells, self.entropy, self.now_ms = config, record, cells, entropy, now_ms
        self.after_change: Callable[[AccountId], Awaitable[None]] = _nothing

    async def present(self, account: AccountId) -> AccountConfig:
        """Return an account's configuration. Raises Problem if there is none, StoreAway."""
        found = await self.config.read(partial(accounts.config, account=account))
        if found is None:
            raise Problem(NOT_FOUND, "the account is gone")
        return found

    async def drafts(self, account: AccountId) -> dict[ChatflowId, Draft]:
        """Return an account's drafts. Raises StoreAway."""
        return await self.config.read(partial(drafts.of_account, account=account))

    async def change(self, call: Call, make: Callable[[Seen, AccountConfig], Change]) -> Reply:
        """Do what `make` makes of the account as it is; in a thread, for it may take a while.

        Raises Problem, StoreAway.
        """
        account = call.caller.account
        while True:
            seen = await self.config.transact(partial(changes.look, account=account, cells=self.cells))
            # Asked after the look: what this look shows may be what the same request has just made of it.
            if (replayed := await self.answered(call)) is not None:
                return replayed
            present = seen.survey.present.get(account)
            if present is None:
                raise Problem(NOT_FOUND, "the account is gone")
            change = await asyncio.to_thread(make, seen, present)
            written = self._written(call, change)
            try:
                outcome = await self.config.transact(partial(changes.make, seen=seen, written=written))
            except AnsweredBefore as before:
                return again(call, before.kept)
            if outcome == "made":
                await self.after_change(account)
                return change.reply

    def _written(self, call: Call, change: Change) -> Written:
        deed = Deed(self.now_ms(), call.caller.actor, change.action, change.target, change.lines)
        return Written(deed, change.config, change.drafts, kept_of(call, change.reply))

    async def noted(self, call: Call, action: str, target: str, reply: Reply, *lines: str) -> Reply:
        """Note in the audit log what was done outside the configuration, and keep `reply` for the Idempotency-Key.

        Return it, or what was answered under the key meanwhile. Raises Problem, StoreAway.
        """
        written = self._written(call, Change(action, target, reply, lines))
        note = partial(changes.note, account=call.caller.account, deed=written.deed, kept=written.kept)
        try:
            await self.config.transact(note)
        except AnsweredBefore as before:
            return again(call, before.kept)
        return reply

    async def answered(self, call: Call) -> Reply | None:
        """Return the answer that was given under the call's Idempotency-Key before, if there was one."""
        if (name := name_of(call)) is None:
            return None
        kept = await self.config.read(partial(answers.find, account=call.caller.account, key=name))
        return None if kept is None else again(call, kept)


async def _nothing(_: AccountId) -> None:
    """Nobody wants to hear of it."""


def recompiled(seen: Seen, document: Document, entropy: Callable[[int], bytes], edited: str) -> AccountConfig:
    """Return the configuration that `document` comes to; `edited` is the path of the thing in it that was changed.

    Raises Problem: with the fields of that thing that are wrong, or else the other things that would be.
    """
    try:
        [applied] = plan(draft_of(document), seen.survey, entropy)
    except BadWorkspace as bad:
        raise refused(bad.mistakes, document, edited) from None
    return applied.after


def refused(mistakes: list[Mistake], document: Document, edited: str) -> Problem:
    """Return the problem that `mistakes` in a document are to somebody who edited one thing in it."""
    own, others = [], []
    for mistake in mistakes:
        path = mistake.path.removeprefix(_FIRST).lstrip(".")
        if path == edited or path.startswith((f"{edited}.", f"{edited}[")) or not (edited or "[" in path):
            own.append(Fault(pointer_of(path.removeprefix(edited)), mistake.reason))
        else:
            others.append(_elsewhere(path, mistake.reason, document))
    if own:
        return Problem(INVALID, "it cannot be as it was sent", [*own, *others])
    return Problem(CONFLICT, "something else would not be right any more", others)


def _elsewhere(path: str, reason: str, document: Document) -> Fault:
    """Name the other thing by its id: `rules/first_line` and not `rules[3]`."""
    kind, bracket, rest = path.partition("[")
    number, _, field_path = rest.partition("]")
    if not bracket or not number.isdigit():
        return Fault(pointer_of(path), reason, "account")
    thing = document[kind][int(number) - 1]
    return Fault(pointer_of(field_path), reason, f"{kind}/{thing.get('id') or thing.get('key')}")
