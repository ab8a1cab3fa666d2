"""Going away politely: clients are sent elsewhere over a while, not all at once.

Invariant: within `over_s` and the closing time every socket is gone, whether its client listened or not.
"""

import asyncio

from gateway.sockets import Sockets
from protocol.wire.codes import CloseCode

STEPS = 20


async def drain(sockets: Sockets, over_s: float) -> None:
    """Tell every client when to come again elsewhere (SPEC 2.8), and close its socket with 4000 at that time."""
    sockets.doorway.is_draining = True
    leaving = list(sockets.open)
    step_s = over_s / STEPS
    shares = [leaving[first::STEPS] for first in range(STEPS)]
    for step, share in enumerate(shares):
        for socket in share:
            socket.reconnect(int(step * step_s * 1000))
    for share in shares:
        for socket in share:
            socket.close(CloseCode.GOING_AWAY)
        if sockets.open:
            await asyncio.sleep(step_s)
    await _be_gone(sockets)


async def _be_gone(sockets: Sockets) -> None:
    for socket in list(sockets.open):
        socket.close(CloseCode.GOING_AWAY)  # those whose handshake was under way
    try:
        async with asyncio.timeout(sockets.rules.close_timeout_s):
            await sockets.are_gone.wait()
    except TimeoutError:
        for socket in list(sockets.open):
            socket.abort("drained")
