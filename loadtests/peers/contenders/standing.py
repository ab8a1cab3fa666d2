"""What every contender comes to once it stands: pairs ready to talk, what its processes used, and its end of a load.

Invariant: all that a contender's processes did counts, Redis included; only the driver is told apart.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeAlias

from loadtests.load.processes import Usage
from loadtests.peers.talk import Pair


async def _nothing() -> None:
    """Nothing goes on after the last delivery."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`settle` waits until what a load left behind is done too (copies to SQL, say)."""

    pairs: list[Pair]
    used: Callable[[], dict[str, Usage]]
    settle: Callable[[], Awaitable[None]] = _nothing


Contender: TypeAlias = Callable[[int], AbstractAsyncContextManager[Standing]]
"""Starts everything afresh with so many pairs, and ends it all on leaving."""
