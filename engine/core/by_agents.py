"""How an agent's command about a conversation is decided and answered.

Invariant: it is judged by the account's configuration as it is now; where the roster must agree first (a word that
claims, a ticket's number), it does so in the same step, and the command is then judged again.
"""

from typing import Any

from engine.core.asked import Facts, Stamped
from engine.core.conversation import Conversation
from engine.core.decide import decide
from engine.core.ledger import DESK
from engine.core.numbered import conclude, fresh
from engine.core.settling import Asking, Settling
from protocol.bus import commands
from protocol.bus.decisions import First, Refusal
from protocol.wire.codes import Code

ABOUT_CONVERSATIONS = frozenset(
    {
        commands.AgentSends,
        commands.AgentCloses,
        commands.AddNote,
        commands.ChangeTags,
        commands.SetFields,
        commands.SetPriority,
        commands.SnoozeConversation,
        commands.RedactMessage,
        commands.BlockVisitor,
        commands.SetTicket,
    }
)


def agent_asked(settling: Settling, command: Any) -> Asking:
    """Decide an agent's numbered command about a conversation, unless it has been decided before."""
    if not (yield from fresh(settling, command, DESK)):
        return
    state: Conversation = yield from settling.conversation(command.account, command.conversation)
    decision = yield from _judged(settling, command, state)
    if isinstance(decision, First):
        before = yield from settling.decide_roster(command.account, decision.command)
        yield from settling.rest()
        state = yield from settling.conversation(command.account, command.conversation)
        decision = before if isinstance(before, Refusal) else (yield from _judged(settling, command, state))
        if isinstance(decision, First):
            decision = Refusal(Code.NOT_ASSIGNED)  # the roster sees no need for what the conversation asks
    conclude(settling, command, state, decision, DESK)


def _judged(settling: Settling, command: Any, state: Conversation) -> Asking:
    """Return the conversation's decision, its facts having been fetched."""
    config = yield from settling.config(command.account)
    # Only a ready reply knows the visitor by name.
    by_name = state.seq > 0 and bool(getattr(command, "canned", ""))
    visitor = (yield from settling.visitor(state.account, state.terms.visitor)) if by_name else None
    settling.deciding = state
    return decide(state, Stamped(command, settling.at_ms, Facts(visitor, config)))
