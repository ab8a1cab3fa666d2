"""What a roster counts for others: how soon first replies come, ticket numbers, and who would be next.

Invariant: an account's ticket numbers are 1, 2, 3 … without a gap or a repeat.
"""

from protocol.bus.commands import AskWhoNext, TimerFired
from protocol.bus.decisions import Refusal, Told
from protocol.bus.effects import NoteReply, OpenTicket
from protocol.bus.records import NextInLine
from protocol.ids import InboxId
from protocol.wire.codes import Code
from routing.core import timers
from routing.core.events import RepliesForgotten, ReplyNoted, TicketNumbered
from routing.core.explain import LEAST, NEXT, counts, reasons
from routing.core.log import AnyRosterEvent
from routing.core.replies import Replies
from routing.core.state import Roster


def note_reply(command: NoteReply, at_ms: int) -> list[AnyRosterEvent]:
    """Count a first human word."""
    return [ReplyNoted(at_ms, command.inbox, max(command.waited_ms, 0))]


def forget_replies(roster: Roster, timer: TimerFired, at_ms: int) -> list[AnyRosterEvent]:
    """Let go of what is too old to tell anything."""
    replies = roster.replies.get(InboxId(timer.key))
    if replies is None or not replies.last or replies.generation != timer.generation:
        return []
    return [RepliesForgotten(at_ms, InboxId(timer.key))]


def recount(roster: Roster, event: ReplyNoted | RepliesForgotten) -> None:
    """Make true what follows for what visitors are told of the typical reply."""
    replies = roster.replies.setdefault(event.inbox, Replies())
    before, span = timers.of_replies(event.inbox, replies), replies.span
    replies.forget(event.at_ms)
    if isinstance(event, ReplyNoted):
        replies.note(event.at_ms, event.waited_ms)
    replies.measure()
    if replies.last and replies.forget_ms <= event.at_ms:
        replies.forget_ms, replies.generation = replies.due_ms, roster.seq
    roster.change_timers(before, timers.of_replies(event.inbox, replies))
    if replies.span != span:
        rules = (rule.id for rule in roster.staffing.rules if rule.inbox == event.inbox)
        roster.last.rules.update(dict.fromkeys(rules, True))


def number_ticket(roster: Roster, command: OpenTicket, at_ms: int) -> list[AnyRosterEvent]:
    """Give a conversation the next number."""
    return [TicketNumbered(at_ms, command.conversation, roster.tickets + 1)]


def who_next(roster: Roster, command: AskWhoNext) -> Told | Refusal:
    """Tell who would be asked now for a new conversation of a rule, and why not the others; nothing happens by it."""
    by, rule = roster.members.get(command.agent), roster.staffing.rule(command.rule)
    line = None if rule is None else roster.line_of(rule.id, rule.inbox)
    if by is None or rule is None or line is None or rule.inbox not in by.inboxes:
        return Refusal(Code.NOT_FOUND)
    agent = line.ring.first(lambda _: False)
    chosen = None if agent is None else (agent, LEAST if line.least_busy else NEXT)
    return Told(NextInLine(agent, reasons(roster, line, None, chosen).candidates, counts(line)))
