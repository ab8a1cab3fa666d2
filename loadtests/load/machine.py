"""Where a run took place, as its document says it.

Invariant: facts that change a figure, and none that names the machine or its people.
"""

import os
import platform
from importlib import metadata
from pathlib import Path

import psutil

from loadtests.load.house import House
from loadtests.load.results import Machine
from store.redis import admin

_LIBRARIES = ("msgspec", "hiredis", "uvloop", "websockets", "uvicorn", "sqlalchemy", "hdrhistogram")
_GIB = 2**30


async def facts(house: House | None) -> Machine:
    """Return the facts; of somebody else's server only what can be known from here."""
    server = "not ours"
    if house is not None:
        of_redis = await admin.facts(house.line)
        server = f"{of_redis.product} {of_redis.version}"
    return Machine(
        processor(),
        os.cpu_count() or 1,
        psutil.virtual_memory().total / _GIB,
        f"{platform.system()} {platform.release()}",
        f"{platform.python_implementation()} {platform.python_version()}",
        server,
        {"samtale-server": metadata.version("samtale-server")}
        | {name: metadata.version(name) for name in _installed(_LIBRARIES)},
    )


def _installed(names: tuple[str, ...]) -> list[str]:
    known = {found.metadata["Name"].lower() for found in metadata.distributions()}
    return [name for name in names if name in known]


def processor() -> str:
    """Return what the machine calls its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
