"""Attachments of a message: whether they may be sent here, and their plain form (SPEC 5.9).

Invariant: a message names an attachment of its own sender's, at most a day old, that none in this conversation named
before; so what is redacted with one message is shown by no other here.
"""

from typing import Final

from engine.core.admission import names_of
from engine.core.asked import Stamped
from engine.core.beside import Spent
from engine.core.conversation import Conversation
from protocol.bus.commands import AgentSends, Uploaded, VisitorSends
from protocol.bus.decisions import Refusal
from protocol.wire.codes import Code
from protocol.wire.content import Author, Event, Message
from protocol.wire.kinds import Files
from protocol.wire.limits import MAX_FILES, MAX_TEXT_CHARS

SENT_WITHIN_MS: Final = 23 * 3_600_000  # an hour before what was never sent is removed
REMEMBERED_MS: Final = 24 * 3_600_000  # longer than anything may be sent after it was uploaded
MAX_A_DAY: Final = 200  # in one conversation: all of them are remembered
_BAD: Final = Refusal(Code.BAD_ATTACHMENT)


def attached(state: Conversation, asked: Stamped, by: Author) -> Message | Refusal:
    """Return the message that names what was uploaded, or why it may not."""
    command: VisitorSends | AgentSends = asked.command
    at_ms = asked.at_ms
    if command.content is not None or (isinstance(command, AgentSends) and command.canned):
        return Refusal(Code.BAD_CONTENT)
    uploads, caption = command.uploads, command.text if not command.text.isspace() else ""
    ids = {uploaded.file.id for uploaded in uploads}
    if not 1 <= len(uploads) <= MAX_FILES or len(ids) < len(uploads):
        return _BAD
    if len(state.beside.spent) + len(uploads) > MAX_A_DAY and _in_a_day(state, at_ms) + len(uploads) > MAX_A_DAY:
        return Refusal(Code.RATE_LIMITED)
    if not all(_may_be_sent(state, asked, uploaded) for uploaded in uploads):
        return _BAD
    files = [uploaded.file for uploaded in uploads]
    text = "\n".join(filter(None, [caption, *(f"[{file.name}, {_size(file.size)}]" for file in files)]))
    return Message(by, text, Files(files, caption)) if len(text) <= MAX_TEXT_CHARS else Refusal(Code.TOO_LARGE)


def spent_after(spent: tuple[Spent, ...], event: Event, named: Files) -> tuple[Spent, ...]:
    """Return the attachments that were named within a day."""
    return (*spent_without(spent, event.at), *(Spent(file.id, event.seq, event.at) for file in named.files))


def spent_without(spent: tuple[Spent, ...], at_ms: int, redacted: int = 0) -> tuple[Spent, ...]:
    """Return what is left of them, those of the message `redacted` taken away."""
    # By time and not by number: a message that was redacted since must not move what else is remembered.
    return tuple(each for each in spent if at_ms - each.at_ms <= REMEMBERED_MS and each.seq != redacted)


def _in_a_day(state: Conversation, at_ms: int) -> int:
    return sum(at_ms - each.at_ms <= REMEMBERED_MS for each in state.beside.spent)


def _may_be_sent(state: Conversation, asked: Stamped, uploaded: Uploaded) -> bool:
    command: VisitorSends | AgentSends = asked.command
    spent = any(each.id == uploaded.file.id for each in state.beside.spent)
    if spent or asked.at_ms - uploaded.at_ms > SENT_WITHIN_MS:
        return False
    if isinstance(command, VisitorSends):  # theirs wherever they go on: a conversation may be over meanwhile
        return uploaded.sender in names_of(asked.facts.visitor, command)
    return uploaded.sender == command.agent and uploaded.conversation == command.conversation


def _size(size_bytes: int) -> str:
    kilobytes = -(-size_bytes // 1_000)
    return f"{kilobytes} kB" if kilobytes < 1_000 else f"{size_bytes / 1_000_000:.1f} MB"
