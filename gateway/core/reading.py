"""Everything one session reads: its readers by conversation, and the frames they make.

Invariant: nothing of a conversation is said before a committed page showed that this session may read it; a session
has at most `most` conversations open.
"""

from collections.abc import Callable, Sequence
from itertools import groupby

import msgspec

from gateway.core.actions import Action, Audience, Follow, Forward, ReadLog, Say, Unfollow
from gateway.core.resume import NOWHERE, Page, Place, Reader
from protocol.bus.records import Head
from protocol.bus.topics import Hint
from protocol.ids import ConversationId, EventId
from protocol.wire import client
from protocol.wire.codes import Code
from protocol.wire.content import Hidden
from protocol.wire.server import Caught, Receipts, Refused, Resync

MayRead = Callable[[ConversationId, Head | None], bool]


class Reading:
    """The readers of one session; `other` is whose receipts it is told."""

    def __init__(self, other: Audience, most: int) -> None:
        self._other = other
        self._most = most
        self._readers: dict[ConversationId, Reader] = {}

    def open(self, conversation: ConversationId) -> Reader | None:
        """Return the reader of a conversation that this session is known to be allowed to read."""
        reader = self._readers.get(conversation)
        return reader if reader is not None and reader.admitted else None

    def unread(self, conversation: ConversationId) -> list[Action]:
        """Answer what passes by where nothing is open: not found, or nothing while that is being found out."""
        is_asked = conversation in self._readers
        return [] if is_asked else [Say(refused(Code.NOT_FOUND, conversation=conversation))]

    @property
    def conversations(self) -> list[ConversationId]:
        return [conversation for conversation, reader in self._readers.items() if reader.admitted]

    def __contains__(self, conversation: ConversationId) -> bool:
        """Whether it is read, or being found out whether it may be."""
        return conversation in self._readers

    def attach(self, position: client.Position) -> list[Action]:
        """Begin (or begin anew) to read from `position` (SPEC 6.3)."""
        conversation = ConversationId(position.conversation)
        known = self._readers.get(conversation)
        if known is None and len(self._readers) >= self._most:
            return [Say(refused(Code.RATE_LIMITED, conversation=conversation))]
        reader = Reader(Place(position.seq, position.id) if position.seq else NOWHERE)
        reader.turn = known.turn if known else 0
        self._readers[conversation] = reader
        return [*([] if known else [Follow(conversation)]), self._read(conversation, reader)]

    def detach(self, conversation: ConversationId) -> list[Action]:
        """Read no more of it (SPEC 6.6)."""
        return [Unfollow(conversation)] if self._readers.pop(conversation, None) else []

    def detach_where(self, gone: Callable[[Reader], bool]) -> list[Action]:
        """Take away what this session may read no more."""
        leaving = [conversation for conversation, reader in self._readers.items() if gone(reader)]
        actions: list[Action] = []
        for conversation in leaving:
            actions += [*self.detach(conversation), Say(refused(Code.NOT_FOUND, conversation=conversation))]
        return actions

    def hinted(self, conversation: ConversationId, hints: list[Hint]) -> tuple[list[Hint], list[Action]]:
        """Take hints; return the entries that go to the client now, and what to do."""
        reader = self._readers.get(conversation)
        if reader is None:
            return [], []
        entries = reader.hinted(hints)
        if entries is None:
            return [], [self._read(conversation, reader)]
        return entries, shown(conversation, entries)

    def take(
        self, conversation: ConversationId, turn: int, page: Page, may_read: MayRead
    ) -> tuple[list[Hint], list[Action]]:
        """Take the page that a ReadLog asked for; return the entries that go to the client now, and what to do."""
        reader = self._readers.get(conversation)
        if reader is None or reader.turn != turn:
            return [], []
        if not may_read(conversation, page.head):
            return [], [*self.detach(conversation), Say(refused(Code.NOT_FOUND, conversation=conversation))]
        reader.admitted = True
        reader.head = page.head
        behind, had = 0 < reader.epoch < page.epoch, reader.place.seq
        merged = reader.take(page)
        actions: list[Action] = []
        if merged.resync or behind:  # what was read may stand, and what was acknowledged be lost: the epoch says so
            actions.append(Say(Resync(conversation, 1 if merged.resync else had + 1, page.epoch)))
        actions += shown(conversation, merged.entries)
        if merged.again:
            actions.append(self._read(conversation, reader))
        elif reader.announce:
            actions += self._caught_up(conversation, reader, page)
        return merged.entries, actions

    def checked(self, conversation: ConversationId, seq: int, epoch: int) -> list[Action]:
        """Take how far a log is said to be: the slow check, and the look after a lost subscription."""
        reader = self._readers.get(conversation)
        if reader is None or not reader.behind(seq, epoch):
            return []
        return [self._read(conversation, reader)]

    def _read(self, conversation: ConversationId, reader: Reader) -> Action:
        turn = reader.begin()
        return ReadLog(conversation, max(reader.place.seq, 1), turn)

    def _caught_up(self, conversation: ConversationId, reader: Reader, page: Page) -> list[Action]:
        reader.announce = False
        actions: list[Action] = []
        delivered, read = page.receipts.get(self._other, (0, 0))
        if delivered or read:
            actions.append(Say(Receipts(conversation, self._other, delivered, read)))
        actions.append(Say(Caught(conversation, reader.place.seq, reader.place.id, page.next_n)))
        return actions


def shown(conversation: ConversationId, entries: Sequence[Hint]) -> list[Action]:
    """Return what shows `entries` to their reader: stored frames as they are, runs of hidden ones as one (SPEC 7.4)."""
    actions: list[Action] = []
    for is_hidden, run in groupby(entries, key=_is_hidden):
        some = list(run)
        if is_hidden:
            actions.append(Say(Hidden(conversation, some[0].seq, some[-1].seq, EventId(some[-1].id))))
        else:
            actions.append(Forward([entry.frame for entry in some]))
    return actions


def _is_hidden(entry: Hint) -> bool:
    return not entry.frame


def raw_events(conversation: ConversationId, entries: Sequence[Hint]) -> list[msgspec.Raw]:
    """Return `entries` as the msgpack maps of a history page."""
    events: list[msgspec.Raw] = []
    for action in shown(conversation, entries):
        if isinstance(action, Forward):
            events += map(msgspec.Raw, action.frames)
        elif isinstance(action, Say):
            events.append(msgspec.Raw(_encode(action.frame)))
    return events


def refused(code: Code, text: str = "", /, **about: int | str) -> Refused:
    """Return the refusal `code` as sent; `about` are fields of Refused."""
    return Refused(code.wire, code.retryable, text or code.text, **about)  # type: ignore[arg-type]


_encode = msgspec.msgpack.Encoder().encode
