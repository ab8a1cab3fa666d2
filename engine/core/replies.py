"""What an agent says: written by them, ready-made, or something to choose from (SPEC 8.7).

Invariant: what a visitor reads is made here: a ready reply with its variables filled in as the visitor may see them,
and the plain form of whatever content there is.
"""

import re

from engine.core.asked import Stamped
from engine.core.attaching import attached
from engine.core.contents import plain_form
from engine.core.conversation import Conversation
from protocol.bus.commands import AgentSends
from protocol.bus.config import AccountConfig, flow_at
from protocol.bus.decisions import Refusal
from protocol.bus.texts import fill, text_for
from protocol.wire import content
from protocol.wire.codes import Code
from protocol.wire.content import Author
from protocol.wire.limits import MAX_TEXT_CHARS

_BAD = Refusal(Code.BAD_CONTENT)
_EMPTY = Refusal(Code.EMPTY_TEXT)
_LOOSE = re.compile(r"[ \t]+(?=[,.!?;:])")  # what is left before a mark when there is no name to fill in


def reply(state: Conversation, asked: Stamped, by: Author) -> content.Message | Refusal:
    """Return the message that the command makes, or why it makes none."""
    command: AgentSends = asked.command
    if command.uploads:
        return attached(state, asked, by)
    if command.canned:
        text = _ready(state, asked, by) if command.content is None and not command.text else None
        return content.Message(by, text) if text is not None else _BAD
    if command.content is not None:
        text = plain_form(command.content, command.text)
        return content.Message(by, text, command.content) if text is not None else _BAD
    if not command.text or command.text.isspace():
        return _EMPTY
    return content.Message(by, command.text)


def _ready(state: Conversation, asked: Stamped, by: Author) -> str | None:
    """Return the text of a ready reply in the conversation's language; None if there is none of that id."""
    config = asked.facts.config
    assert config is not None
    canned = next((canned for canned in config.canned if canned.id == asked.command.canned), None)
    flow = flow_at(config, state.terms.chatflow, state.terms.version)
    if canned is None:
        return None
    text = text_for(canned.text, state.terms.locale, flow.language if flow is not None else "en")
    return _filled(text, state, asked, by) if text is not None else None


def _filled(text: str, state: Conversation, asked: Stamped, by: Author) -> str | None:
    config, visitor = asked.facts.config, asked.facts.visitor
    assert config is not None
    name = visitor.profile.name if visitor is not None and visitor.profile is not None else ""
    said = fill(
        text,
        agent=state.terms.alias or by.name,
        visitor=name,
        inbox=_inbox_name(config, state),
        conversation=state.id,
    )
    said = _LOOSE.sub("", said).strip() if not name and "{visitor}" in text else said
    return said if said and len(said) <= MAX_TEXT_CHARS else None


def _inbox_name(config: AccountConfig, state: Conversation) -> str:
    return next((inbox.name for inbox in config.inboxes if inbox.id == state.terms.inbox), "")
