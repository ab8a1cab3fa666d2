"""How many messages of others this person has not seen, by conversation.

Invariant: a message counts from its arrival until it is read, removed, or void by a resync; the reader's own never do.
"""

from collections.abc import Callable

from samtale.body import Erased, Message, Redacted
from samtale.events import LogEvent, Unread


class UnreadCounts:
    """`tell` is told of each count that changed. `role`: whose messages are one's own."""

    def __init__(self, role: str, tell: Callable[[Unread], None]) -> None:
        self._role = role
        self._tell = tell
        self._seqs: dict[str, list[int]] = {}
        self._read: dict[str, int] = {}
        self._told: dict[str, int] = {}

    @property
    def total(self) -> int:
        """Over all conversations."""
        return sum(map(len, self._seqs.values()))

    def saw(self, event: LogEvent) -> None:
        """Take an entry of the log; it is told with `settle`, once a log that is being read has been."""
        seqs = self._seqs.setdefault(event.conversation, [])
        match event.body:
            case Message(by, redacted=False) if by.role != self._role:
                if event.seq > self._read.get(event.conversation, 0):
                    seqs.append(event.seq)
            case Redacted(of=of) if of in seqs:
                seqs.remove(of)
            case Erased():
                seqs.clear()

    def read(self, conversation: str, seq: int) -> None:
        """Everything up to `seq` was seen."""
        self._read[conversation] = max(seq, self._read.get(conversation, 0))
        self._keep(conversation, lambda each: each > seq)
        self.settle(conversation)

    def void(self, conversation: str, first: int) -> None:
        """Everything from `first` on follows anew."""
        self._keep(conversation, lambda each: each < first)

    def settle(self, conversation: str) -> None:
        """Tell the count if it is another than was told last."""
        count = len(self._seqs.get(conversation, ()))
        if count != self._told.get(conversation, 0):
            self._told[conversation] = count
            self._tell(Unread(conversation, count))

    def forget(self) -> None:
        self._seqs, self._read, self._told = {}, {}, {}

    def freeze(self) -> dict[str, int]:
        return self._read

    def thaw(self, read: dict[str, int]) -> None:
        self._read = dict(read)

    def _keep(self, conversation: str, holds: Callable[[int], bool]) -> None:
        self._seqs[conversation] = [each for each in self._seqs.get(conversation, []) if holds(each)]
