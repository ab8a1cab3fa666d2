"""What agents do with a conversation beside answering it: notes, tags, fields, priority, block.

Invariant: any agent of the inbox may, whoever has the conversation, and when it is closed too. What changes nothing
makes no event.
"""

from typing import Final

from engine.core.access import author_of, colleague, has_access
from engine.core.asked import Decision, Stamped, With
from engine.core.conversation import Conversation
from protocol.bus.commands import AddNote, BlockVisitor, ChangeTags, SetFields, SetPriority
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import NoteBlocked
from protocol.bus.staff import PRIORITIES
from protocol.wire import content
from protocol.wire.codes import Code
from protocol.wire.limits import MAX_TEXT_CHARS

MAX_TAGS: Final = 50
MAX_TAG_CHARS: Final = 50
MAX_FIELDS: Final = 50
MAX_FIELD_CHARS: Final = 500
MAX_MENTIONS: Final = 20
_TOO_LARGE: Final = Refusal(Code.TOO_LARGE)


def note(state: Conversation, asked: Stamped) -> Decision:
    """Return a word among colleagues; a supervisor may whisper it."""
    command: AddNote = asked.command
    agent = colleague(state, asked)
    if isinstance(agent, Refusal):
        return agent
    if command.whisper and not agent.supervisor:
        return Refusal(Code.NOT_PERMITTED)
    if not command.text or command.text.isspace():
        return Refusal(Code.EMPTY_TEXT)
    mentions = list(dict.fromkeys(command.mentions))
    if len(command.text) > MAX_TEXT_CHARS or len(mentions) > MAX_MENTIONS:
        return _TOO_LARGE
    config = asked.facts.config
    assert config is not None
    if not all(has_access(config, state.terms.inbox, mentioned) for mentioned in mentions):
        return Refusal(Code.NOT_FOUND)  # who cannot read it is not told of it
    return [content.Note(author_of(agent), command.text, mentions, command.whisper)]


def tag(state: Conversation, asked: Stamped) -> Decision:
    """Return tags put on and taken off."""
    command: ChangeTags = asked.command
    agent = colleague(state, asked)
    if isinstance(agent, Refusal):
        return agent
    tags = state.beside.tags
    removed = [tag for tag in dict.fromkeys(command.remove) if tag in tags and tag not in command.add]
    added = [tag for tag in dict.fromkeys(command.add) if tag not in tags]
    if len(tags) + len(added) - len(removed) > MAX_TAGS or any(len(tag) > MAX_TAG_CHARS for tag in added):
        return _TOO_LARGE
    if any(not tag or tag.isspace() for tag in added):
        return Refusal(Code.EMPTY_TEXT)
    return [content.TagsChanged(author_of(agent), added, removed)] if added or removed else Already()


def set_fields(state: Conversation, asked: Stamped) -> Decision:
    """Return custom fields set, or removed by ""."""
    command: SetFields = asked.command
    agent = colleague(state, asked)
    if isinstance(agent, Refusal):
        return agent
    before = state.beside.fields
    changed = {name: value for name, value in command.fields.items() if before.get(name, "") != value}
    kept = [name for name, value in {**before, **changed}.items() if value]
    if len(kept) > MAX_FIELDS or any(len(value) > MAX_FIELD_CHARS for value in changed.values()):
        return _TOO_LARGE
    return [content.FieldsSet(author_of(agent), changed)] if changed else Already()


def set_priority(state: Conversation, asked: Stamped) -> Decision:
    """Return the place it takes in its queue."""
    command: SetPriority = asked.command
    agent = colleague(state, asked)
    if isinstance(agent, Refusal):
        return agent
    if command.priority not in PRIORITIES:
        return Refusal(Code.BAD_CONTENT)
    same = command.priority == state.beside.priority
    return Already() if same else [content.PrioritySet(author_of(agent), command.priority)]


def block(state: Conversation, asked: Stamped) -> Decision:
    """Return that the visitor may write no more, or again."""
    command: BlockVisitor = asked.command
    agent = colleague(state, asked)
    if isinstance(agent, Refusal):
        return agent
    return With([], [NoteBlocked(state.account, state.id, state.terms.visitor, command.on)])
