"""What becomes of a conversation, and of a visitor's record, that is erased (product §10, SPEC 7.5).

Invariant: the log keeps every place and says nothing; what is erased takes no word any more, and no command brings
anything back. A visitor keeps the names of their conversations only, so that the next one has a name of its own.
"""

from msgspec.structs import replace

from engine.core import phases
from engine.core.asked import Decision, Stamped
from engine.core.changed import Became, Changed
from engine.core.conversation import Conversation
from protocol.bus.commands import ErasePerson
from protocol.bus.decisions import Already
from protocol.bus.effects import Erase, Keep
from protocol.bus.facts import PersonErased
from protocol.bus.records import CurrentConversation, VisitorRecord
from protocol.wire import content
from protocol.wire.content import Author, Role

_SYSTEM = Author(Role.SYSTEM, "")


def erase(state: Conversation, asked: Stamped) -> Decision:
    """Return its end, if it is not over, and that nothing of it is left."""
    command: Erase = asked.command
    match state.phase:
        case phases.NotStarted() | phases.Closed(erased=True):
            return Already()
        case phases.Closed():
            return [content.Erased()]
        case phases.Parked():
            return Already() if command.visitor is None else [content.Erased()]
        case _ if command.visitor is None:
            return Already()  # its time is not over while somebody talks
        case _:
            return [content.Closed(_SYSTEM, "erased"), content.Erased()]


def erase_visitor(record: VisitorRecord | None, command: ErasePerson, at_ms: int) -> Became:
    """Return what is left of a visitor: ids and times."""
    if record is None or record.account != command.account or record.erased == command.erasure:
        return Already()
    over = {flow: _over(current, at_ms) for flow, current in record.current.items()}
    names = (record.id, record.account, record.app, record.identified)
    times = (record.created_at_ms, record.seen_at_ms)
    left = VisitorRecord(
        *names, *times, {}, {}, over, blocked=record.blocked, erased=command.erasure, merged=record.merged
    )
    return Changed(left, [Keep(PersonErased(record.account, record.id, command.erasure, command.contact))])


def _over(current: CurrentConversation, at_ms: int) -> CurrentConversation:
    closed_at_ms = at_ms if current.closed_at_ms is None else current.closed_at_ms
    return replace(current, closed_at_ms=closed_at_ms, reopen_window_s=0, survey_until_ms=0)
