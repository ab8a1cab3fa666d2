"""What the demo claims, and whether it held.

Invariant: a fact holds only if its scene was played to the end; whatever else happens to the scene, it does not.
"""

import asyncio
import json
from collections.abc import Awaitable, Iterable
from dataclasses import asdict, dataclass

import samtale

from store.redis.faults import Away, Busy, Refused
from store.sql.database import StoreAway


class NotSo(Exception):
    """Something that should be so, or should have happened in time, is not; says what."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One claim: its name, whether it held, and what shows it (or what did not happen)."""

    name: str
    holds: bool
    evidence: str


FAILURES = (NotSo, samtale.RefusedError, samtale.LineLost, Away, Busy, Refused, StoreAway, OSError)


def require(so: bool, otherwise: str) -> None:
    """Raise NotSo that says `otherwise`, unless it is so."""
    if not so:
        raise NotSo(otherwise)


async def check(name: str, play: Awaitable[str], within_s: float) -> Fact:
    """Play a scene and return the fact that it shows. Bugs of ours are raised, not reported."""
    try:
        async with asyncio.timeout(within_s):
            return Fact(name, True, await play)
    except TimeoutError:
        return Fact(name, False, f"the scene was not over within {within_s:.0f} s")
    except FAILURES as failure:
        return Fact(name, False, str(failure) or type(failure).__name__)


def all_hold(facts: Iterable[Fact]) -> bool:
    """Whether every fact holds, and there is one."""
    told = list(facts)
    return bool(told) and all(fact.holds for fact in told)


def to_json(facts: list[Fact]) -> str:
    """Return the facts as `samtale demo --json` prints them."""
    told = {"facts": [asdict(fact) for fact in facts], "ok": all_hold(facts)}
    return json.dumps(told, ensure_ascii=False, indent=1)
