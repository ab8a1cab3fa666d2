"""The steps in which a person, or conversations whose time is over, are erased.

Invariant: the conversations come first, and all that their ends cause; what is left of the visitor is written last.
A conversation that the cell has let go of comes back for its last entry, as its tombstones left it.
"""

from collections.abc import Iterable

from engine.core.asked import Stamped
from engine.core.conversation import Conversation
from engine.core.decide import decide
from engine.core.result import Need
from engine.core.settling import Settling, Then
from engine.core.snapshot import thaw
from protocol.bus.commands import Emptied, EraseConversations, ErasePerson
from protocol.bus.effects import Erase
from protocol.ids import AccountId, ConversationId, VisitorId


def person_erased(settling: Settling, command: ErasePerson) -> Then:
    """Erase the visitor's conversations, then the visitor."""
    record = settling.visitor(command.visitor) or command.record
    known = [current.conversation for current in record.current.values()] if record is not None else []
    _erase(settling, command.account, _states(settling, command.account, command.conversations, known), command.visitor)
    return _visitor_erased, command


def conversations_erased(settling: Settling, command: EraseConversations) -> None:
    """Erase those of the conversations that are closed."""
    _erase(settling, command.account, _states(settling, command.account, command.conversations), None)


def needed(command: ErasePerson | EraseConversations) -> list[Need]:
    """Return what such a command asks for at the least."""
    conversations = [Need("conversation", each.conversation) for each in command.conversations]
    return [Need("visitor", command.visitor), *conversations] if isinstance(command, ErasePerson) else conversations


def _visitor_erased(settling: Settling, command: ErasePerson) -> None:
    settling.decide_visitor(command.account, command.visitor, command)


def _states(
    settling: Settling, account: AccountId, told: Iterable[Emptied], known: Iterable[ConversationId] = ()
) -> list[Conversation]:
    """Return all of them before the first is changed: one that must be loaded leaves nothing half done."""
    emptied = {**dict.fromkeys(known, b""), **{each.conversation: each.state for each in told}}
    states = []
    for id_, stored in emptied.items():
        state = settling.conversation(account, id_)
        cold = thaw(stored) if state.seq == 0 and stored else None
        states.append(state if cold is None else cold)
    return states


def _erase(settling: Settling, account: AccountId, states: list[Conversation], visitor: VisitorId | None) -> None:
    for state in states:
        settling.deciding = state
        settling.conclude(state, decide(state, Stamped(Erase(account, state.id, visitor), settling.at_ms)))
