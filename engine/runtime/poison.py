"""Caution: deciding one command at a time, so that it is known which one ends its owner.

Invariant: before a careful owner decides a command, the cell's record names it (`trying`, `tries`). A command that
ended two careful owners is not tried a third time; a try that a lost line ended, as far as its owner lived to know,
does not count.

An owner is careful when the last one ended without any progress, when it met trouble itself, or when it comes to the
command that the record names; and only for as many commands as could have been under way, or as the inbox then held.
"""

from collections import Counter
from dataclasses import dataclass, field

from engine.runtime.faults import LeaseLost
from engine.runtime.inbox import Entry
from engine.runtime.surroundings import CALL_S
from protocol.ids import CellName
from store.redis import scripts
from store.redis.connection import Connection

HOPELESS_TRIES = 2
CAREFUL_COMMANDS = 2_000  # more than a few batches
FRUITLESS_TAKEOVERS = 2  # take-overs since the last commit, the present one included


def _order(entry_id: str) -> tuple[int, int]:
    at_ms, _, number = entry_id.partition("-")
    return int(at_ms), int(number)


def place(entry: Entry) -> str:
    """Return the name of an entry's first command."""
    return f"{entry.id}:{entry.first}"


@dataclass(slots=True)
class Caution:
    """How carefully an owner goes. `until`: the newest entry when it began, None if there is no need for care."""

    until: str | None
    trying: str
    tries: int
    left: int = CAREFUL_COMMANDS
    spared: Counter[str] = field(default_factory=Counter)  # tries of ours that a lost line ended, by place

    def concerns(self, entry: Entry) -> bool:
        """Whether `entry` is to be decided command by command."""
        if self.until is not None and (not self.left or _order(entry.id) > _order(self.until)):
            self.until = None
        return self.until is not None or place(entry) == self.trying

    def dare(self, entry: Entry) -> bool:
        """Count a try of the first command of `entry`; False if it has ended two owners."""
        here = place(entry)
        self.left = max(0, self.left - 1)
        self.tries = self.tries + 1 if here == self.trying else 1
        self.trying = here
        return self.tries - self.spared[here] <= HOPELESS_TRIES

    def spare(self, entry: Entry) -> None:
        """Note that the try of the first command of `entry` was ended by something else."""
        self.spared[place(entry)] += 1


async def caution(line: Connection, record: str, newest: str, spared: Counter[str], *, careful: bool) -> Caution:
    """Return how to go on: carefully up to the entry `newest`, or only if the cell's record names a command."""
    trying, tries = await line.call("HMGET", record, "trying", "tries", timeout_s=CALL_S)
    return Caution(newest if careful else None, (trying or b"").decode(), int(tries or 0), spared=spared)


async def note(line: Connection, cell: CellName, token: str, care: Caution) -> None:
    """Name the command that is now tried in the cell's record, before it can end anybody."""
    if not await scripts.trying(line, cell, token, care.trying, care.tries):
        raise LeaseLost
