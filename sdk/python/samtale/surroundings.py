"""What a client takes from its surroundings: the network, chance, the clock, and who listens.

Invariant: whatever could differ between two runs comes through here, so that a simulation can decide it.
"""

import os
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from samtale.events import Event
from samtale.http import transfer
from samtale.journal import Fact
from samtale.line import MSGPACK, Connect, Line, network
from samtale.login import Login, over_http

Transfer = Callable[[str, str, bytes], Awaitable[tuple[int, bytes]]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The defaults are the real world.

    `connect` opens a line; None for real sockets. `login` gets an agent's ticket. `transfer` brings files
    over HTTP, and takes method, address and bytes. `clock`: seconds that only grow.
    `journal` is told facts for a history. `listener` is called with every event, at once, in place of `events()`.
    """

    connect: Connect | None = None
    login: Login = over_http
    transfer: Transfer = transfer
    subprotocol: str = MSGPACK
    chance: Callable[[], float] = random.random
    entropy: Callable[[int], bytes] = os.urandom
    clock: Callable[[], float] = time.monotonic
    journal: Callable[[Fact], None] | None = None
    listener: Callable[[Event], None] | None = None

    async def dial(self, url: str) -> Line:
        """Return a new line to `url`. Raises LineLost."""
        return await (self.connect or network(self.subprotocol))(url)

    def new_id(self) -> str:
        """Return an id that was never used."""
        return self.entropy(12).hex()
