"""What visitors ask, what their apps tell, and what the company says to them: fetched, judged and concluded.

Invariant: a conversation is judged with its visitor's record at hand, and the record is the cell's own; where there is
no conversation of the visitor's yet, what is refused stores and consumes nothing.
"""

from typing import Any

from msgspec.structs import replace

from engine.core.answers import answer_from
from engine.core.asked import Decision, Stamped
from engine.core.conversation import Conversation, reopenable
from engine.core.decide import decide, may_address
from engine.core.joining import logged_in
from engine.core.joining import needed as needed_to_join
from engine.core.numbered import conclude, fresh
from engine.core.result import Need
from engine.core.settling import Settling, Then
from protocol.bus.commands import (
    Admit,
    AnyCommand,
    Begun,
    CompanySends,
    LogOut,
    NoteContext,
    SetAnalytics,
    VisitorAnswers,
    VisitorCloses,
    VisitorRates,
    VisitorSends,
    VisitorWithdraws,
)
from protocol.bus.decisions import Already, Refusal
from protocol.bus.records import VisitorRecord
from protocol.wire.codes import Code

VisitorFrame = VisitorSends | VisitorAnswers | VisitorCloses | VisitorRates
_STARTING = frozenset({VisitorSends, VisitorAnswers})


def visitor_asked(settling: Settling, command: VisitorFrame) -> None:
    """Decide a numbered frame of a visitor's."""
    state = settling.conversation(command.account, command.conversation)
    if state.seq == 0 or not may_address(state, command):
        # Without a state of the visitor's own there is no ledger either: what is refused here consumes no n.
        asker = settling.visitor(command.visitor)
        # Whoever has logged in meanwhile asks again as who they are now.
        gone = asker is not None and asker.merged
        decision = Refusal(Code.UNAVAILABLE) if gone else _judged(settling, command, state)
        if isinstance(decision, Refusal | Already):
            answer_from(settling, command, decision)
        elif fresh(settling, command, command.conversation):
            conclude(settling, command, state, decision, state.id)
    elif fresh(settling, command, command.conversation):
        conclude(settling, command, state, _judged(settling, command, state), state.id)


def visitor_met(settling: Settling, command: Admit | LogOut | VisitorWithdraws | SetAnalytics | NoteContext) -> None:
    """Decide what is of the visitor's record alone."""
    if isinstance(command, Admit) and command.begun is not None:
        logged_in(settling, command)
        return
    if isinstance(command, VisitorWithdraws) and command.record is not None:
        command = _of_whom_they_are(settling, command)
    decision = settling.decide_visitor(command.account, command.visitor, command)
    answer_from(settling, command, decision if isinstance(decision, Refusal) else Already())


def _of_whom_they_are(settling: Settling, command: VisitorWithdraws) -> VisitorWithdraws:
    """Return what the company asks for a visitor, who may have logged in while it was on its way."""
    record = settling.visitor(command.visitor)
    return replace(command, visitor=record.merged, record=None) if record is not None and record.merged else command


def company_asked(settling: Settling, command: CompanySends) -> Then | None:
    """Decide whom the company writes to, who may never have been here."""
    met = settling.decide_visitor(command.account, command.visitor, command)
    if isinstance(met, Refusal):
        answer_from(settling, command, met)
        return None
    return _company_said, command


def _company_said(settling: Settling, command: CompanySends) -> None:
    """Decide what the company says, now that its visitor is known."""
    state = settling.conversation(command.account, command.conversation)
    conclude(settling, command, state, _judged(settling, command, state), state.id)


def needed(command: AnyCommand) -> list[Need] | None:
    """Return what such a command asks for at the least; None for a command of somebody else's."""
    match command:
        case VisitorSends() | VisitorAnswers() | VisitorCloses() | VisitorRates():
            ledger = Need("ledger", command.conversation, command.origin.device)
            return [Need("conversation", command.conversation), ledger, _record(command)]
        case CompanySends():
            return [Need("conversation", command.conversation), _record(command)]
        case Admit(begun=Begun()):
            return needed_to_join(command)
        case Admit() | LogOut() | VisitorWithdraws() | SetAnalytics() | NoteContext():
            return [_record(command)]
        case _:
            return None


def _record(command: Any) -> Need:
    return Need("visitor", command.visitor)


def _judged(settling: Settling, command: VisitorFrame | CompanySends, state: Conversation) -> Decision:
    """Return the conversation's decision, its facts having been fetched."""
    facts = settling.facts(state, command)
    visitor = facts.visitor
    if type(command) in _STARTING and (visitor is None or facts.config is None or visitor.account != command.account):
        return Refusal(Code.UNAVAILABLE)
    if state.seq == 0 and visitor is not None and _left(settling, command, visitor):
        facts = replace(facts, left=True)
    settling.deciding = state
    return decide(state, Stamped(command, settling.at_ms, facts))


def _left(settling: Settling, command: Any, visitor: VisitorRecord) -> bool:
    """Return whether the cell has let go of the visitor's last conversation, which by their record may go on.

    That is early (its window was longer than a rebuilding knew, or a clock was wrong), and no reason to be silent.
    """
    chatflow = getattr(command, "chatflow", None)
    last = visitor.current.get(chatflow) if chatflow is not None else None
    if last is None or last.closed_at_ms is None:
        return False
    if not reopenable(last.closed_at_ms, last.reopen_window_s, settling.at_ms):
        return False
    return settling.conversation(command.account, last.conversation).seq == 0
