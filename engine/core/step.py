"""One command of the inbox, decided until the cell comes to rest.

Invariant: everything a command causes inside the cell happens here, first in first out, before the next command is
looked at; nothing here does I/O: what is needed is asked for (`Need`), what is changed is returned (`StepResult`).
Whoever runs a step sends it what it asks for, or closes it; nothing is ever thrown into it.
"""

from collections.abc import Callable, Generator
from typing import Any

from engine.core.answers import answer_from, entry_of, outcome_of
from engine.core.asked import Decision, Facts, Stamped
from engine.core.conversation import Conversation, reopenable
from engine.core.decide import GATE, Park, decide, may_address
from engine.core.ledger import DESK, Fresh, Ledger
from engine.core.ports import RosterPort
from engine.core.result import Logged, Need, Stamp, StepFailed, StepResult
from engine.core.settling import Asking, Settling
from protocol.bus.commands import (
    Admit,
    AgentCloses,
    AgentSends,
    AnyCommand,
    Asked,
    GatewayLost,
    LogOut,
    PublishConfig,
    TimerFired,
    VisitorAnswers,
    VisitorCloses,
    VisitorSends,
)
from protocol.bus.decisions import Already, First, Refusal
from protocol.bus.effects import RosterConfig
from protocol.bus.records import VisitorRecord
from protocol.ids import AccountId, ConversationId
from protocol.wire.codes import Code

__all__ = ["Logged", "Need", "Stamp", "StepFailed", "StepResult", "needs", "park", "step"]

_FROM_VISITORS = frozenset({VisitorSends, VisitorAnswers, VisitorCloses})
_CONVERSATION_TIMERS = frozenset({GATE, "wake"})


def step(command: AnyCommand, stamp: Stamp, roster: RosterPort) -> Generator[Need, Any, StepResult]:
    """Decide `command` and all it causes; raises `StepFailed` if a decider does."""
    settling = Settling(stamp, roster)
    try:
        yield from _RUNS.get(type(command), _roster_asked)(settling, command)
        if settling.inner:
            yield from settling.rest()
    except Exception as error:
        raise _failed(settling) from error
    return settling.result


def park(failed: StepFailed, stamp: Stamp, roster: RosterPort) -> Generator[Need, Any, StepResult]:
    """Set aside the conversation whose decider raised. After it, ask the command again: it will be refused `parked`."""
    assert failed.conversation is not None, "only conversations are parked"
    settling = Settling(stamp, roster)
    try:
        yield from settling.decide_inner(Park(failed.account, failed.conversation, type(failed.__cause__).__name__))
        yield from settling.rest()
    except Exception as error:
        raise _failed(settling) from error
    return settling.result


def needs(command: AnyCommand) -> list[Need]:
    """Return what deciding `command` asks for at the least, to be loaded ahead."""
    match command:
        case VisitorSends() | VisitorAnswers() | VisitorCloses():
            conversation = Need("conversation", command.account, command.conversation)
            ledger = Need("ledger", command.account, command.conversation, command.origin.device)
            visitor = [] if isinstance(command, VisitorCloses) else [Need("visitor", command.account, command.visitor)]
            return [conversation, ledger, *visitor]
        case AgentSends() | AgentCloses():
            ledger = Need("ledger", command.account, DESK, command.origin.device)
            return [Need("conversation", command.account, command.conversation), ledger]
        case Admit() | LogOut():
            return [Need("visitor", command.account, command.visitor)]
        case TimerFired() if command.kind in _CONVERSATION_TIMERS:
            return [Need("conversation", command.account, command.owner)]
        case GatewayLost():
            return [Need("roster_accounts", AccountId(""))]
        case Asked() if command.origin.n:
            return [Need("roster", command.account), Need("ledger", command.account, DESK, command.origin.device)]
        case _:
            return [Need("roster", command.account)]


def _failed(settling: Settling) -> StepFailed:
    deciding = settling.deciding
    where = (deciding.account, deciding.id) if deciding is not None else (AccountId(""), None)
    return StepFailed(frozenset(settling.touched), *where)


def _visitor_asked(settling: Settling, command: VisitorSends | VisitorAnswers | VisitorCloses) -> Asking:
    state = yield from settling.conversation(command.account, command.conversation)
    if state.seq == 0 or not may_address(state, command):
        # Without a state of the visitor's own there is no ledger either: what is refused here consumes no n.
        decision = yield from _judged(settling, command, state)
        if not isinstance(decision, list):
            answer_from(settling.result, command, decision)
        elif (yield from _fresh(settling, command, command.conversation)):
            _conclude(settling, command, state, decision)
    elif (yield from _fresh(settling, command, command.conversation)):
        decision = yield from _judged(settling, command, state)
        _conclude(settling, command, state, decision)


