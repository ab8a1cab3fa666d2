"""How an agent's command about a conversation is decided and answered.

Invariant: it is judged by the account's configuration as it is now; where the roster must agree first (a word that
claims, a ticket's number), it does so in the same step, and the command is then judged again.
"""

from typing import Any

from engine.core.asked import Decision, Facts, Stamped
from engine.core.conversation import Conversation
from engine.core.decide import decide
from engine.core.ledger import DESK
from engine.core.numbered import conclude, fresh
from engine.core.settling import Settling, Then
from protocol.bus.decisions import First, Refusal
from protocol.wire.codes import Code


def agent_asked(settling: Settling, command: Any) -> Then | None:
    """Decide an agent's numbered command about a conversation, unless it has been decided before."""
    if not fresh(settling, command, DESK):
        return None
    state = settling.conversation(command.account, command.conversation)
    decision = _judged(settling, command, state)
    if type(decision) is First:
        return _asked_again, (command, settling.decide_roster(command.account, decision.command))
    conclude(settling, command, state, decision, DESK)
    return None


def _asked_again(settling: Settling, asked: tuple[Any, Any]) -> None:
    """Decide the command for good, now that the roster has decided what came first."""
    command, before = asked
    state = settling.conversation(command.account, command.conversation)
    decision = before if isinstance(before, Refusal) else _judged(settling, command, state)
    if isinstance(decision, First):
        decision = Refusal(Code.NOT_ASSIGNED)  # the roster sees no need for what the conversation asks
    conclude(settling, command, state, decision, DESK)


def _judged(settling: Settling, command: Any, state: Conversation) -> Decision:
    """Return the conversation's decision, its facts having been fetched."""
    config = settling.config(command.account)
    # Only a ready reply knows the visitor by name.
    by_name = state.seq > 0 and bool(getattr(command, "canned", ""))
    visitor = settling.visitor(state.terms.visitor) if by_name else None
    settling.deciding = state
    return decide(state, Stamped(command, settling.at_ms, Facts(visitor, config)))
