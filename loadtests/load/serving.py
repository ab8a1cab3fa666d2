"""The processes of an installation as `samtale` starts them, made to be measured.

`SAMTALE_LOAD_WIDE`: gateways let a driver send at will, and only the sizes of allowances differ: each frame is still
counted against them, and `ready` states them. `SAMTALE_LOAD_TASKS`: a directory that each process tells every few
seconds how many asyncio tasks it has. `SAMTALE_LOAD_PROFILES`: a directory that each leaves its cProfile in.

Invariant: without any of these it is `samtale`.
"""

import asyncio.tasks
import cProfile
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from app import cli
from gateway import gateway
from gateway.core.limits import SessionLimits
from gateway.gateway import GatewaySettings
from gateway.rules import SocketRules

WIDE, TASKS, PROFILES = "SAMTALE_LOAD_WIDE", "SAMTALE_LOAD_TASKS", "SAMTALE_LOAD_PROFILES"
PLENTY = 60_000_000  # a minute
TASKS_EVERY_S = 2.0


def wide(**settings: Any) -> GatewaySettings:
    """Return a gateway's settings with more allowance than a driver can use."""
    limits = SessionLimits(
        messages_per_minute=PLENTY, message_burst=PLENTY, agent_messages_per_minute=PLENTY,
        agent_message_burst=PLENTY, frames_per_minute=PLENTY, frame_burst=PLENTY,
    )  # fmt: skip
    rules = SocketRules(  # the phones of a driver all share one address
        frames_per_minute=PLENTY, frames_burst=PLENTY, handshakes_per_minute=PLENTY, handshakes_burst=PLENTY
    )
    return GatewaySettings(**{**settings, "limits": limits, "rules": rules})


def tell_tasks(directory: Path) -> None:
    """Write how many tasks there are into a file of this process, again and again."""
    mine, draft = directory / f"{sys.argv[1]}-{os.getpid()}", directory / f".{os.getpid()}"
    while True:
        time.sleep(TASKS_EVERY_S)
        draft.write_text(str(len(asyncio.tasks._all_tasks)))  # type: ignore[attr-defined] # of every loop, from outside
        draft.replace(mine)


def main() -> None:
    """Do what `samtale` does."""
    if os.environ.get(WIDE):
        vars(gateway)["GatewaySettings"] = wide  # where app.wiring finds it
    if os.environ.get(TASKS):
        threading.Thread(target=tell_tasks, args=(Path(os.environ[TASKS]),), daemon=True).start()
    if not os.environ.get(PROFILES):
        cli.main()
        return
    profile = cProfile.Profile()
    try:
        profile.runcall(cli.main)
    finally:
        profile.dump_stats(Path(os.environ[PROFILES]) / f"{sys.argv[1]}-{os.getpid()}.prof")


if __name__ == "__main__":
    main()