def _judged(settling: Settling, command: VisitorSends | VisitorAnswers | VisitorCloses, state: Conversation) -> Asking:
    """Return the conversation's decision, its facts having been fetched."""
    if type(command) is VisitorCloses:
        return decide(state, Stamped(command, settling.at_ms))
    visitor = yield from settling.visitor(command.account, command.visitor)
    config = yield from settling.config(command.account)
    if visitor is None or config is None or visitor.account != command.account:
        return Refusal(Code.UNAVAILABLE)
    left = state.seq == 0 and (yield from _left(settling, command, visitor, state))
    return decide(state, Stamped(command, settling.at_ms, Facts(visitor, config, left)))


def _left(settling: Settling, command: Any, visitor: VisitorRecord, state: Conversation) -> Asking:
    """Return whether the cell has let go of the visitor's last conversation, which by their record may go on.

    That is early (its window was longer than a rebuilding knew, or a clock was wrong), and no reason to be silent.
    """
    last = visitor.current.get(command.chatflow) if command.chatflow is not None else None
    if last is None or last.closed_at_ms is None:
        return False
    if not reopenable(last.closed_at_ms, last.reopen_window_s, settling.at_ms):
        return False
    found = yield from settling.conversation(command.account, last.conversation)
    settling.deciding = state
    return found.seq == 0


def _agent_asked(settling: Settling, command: AgentSends | AgentCloses) -> Asking:
    if not (yield from _fresh(settling, command, DESK)):
        return
    state = yield from settling.conversation(command.account, command.conversation)
    decision = decide(state, Stamped(command, settling.at_ms))
    if isinstance(decision, First):
        before = yield from settling.decide_roster(command.account, decision.command)
        yield from settling.rest()
        state = yield from settling.conversation(command.account, command.conversation)
        decision = before if isinstance(before, Refusal) else decide(state, Stamped(command, settling.at_ms))
        if isinstance(decision, First):
            decision = Refusal(Code.NOT_ASSIGNED)  # the roster sees no need for what the conversation asks
    _conclude(settling, command, state, decision)


def _conclude(settling: Settling, command: Any, state: Conversation, decision: Decision) -> None:
    if isinstance(decision, list):
        settling.happen(state, decision, entry_of(command), command)
    owner = state.id if type(command) in _FROM_VISITORS else DESK
    answer_from(settling.result, command, decision, owner)


def _roster_asked(settling: Settling, command: Asked) -> Asking:
    if not (yield from _fresh(settling, command, DESK)):
        return
    decision = yield from settling.decide_roster(command.account, command)
    yield from settling.rest()  # first, so that the outcome can name the entry it led to
    answer_from(settling.result, command, decision, DESK)


def _visitor_met(settling: Settling, command: Admit | LogOut) -> Asking:
    decision = yield from settling.decide_visitor(command.account, command.visitor, command)
    answer_from(settling.result, command, decision if isinstance(decision, Refusal) else Already())


def _timer_fired(settling: Settling, command: TimerFired) -> Asking:
    if command.kind not in _CONVERSATION_TIMERS:
        yield from settling.decide_roster(command.account, command)
        return
    state = yield from settling.conversation(command.account, ConversationId(command.owner))
    decision = decide(state, Stamped(command, settling.at_ms))
    if isinstance(decision, list):
        settling.happen(state, decision, None, None)


def _config_published(settling: Settling, command: PublishConfig) -> Asking:
    roster = yield from settling.roster(command.account)
    config = yield from settling.config(command.account)
    if roster is not None and config is not None:  # a roster that is yet to come will begin with it
        yield from settling.decide_roster(command.account, RosterConfig(command.account, ConversationId(""), config))


def _gateway_lost(settling: Settling, command: GatewayLost) -> Asking:
    accounts = yield Need("roster_accounts", AccountId(""))
    for account in accounts:
        yield from settling.decide_roster(account, command)


def _fresh(settling: Settling, command: Asked, owner: str) -> Asking:
    """Return whether the frame is to be decided; if it is not, it has been answered."""
    origin = command.origin
    if not origin.n:
        return True  # nobody counts what gateways ask by themselves
    ledger: Ledger = yield Need("ledger", command.account, owner, origin.device)
    check = ledger.check(origin.n, origin.id)
    if isinstance(check, Fresh):
        return True
    settling.result.outcome = (origin.gateway, outcome_of(command, check))
    return False


_RUNS: dict[type, Callable[[Settling, Any], Asking]] = {
    Admit: _visitor_met,
    LogOut: _visitor_met,
    VisitorSends: _visitor_asked,
    VisitorAnswers: _visitor_asked,
    VisitorCloses: _visitor_asked,
    AgentSends: _agent_asked,
    AgentCloses: _agent_asked,
    PublishConfig: _config_published,
    GatewayLost: _gateway_lost,
    TimerFired: _timer_fired,
}
