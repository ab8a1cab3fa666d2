"""Named places where a process may be made to die or stall, so that the millisecond that matters is hit on purpose.

Invariant: with nothing armed, `hit` costs one dictionary look-up. Arming is for `make chaos`; see docs/guarantees.md.
"""

import os
import random
import signal
from collections.abc import Callable
from typing import Final

NAMES: Final = frozenset(
    {
        "gateway.after_xadd",
        "gateway.after_subscribe",
        "gateway.mid_resume",
        "gateway.lease_lapsed",
        "engine.after_read",
        "engine.before_commit",
        "engine.after_commit",
        "engine.after_takeover",
        "recovery.after_epoch",
        "recovery.mid_rebuild",
        "scribe.before_sql",
        "scribe.after_sql",
        "scribe.before_trim",
        "job.before_done",
    }
)

_armed: dict[str, Callable[[], None]] = {}


def hit(name: str) -> None:
    """Do what `name` is armed with; nothing if it is not armed."""
    action = _armed.get(name)
    if action is not None:
        action()


def arm(name: str, action: Callable[[], None]) -> None:
    """Make `name` do `action`; raises KeyError for a name that is none."""
    if name not in NAMES:
        raise KeyError(f"{name} is no failpoint; there are: {', '.join(sorted(NAMES))}")
    _armed[name] = action


def disarm() -> None:
    """Arm nothing."""
    _armed.clear()


def arm_from(spec: str, hits_path: str) -> None:
    """Arm what `spec` says: `name=kill@0.01,name=stop@0.02`. Each hit appends `name pid` to `hits_path` first."""
    for item in filter(None, spec.split(",")):
        name, _, rest = item.partition("=")
        what, _, share = rest.partition("@")
        number = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}[what]
        arm(name, _dying(name, number, float(share or 1), hits_path))


def _dying(name: str, number: signal.Signals, share: float, hits_path: str) -> Callable[[], None]:
    def die() -> None:
        if random.random() < share:  # noqa: S311 - chance, not secrecy
            with open(hits_path, "a", encoding="utf-8") as hits:
                hits.write(f"{name} {os.getpid()}\n")
            os.kill(os.getpid(), number)

    return die
