"""Somebody says something: the visitor, or an agent.

Invariant: a visitor's word is taken only after all that must come before it, and wherever nobody has the conversation
it sets the search for somebody going; an agent's is taken only from whoever has it, so a word to one that nobody has
claims it first.
"""

from typing import Final

from msgspec.structs import replace

from engine.core import phases
from engine.core.access import author_of, colleague
from engine.core.asked import Decision, Stamped
from engine.core.attaching import attached
from engine.core.consent import before_message
from engine.core.contents import chosen
from engine.core.conversation import Conversation, reopenable
from engine.core.email import with_message
from engine.core.replies import reply
from engine.core.snoozing import awake
from engine.core.starting import continued, start
from protocol.bus.commands import AgentSends, ClaimConversation, VisitorSends
from protocol.bus.config import Agent, flow_at
from protocol.bus.decisions import First, Refusal
from protocol.ids import RuleId
from protocol.wire import content
from protocol.wire.codes import Code
from protocol.wire.content import VISITOR, AnyBody, Author, Started

_NOTHING: Final[list[AnyBody]] = []
_UNDER_WAY: Final = frozenset({phases.Waiting, phases.Talking})  # a message changes nothing else
_BLOCKED: Final = Refusal(Code.BLOCKED)


def visitor_sends(state: Conversation, asked: Stamped) -> Decision:
    """Return what happens because the visitor says something, or why it may not."""
    visitor = asked.facts.visitor
    if visitor is not None and visitor.blocked:
        return _BLOCKED
    message = _message(state, asked)
    # Asked for what is nearly always there: an isinstance that fails is dear (engine.core.phases).
    if not isinstance(message, content.Message):
        return message
    under_way = type(state.phase) in _UNDER_WAY
    opened = _NOTHING if under_way else _opened(state, asked)
    if not isinstance(opened, list):
        return opened
    before = before_message(state, asked)
    if not isinstance(before, list):
        return before
    besides = with_message(state, asked, message.text)
    if under_way and not before and not besides and not state.beside.snoozed_ms:
        return [message]  # so it is nearly always
    routed = _NOTHING if under_way else _routed(state, asked, opened)
    return [*opened, *before, *awake(state, "visitor"), message, *routed, *besides]


def _message(state: Conversation, asked: Stamped) -> content.Message | Refusal:
    command: VisitorSends = asked.command
    by = Author(VISITOR, command.visitor)
    if command.uploads:
        return attached(state, asked, by)
    if command.content is not None:
        text = chosen(state.beside.chooseable, command.content)
        return content.Message(by, text, command.content) if text is not None else Refusal(Code.BAD_CONTENT)
    if not command.text or command.text.isspace():
        return Refusal(Code.EMPTY_TEXT)
    return content.Message(by, command.text)


def agent_sends(state: Conversation, asked: Stamped) -> Decision:
    """Return what happens because an agent says something, or why it may not."""
    command: AgentSends = asked.command
    agent = colleague(state, asked)
    if not isinstance(agent, Agent):
        return agent
    phase = state.phase
    if isinstance(phase, phases.Talking):
        if phase.agent.id != agent.id:
            return Refusal(Code.NOT_ASSIGNED)
        message = reply(state, asked, phase.agent)
        return [message] if isinstance(message, content.Message) else message
    if isinstance(phase, phases.Closed):
        return Refusal(Code.CONVERSATION_CLOSED)
    message = reply(state, asked, author_of(agent))
    if isinstance(message, Refusal):
        return message
    claim = replace(command.origin, n=0)  # the send's n, not a second one, stands for both
    return First(ClaimConversation(command.account, claim, command.agent, command.conversation))


def _opened(state: Conversation, asked: Stamped) -> list[AnyBody] | Refusal:
    """Return what brings the conversation to where the visitor may speak: nothing, if they already may."""
    if state.seq == 0:
        started = start(asked)
        return started if isinstance(started, Refusal) else [started]
    if not isinstance(state.phase, phases.Closed):
        return []
    if not reopenable(state.phase.at_ms, state.terms.reopen_window_s, asked.at_ms):
        return continued(asked)
    return [content.Reopened(Author(VISITOR, asked.command.visitor))]


def _routed(state: Conversation, asked: Stamped, opened: list[AnyBody]) -> list[AnyBody]:
    """Return what the visitor's message sets going, if nobody has the conversation and nobody was sought."""
    match state.phase:
        case phases.NotStarted():
            started = opened[0]
            assert isinstance(started, Started)
            return [_sought(state, asked, started.rule, "started")]
        case phases.Gated() | phases.Ready():
            return [_sought(state, asked, state.terms.rule, "started")]
        case phases.Unassigned(since_ms=None):
            reason = "returned" if state.heard.visitor_ms else "started"
            return [_sought(state, asked, state.terms.rule, reason)]
        case phases.Closed(at_ms=closed_at_ms):
            reason = "returned" if _recent(state, asked, closed_at_ms) else "reopened"
            return [_sought(state, asked, state.terms.rule, reason)]
        case _:
            return []


def _sought(state: Conversation, asked: Stamped, rule: RuleId | None, reason: str) -> AnyBody:
    command, config = asked.command, asked.facts.config
    chatflow = state.terms.chatflow if state.seq else command.chatflow
    version = state.terms.version if state.seq else command.version
    flow = flow_at(config, chatflow, version) if config is not None else None
    away = flow is not None and asked.facts.away(flow, asked.at_ms)
    return content.Unrouted(away) if rule is None else content.Queued(reason, away)


def _recent(state: Conversation, asked: Stamped, closed_at_ms: int) -> bool:
    """Whether the last agent is to be preferred (product: returning visitor)."""
    if state.last_agent is None or asked.facts.config is None:
        return False
    rule = next((rule for rule in asked.facts.config.rules if rule.id == state.terms.rule), None)
    return rule is not None and asked.at_ms < closed_at_ms + rule.last_agent_window_s * 1000
