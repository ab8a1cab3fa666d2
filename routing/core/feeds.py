"""What others see of the roster: the rows of each agent's and each inbox's feed, and of the rules'.

Invariant: a row follows from the roster alone, so that a feed's changes, applied in order, give the rows of a fresh
snapshot (SPEC 8.3).
"""

from protocol.bus import topics
from protocol.bus.effects import FeedUpdate
from protocol.ids import AgentId, ConversationId, OfferId, RuleId
from routing.core.events import ConversationReleased
from routing.core.presence import Member
from routing.core.queue import Held, Offered, Talking, Unassigned
from routing.core.state import Roster, Row

STATE = "state"
STATUS = {Offered: "offered", Talking: "assigned", Unassigned: "unassigned"}  # of a row in an inbox; else waiting


def offer_change(roster: Roster, agent: AgentId, offer: OfferId, what: str) -> FeedUpdate:
    """Return the change of one offer's row in its agent's feed; `what`: offered, withdrawn."""
    feed = topics.agent_feed(roster.account, agent)
    return FeedUpdate(feed, what, f"offer:{offer}", _offer_row(roster, agent, offer))


def work_change(roster: Roster, agent: AgentId, conversation: ConversationId, what: str) -> FeedUpdate:
    """Return the change of one conversation's row in an agent's feed; `what`: assigned, taken."""
    feed = topics.agent_feed(roster.account, agent)
    member = roster.members[agent]
    return FeedUpdate(feed, what, f"conversation:{conversation}", _work_row(member, conversation))


def state_change(roster: Roster, agent: AgentId) -> FeedUpdate:
    """Return the change of an agent's own state in their feed."""
    return FeedUpdate(topics.agent_feed(roster.account, agent), STATE, STATE, _state_row(roster.members[agent]))


def inbox_change(roster: Roster, conversation: ConversationId, what: str) -> FeedUpdate:
    """Return the change of a conversation's row in its inbox's feed; `what`: new, waiting, claimed."""
    held = roster.held[conversation]
    return FeedUpdate(topics.inbox_feed(roster.account, held.inbox), what, conversation, _inbox_row(held))


def released_change(roster: Roster, event: ConversationReleased) -> FeedUpdate:
    """Return the end of a conversation's row in its inbox's feed."""
    return FeedUpdate(topics.inbox_feed(roster.account, event.inbox), "closed", event.conversation, None)


def rule_changes(roster: Roster) -> list[FeedUpdate]:
    """Return the changes by the last event of what visitors are told of rules."""
    feed = topics.rules_feed(roster.account)
    return [FeedUpdate(feed, "rule", rule, _rule_row(roster, rule)) for rule in roster.last.rules]


def rule_rows(roster: Roster) -> dict[str, Row]:
    """Return what visitors are told of each rule: whether somebody is there, and how soon replies come."""
    rows: dict[str, Row | None] = {rule.id: _rule_row(roster, rule.id) for rule in roster.staffing.rules}
    return {rule: row for rule, row in rows.items() if row is not None}


def all_rows(roster: Roster) -> dict[str, dict[str, Row]]:
    """Return the rows of every feed that has any, by feed and key."""
    rows: dict[str, dict[str, Row]] = {}
    if roster.staffing.rules:
        rows[topics.rules_feed(roster.account)] = rule_rows(roster)
    for held in roster.held.values():
        rows.setdefault(topics.inbox_feed(roster.account, held.inbox), {})[held.conversation] = _inbox_row(held)
    for member in roster.members.values():
        mine = _agent_rows(roster, member)
        if mine:
            rows[topics.agent_feed(roster.account, member.agent)] = mine
    return rows


def _agent_rows(roster: Roster, member: Member) -> dict[str, Row]:
    offers = {f"offer:{offer}": _offer_row(roster, member.agent, offer) for offer in member.offers}
    work = {f"conversation:{conversation}": _work_row(member, conversation) for conversation in member.conversations}
    every = {STATE: _state_row(member), **offers, **work}
    return {key: row for key, row in every.items() if row is not None}


def _offer_row(roster: Roster, agent: AgentId, offer: OfferId) -> Row | None:
    conversation = roster.members[agent].offers.get(offer)
    if conversation is None:
        return None
    held = roster.held[conversation]
    assert isinstance(held.phase, Offered)
    deadline_ms = held.phase.deadline_ms
    return {"offer": offer, "conversation": conversation, "inbox": held.inbox, "deadline_ms": deadline_ms}


def _work_row(member: Member, conversation: ConversationId) -> Row | None:
    since_ms = member.conversations.get(conversation)
    return None if since_ms is None else {"conversation": conversation, "since_ms": since_ms}


def _state_row(member: Member) -> Row | None:
    return {"state": member.seems} if member.connected else None


def _rule_row(roster: Roster, rule_id: RuleId) -> Row | None:
    rule = roster.staffing.rule(rule_id)
    line = None if rule is None else roster.line_of(rule.id, rule.inbox)
    if rule is None or line is None:
        return None
    replies = roster.replies.get(rule.inbox)
    return {"ready": line.there, "reply": "" if replies is None else replies.span}


def _inbox_row(held: Held) -> Row:
    status = STATUS.get(type(held.phase), "waiting")
    agent = held.phase.agent if type(held.phase) is Offered or type(held.phase) is Talking else None
    row = {"conversation": held.conversation, "status": status, "since_ms": held.since_ms, "agent": agent}
    if type(held.phase) is Unassigned and held.phase.reminded:
        row |= {"reminded": held.phase.reminded, "supervisors": held.phase.supervisors}
    return row
