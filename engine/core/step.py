"""One command of the inbox, decided until the cell comes to rest.

Invariant: everything a command causes inside the cell happens here, first in first out, before the next command is
looked at; nothing here does I/O: what is needed is looked up (`Values`) and asked for if it is not at hand (`Absent`),
what is changed is returned (`StepResult`).
"""

from collections.abc import Callable
from typing import Any

from engine.core.answers import answer_from, entry_in
from engine.core.asked import NO_FACTS, Stamped
from engine.core.by_agents import agent_asked
from engine.core.decide import ASKED_BY_AGENTS, Park, decide
from engine.core.erasures import conversations_erased, person_erased
from engine.core.erasures import needed as needed_to_erase
from engine.core.ledger import DESK
from engine.core.numbered import fresh
from engine.core.result import Need, StepFailed
from engine.core.settling import Settling, Then
from engine.core.timers import EMAIL, INACTIVITY, KINDS
from engine.core.visiting import company_asked, needed, visitor_asked, visitor_met
from protocol.bus.commands import (
    Admit,
    AnyCommand,
    Asked,
    CompanySends,
    EraseConversations,
    ErasePerson,
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
from protocol.ids import ConversationId

_CONVERSATION_TIMERS = frozenset(KINDS)
_JUDGED_BY_FACTS = frozenset({EMAIL, INACTIVITY})  # the timers whose effect depends on more than the conversation


def begin(settling: Settling, command: AnyCommand) -> None:
    """Begin the step in which `command` and all it causes are decided; the one before has come to rest."""
    settling.deciding = None
    settling.then = (_RUNS.get(type(command), _roster_asked), command)


def park(settling: Settling, failed: StepFailed) -> None:
    """Set aside the conversation whose decider raised. After it, ask the command again: it will be refused `parked`."""
    assert failed.conversation is not None, "only conversations are parked"
    settling.inner.append(Park(failed.account, failed.conversation, type(failed.__cause__).__name__))


def needs(command: AnyCommand) -> list[Need]:
    """Return what deciding `command` asks for at the least, to be loaded ahead."""
    asked = needed(command)
    if asked is not None:
        return asked
    match command:
        case Asked() if type(command) in ASKED_BY_AGENTS:
            ledger = Need("ledger", DESK, command.origin.device)
            return [Need("conversation", getattr(command, "conversation", "")), ledger]
        case TimerFired() if command.kind in _CONVERSATION_TIMERS:
            return [Need("conversation", command.owner)]
        case ErasePerson() | EraseConversations():
            return needed_to_erase(command)
        case GatewayLost():
            return [Need("roster_accounts")]
        case Asked() if command.origin.n:
            return [Need("roster", command.account), Need("ledger", DESK, command.origin.device)]
        case _:
            return [Need("roster", command.account)]


def _roster_asked(settling: Settling, command: Asked) -> Then | None:
    if not fresh(settling, command, DESK):
        return None
    before = len(settling.result.events)
    return _roster_answers, (command, settling.decide_roster(command.account, command), before)


def _roster_answers(settling: Settling, asked: tuple[Asked, Any, int]) -> None:
    """Answer last, so that the outcome can name the entry to which the command led."""
    command, decision, before = asked
    answer_from(settling, command, decision, DESK, entry_in(settling.result.events[before:], command))


def _timer_fired(settling: Settling, command: TimerFired) -> None:
    if command.kind not in _CONVERSATION_TIMERS:
        settling.decide_roster(command.account, command)
        return
    state = settling.conversation(command.account, ConversationId(command.owner))
    facts = settling.facts(state) if command.kind in _JUDGED_BY_FACTS else NO_FACTS
    settling.conclude(state, decide(state, Stamped(command, settling.at_ms, facts)))


def _config_published(settling: Settling, command: PublishConfig) -> None:
    roster, config = settling.roster(command.account), settling.config(command.account)
    if roster is not None and config is not None:  # a roster that is yet to come will begin with it
        settling.decide_roster(command.account, RosterConfig(command.account, ConversationId(""), config))


def _gateway_lost(settling: Settling, command: GatewayLost) -> None:
    accounts = settling.values.roster_accounts()
    for account in accounts:
        settling.roster(account)  # all of them are at hand before the first is changed
    for account in accounts:
        settling.decide_roster(account, command)


_RUNS: dict[type, Callable[[Settling, Any], Then | None]] = {
    **dict.fromkeys((Admit, LogOut, VisitorWithdraws, SetAnalytics, NoteContext), visitor_met),
    **dict.fromkeys((VisitorSends, VisitorAnswers, VisitorCloses, VisitorRates), visitor_asked),
    CompanySends: company_asked,
    ErasePerson: person_erased,
    EraseConversations: conversations_erased,
    **dict.fromkeys(ASKED_BY_AGENTS, agent_asked),
    PublishConfig: _config_published,
    GatewayLost: _gateway_lost,
    TimerFired: _timer_fired,
}
