"""What a decider may answer besides events.

Invariant: values, never exceptions: saying no is part of the work.
"""

from typing import Any

import msgspec

from protocol.bus.records import NextInLine
from protocol.wire.codes import Code


class Refusal(msgspec.Struct, frozen=True):
    """No, and why. `instead` names the conversation to use (CONTINUED), `opens_at_ms` when somebody is there again."""

    code: Code
    instead: str = ""
    opens_at_ms: int = 0


class First(msgspec.Struct, frozen=True):
    """Decide `command` first, in the same step; if that is not refused, ask me again (a reply claims)."""

    command: Any


class Told(msgspec.Struct, frozen=True):
    """What was asked is told, and nothing happens: the outcome carries it."""

    next_in_line: NextInLine


class Already(msgspec.Struct, frozen=True):
    """What was asked is already so: nothing happens, and that is success. `seq` names the entry that made it so."""

    seq: int = 0
    event: str = ""
