"""The step in which a phone's user logs in, and what was begun on it becomes theirs (SPEC 3.9).

Invariant: it happens whole, in one step, or not at all: all that it needs is looked at before anything is changed. Said
again it changes nothing. A frame that the phone sends again is known by its id under the new name too.
"""

from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from engine.core.answers import answer_from
from engine.core.asked import Stamped
from engine.core.changed import Changed
from engine.core.conversation import Conversation, reopenable
from engine.core.decide import decide
from engine.core.merging import Leaves, LogsIn, why_not
from engine.core.phases import ROUTED, Closed, Parked
from engine.core.result import Need
from engine.core.settling import Settling
from engine.core.snapshot import thaw
from protocol.bus.commands import Admit, Begun
from protocol.bus.config import AccountConfig
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import TakeOver
from protocol.bus.records import Outcome, VisitorRecord
from protocol.ids import ChatflowId, ConversationId, DeviceId, conversation_id
from protocol.wire.codes import Code

MAX_BEHIND = 32  # of a chatflow: what was begun since SQL was last written is newer than that
_OUTCOME = msgspec.msgpack.Decoder(Outcome)


class _Found(NamedTuple):
    """A conversation that was begun, and what became of this phone's frames in it."""

    state: Conversation
    outcomes: list[Outcome]


def logged_in(settling: Settling, command: Admit) -> None:
    """Let in who logged in, with all that they began on this phone; or refuse, and nothing has moved."""
    assert command.begun is not None, "this is of who began something"
    begun = settling.visitor(command.begun.visitor) or command.begun.record
    if begun is not None and begun.merged == command.visitor:
        decision = settling.decide_visitor(command.account, command.visitor, replace(command, presented=[], begun=None))
        answer_from(settling, command, decision if isinstance(decision, Refusal) else Already())
        return
    config = settling.config(command.account)
    no = why_not(begun, command) if config is not None else Refusal(Code.UNAVAILABLE)
    if no is not None:
        answer_from(settling, command, no)
        return
    assert begun is not None
    assert config is not None
    answer_from(settling, command, _moved(settling, command, begun, config))


def needed(command: Admit) -> list[Need]:
    """Return what such a command asks for at the least."""
    begun = command.begun
    assert begun is not None
    conversations = [Need("conversation", each.conversation) for each in begun.conversations]
    return [Need("visitor", command.visitor), Need("visitor", begun.visitor), *conversations]


def _moved(settling: Settling, command: Admit, begun: VisitorRecord, config: AccountConfig) -> Already | Refusal:
    what = command.begun
    assert what is not None
    found = _found(settling, what, begun, config)
    there = {each.state.id: each.state for each in found}
    if not all(current.conversation in there for current in begun.current.values()):
        return Refusal(Code.UNAVAILABLE)  # the cell let go of it just now: to be asked again, with what SQL has
    # Of those that were erased nothing is left, and their last entry was made.
    found = [each for each in found if not _is_erased(each.state)]
    left = {flow: each for flow, each in begun.current.items() if not _is_erased(there[each.conversation])}
    begun, own = replace(begun, current=left), settling.visitor(command.visitor) or command.record
    rivals = _rivals(settling, own, begun)
    goes_on = {flow: _livelier(there[each.conversation], rivals.get(flow), settling) for flow, each in left.items()}
    for each in found:  # at hand before anything is changed
        settling.values.ledger(each.state.id, command.device)
    decision = settling.decide_visitor(command.account, command.visitor, LogsIn(command, begun, goes_on))
    if not isinstance(decision, Changed):
        assert isinstance(decision, Refusal), "who logs in is changed by it"
        return decision
    settling.decide_visitor(command.account, begun.id, Leaves(begun, command.visitor))
    others = {left[flow].conversation: rival.id for flow, rival in rivals.items()}
    others |= {rival: here for here, rival in others.items()}
    for state in (*(each.state for each in found), *rivals.values()):
        over = goes_on.get(state.terms.chatflow, "") != state.id
        taken = TakeOver(command.account, state.id, command.visitor, over, others.get(state.id, ""))
        settling.deciding = state
        settling.conclude(state, decide(state, Stamped(taken, settling.at_ms)))
    _remember(settling, command.device, found)
    return Already()


def _remember(settling: Settling, device: DeviceId, found: list[_Found]) -> None:
    """Let frames that the phone sends again be known of what is a device of another visitor's now."""
    for each in found:
        for outcome in each.outcomes:
            settling.remember(each.state.id, device, replace(outcome, device=device))


def _found(settling: Settling, what: Begun, begun: VisitorRecord, config: AccountConfig) -> list[_Found]:
    """Return all that the anonymous visitor has, from the cell or as SQL kept it."""
    kept = {each.conversation: each for each in what.conversations}
    names = {current.conversation: None for current in begun.current.values()}
    for flow, current in begun.current.items():
        ordinals = range(current.ordinal, max(current.ordinal - MAX_BEHIND, 0), -1)
        names |= dict.fromkeys(conversation_id(config.id_key, begun.id, flow, ordinal) for ordinal in ordinals)
    found = []
    for name in {**names, **dict.fromkeys(kept)}:
        state = settling.conversation(begun.account, name)
        if state.seq == 0 and name in kept:
            cold = thaw(kept[name].state)
            if cold is not None and cold.terms.visitor == begun.id:
                found.append(_Found(cold, [_OUTCOME.decode(each) for each in kept[name].outcomes]))
        elif state.seq and state.terms.visitor == begun.id:
            found.append(_Found(state, settling.values.ledger(name, what.device).outcomes))
    return found


def _rivals(settling: Settling, own: VisitorRecord | None, begun: VisitorRecord) -> dict[ChatflowId, Conversation]:
    """Return what the user has that goes on, or can be reopened, under a chatflow of the phone's."""
    rivals: dict[ChatflowId, Conversation] = {}
    for flow in begun.current if own is not None else ():
        mine = own.current.get(flow) if own is not None else None
        state = settling.conversation(begun.account, mine.conversation) if mine is not None else None
        if state is not None and state.seq and _weight(state, settling.at_ms)[0]:
            rivals[flow] = state
    return rivals


def _livelier(here: Conversation, rival: Conversation | None, settling: Settling) -> ConversationId:
    """Return which of two goes on: of two alike the user's own."""
    if rival is None or _weight(here, settling.at_ms) > _weight(rival, settling.at_ms):
        return here.id
    return rival.id


def _weight(state: Conversation, at_ms: int) -> tuple[int, int]:
    """Return what speaks for going on with it: that it is talked in, that it is open, that it was stirred last."""
    phase, heard = state.phase, state.heard
    if isinstance(phase, Parked) or _is_erased(state):
        return 0, heard.stirred_ms
    if isinstance(phase, Closed):
        return int(reopenable(phase.at_ms, state.terms.reopen_window_s, at_ms)), heard.stirred_ms
    return 3 if type(phase) in ROUTED else 2, heard.stirred_ms


def _is_erased(state: Conversation) -> bool:
    return isinstance(state.phase, Closed) and state.phase.erased
