"""A frame that may come more than once: decided once, its outcome remembered (SPEC 5.1, 5.2).

Invariant: what was decided is answered from memory and changes nothing; what takes effect does so with its outcome.
"""

from engine.core.answers import answer_from, entry_of, outcome_of
from engine.core.asked import Decision
from engine.core.conversation import Conversation
from engine.core.ledger import Recorded
from engine.core.settling import Settling
from protocol.bus.commands import Asked


def fresh(settling: Settling, command: Asked, owner: str) -> bool:
    """Return whether the frame is to be decided; if it is not, it has been answered."""
    origin = command.origin
    if not origin.n:
        return True  # nobody counts what gateways ask by themselves
    check = settling.values.ledger(owner, origin.device).check(origin.n, origin.id)
    if check is None:
        return True
    settling.result.outcomes.append((origin.gateway, outcome_of(command, check)))
    settling.result.repeated += isinstance(check, Recorded)
    return False


def conclude(settling: Settling, command: Asked, state: Conversation, decision: Decision, owner: str) -> None:
    """Let `decision` take effect, tell whoever asked, and remember it under `owner`."""
    entry = settling.conclude(state, decision, entry_of(command), command)
    answer_from(settling, command, decision, owner, entry)
