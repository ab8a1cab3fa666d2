"""One command of the inbox, decided until the cell comes to rest.

Invariant: everything a command causes inside the cell happens here, first in first out, before the next command is
looked at; nothing here does I/O: what is needed is asked for (`Need`), what is changed is returned (`StepResult`).
Whoever runs a step sends it what it asks for, or closes it; nothing is ever thrown into it.
"""

from collections.abc import Callable, Generator
from typing import Any

from engine.core.answers import answer_from
from engine.core.asked import NO_FACTS, Stamped
from engine.core.by_agents import ABOUT_CONVERSATIONS, agent_asked
from engine.core.decide import Park, decide
from engine.core.ledger import DESK
from engine.core.numbered import fresh
from engine.core.ports import RosterPort
from engine.core.result import Logged, Need, Stamp, StepFailed, StepResult
from engine.core.settling import Asking, Settling
from engine.core.timers import EMAIL, INACTIVITY, KINDS
from engine.core.visiting import company_asked, needed, visitor_asked, visitor_met
from protocol.bus.commands import (
    Admit,
    AnyCommand,
    Asked,
    CompanySends,
    GatewayLost,
    LogOut,
    NoteContext,
    PublishConfig,
    SetAnalytics,
    TimerFired,
    VisitorAnswers,
    VisitorCloses,
    VisitorRates,
    VisitorSends,
    VisitorWithdraws,
)
from protocol.bus.effects import RosterConfig
from protocol.ids import AccountId, ConversationId

__all__ = ["Logged", "Need", "Stamp", "StepFailed", "StepResult", "needs", "park", "step"]

_CONVERSATION_TIMERS = frozenset(KINDS)
_JUDGED_BY_FACTS = frozenset({EMAIL, INACTIVITY})  # the timers whose effect depends on more than the conversation


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
    asked = needed(command)
    if asked is not None:
        return asked
    match command:
        case Asked() if type(command) in ABOUT_CONVERSATIONS:
            ledger = Need("ledger", command.account, DESK, command.origin.device)
            return [Need("conversation", command.account, getattr(command, "conversation", "")), ledger]
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


def _roster_asked(settling: Settling, command: Asked) -> Asking:
    if not (yield from fresh(settling, command, DESK)):
        return
    decision = yield from settling.decide_roster(command.account, command)
    yield from settling.rest()  # first, so that the outcome can name the entry it led to
    answer_from(settling.result, command, decision, DESK)


def _timer_fired(settling: Settling, command: TimerFired) -> Asking:
    if command.kind not in _CONVERSATION_TIMERS:
        yield from settling.decide_roster(command.account, command)
        return
    state = yield from settling.conversation(command.account, ConversationId(command.owner))
    facts = (yield from settling.facts(state)) if command.kind in _JUDGED_BY_FACTS else NO_FACTS
    settling.deciding = state
    settling.conclude(state, decide(state, Stamped(command, settling.at_ms, facts)))


def _config_published(settling: Settling, command: PublishConfig) -> Asking:
    roster = yield from settling.roster(command.account)
    config = yield from settling.config(command.account)
    if roster is not None and config is not None:  # a roster that is yet to come will begin with it
        yield from settling.decide_roster(command.account, RosterConfig(command.account, ConversationId(""), config))


def _gateway_lost(settling: Settling, command: GatewayLost) -> Asking:
    accounts = yield Need("roster_accounts", AccountId(""))
    for account in accounts:
        yield from settling.decide_roster(account, command)


_RUNS: dict[type, Callable[[Settling, Any], Asking]] = {
    **dict.fromkeys((Admit, LogOut, VisitorWithdraws, SetAnalytics, NoteContext), visitor_met),
    **dict.fromkeys((VisitorSends, VisitorAnswers, VisitorCloses, VisitorRates), visitor_asked),
    CompanySends: company_asked,
    **dict.fromkeys(ABOUT_CONVERSATIONS, agent_asked),
    PublishConfig: _config_published,
    GatewayLost: _gateway_lost,
    TimerFired: _timer_fired,
}
