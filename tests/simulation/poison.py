"""A roster's decider that raises at some commands, again and again, as one with a bug would.

Invariant: whether it raises depends on the command alone, so that no owner gets past it.
"""

from typing import Any

from protocol.bus.commands import AcceptOffer, ClaimConversation, TransferConversation
from routing.core.roster import RosterDecider

SHARE = 0.3


class Poison(Exception):
    """What a decider with a bug raises."""


class Poisoned(RosterDecider):
    """Raises at about `SHARE` of what agents ask."""

    def decide(self, roster: Any, command: Any, at_ms: int) -> Any:
        asked = isinstance(command, AcceptOffer | ClaimConversation | TransferConversation)
        if asked and int(command.origin.id[:2], 16) < 256 * SHARE:
            raise Poison(type(command).__name__)
        return super().decide(roster, command, at_ms)
