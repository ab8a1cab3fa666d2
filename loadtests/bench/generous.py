"""The processes of an installation as `samtale` starts them, but with gateways that let a load driver send at will.

Invariant: only the sizes of allowances differ; each frame is still counted against them. `ready` states them, so a
driver can tell that they are in force.
"""

import cProfile
import os
import sys
from pathlib import Path
from typing import Any

from app import cli
from gateway import gateway
from gateway.core.limits import SessionLimits
from gateway.gateway import GatewaySettings
from gateway.rules import SocketRules

PLENTY = 60_000_000  # a minute
PROFILES = "SAMTALE_BENCH_PROFILES"  # the directory that each process leaves its cProfile in


def generous(**settings: Any) -> GatewaySettings:
    """Return a gateway's settings with more allowance than a driver can use."""
    limits = SessionLimits(
        messages_per_minute=PLENTY, message_burst=PLENTY, agent_messages_per_minute=PLENTY,
        agent_message_burst=PLENTY, frames_per_minute=PLENTY, frame_burst=PLENTY,
    )  # fmt: skip
    rules = SocketRules(  # of the phones of a driver, all share one address
        frames_per_minute=PLENTY, frames_burst=PLENTY, handshakes_per_minute=PLENTY, handshakes_burst=PLENTY
    )
    return GatewaySettings(**{**settings, "limits": limits, "rules": rules})


def main() -> None:
    """Do what `samtale` does."""
    vars(gateway)["GatewaySettings"] = generous  # where app.wiring finds it
    directory = os.environ.get(PROFILES)
    if directory is None:
        cli.main()
        return
    profile = cProfile.Profile()
    try:
        profile.runcall(cli.main)
    finally:
        profile.dump_stats(Path(directory) / f"{sys.argv[1]}-{os.getpid()}.prof")


if __name__ == "__main__":
    main()
