"""How many files a process may have open: what bounds the sessions of a gateway, and of a driver, on one machine."""

import resource

from loadtests.load.files import SPARE


def raise_limit() -> int:
    """Let this process, and those it starts, open as many files as the machine allows; return how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def fits(sessions: int, allowed: int) -> bool:
    """Whether one process can hold so many sessions."""
    return sessions + SPARE <= allowed
