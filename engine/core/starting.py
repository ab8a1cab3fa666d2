"""Which conversation a visitor may start, and which one they are sent to instead.

Invariant: at most one conversation per visitor and chatflow is open or can be reopened, and both of two phones that
start it derive the same id (design: a conversation's id is a keyed hash of visitor, chatflow, ordinal).
"""

from typing import NamedTuple

from engine.core.asked import Stamped, flow_of
from engine.core.conversation import reopenable
from protocol.bus.config import AccountConfig, Chatflow, text_for
from protocol.bus.decisions import Refusal
from protocol.bus.records import VisitorRecord
from protocol.ids import ConversationId, conversation_id
from protocol.wire.codes import Code
from protocol.wire.content import Started


class Place(NamedTuple):
    """Where a visitor's next word under a chatflow belongs: in a conversation that exists, or in its next one."""

    conversation: ConversationId
    ordinal: int
    exists: bool


def place_of(config: AccountConfig, visitor: VisitorRecord, flow: Chatflow, at_ms: int, *, left: bool = False) -> Place:
    """Return the conversation to address now; `left`: not the last one, which the cell no longer has."""
    current = visitor.current.get(flow.id)
    if current is None:
        return Place(conversation_id(config.id_key, visitor.id, flow.id, 1), 1, exists=False)
    closed_at_ms = current.closed_at_ms
    if not left and (closed_at_ms is None or reopenable(closed_at_ms, current.reopen_window_s, at_ms)):
        return Place(current.conversation, current.ordinal, exists=True)
    ordinal = current.ordinal + 1
    return Place(conversation_id(config.id_key, visitor.id, flow.id, ordinal), ordinal, exists=False)


def start(asked: Stamped) -> Started | Refusal:
    """Return seq 1 of the conversation that the command names, the welcome frozen in it; or why it may not be."""
    command, facts = asked.command, asked.facts
    flow = flow_of(facts.config, command.chatflow) if facts.config else None
    if facts.visitor is None or facts.config is None or flow is None or not flow.enabled:
        return Refusal(Code.NO_CHATFLOW)
    place = place_of(facts.config, facts.visitor, flow, asked.at_ms, left=facts.left)
    if command.conversation != place.conversation:
        return _elsewhere(asked, facts.config, flow, place)
    if place.exists:
        return Refusal(Code.UNAVAILABLE)  # it is open and not here: a fault of ours
    return Started(
        chatflow=flow.id,
        version=flow.version,
        inbox=flow.inbox,
        rule=flow.rule,
        visitor=command.visitor,
        ordinal=place.ordinal,
        locale=command.locale,
        welcome=text_for(flow.welcome, command.locale, flow.language),
        reopen_window_s=flow.reopen_window_s,
        gated_ttl_s=flow.gated_ttl_s,
    )


def continued(asked: Stamped) -> Refusal:
    """Return the refusal of a conversation that is over for good: it names the one to use under the served chatflow."""
    command, facts = asked.command, asked.facts
    flow = flow_of(facts.config, command.chatflow) if facts.config else None
    if facts.visitor is None or facts.config is None or flow is None or not flow.enabled:
        return Refusal(Code.NO_CHATFLOW)
    return Refusal(Code.CONTINUED, instead=place_of(facts.config, facts.visitor, flow, asked.at_ms).conversation)


def _elsewhere(asked: Stamped, config: AccountConfig, flow: Chatflow, place: Place) -> Refusal:
    visitor = asked.command.visitor
    own = (conversation_id(config.id_key, visitor, flow.id, ordinal) for ordinal in range(place.ordinal + 1, 0, -1))
    if asked.command.conversation in own:
        return Refusal(Code.CONTINUED, instead=place.conversation)
    return Refusal(Code.NOT_FOUND)
