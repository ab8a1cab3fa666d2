"""A child that dies with its parent, however the parent dies.

Invariant: after a supervisor is killed, nothing of it runs on that could hinder the next one.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Make the kernel kill this process when `parent`, who started it, is gone (Linux; elsewhere no effect).

    SIGKILL and not SIGTERM: everything here survives it, and a drain would hold the port against the next start.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the supervisor was gone before this process started")
