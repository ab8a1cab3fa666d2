"""What a scribe would have copied, judged: every word of every visitor, once, in order.

Invariant: commits are heard in the order of their numbers, and each is heard whole.
"""

import msgspec

from loadtests.checker.stories import Reader, Verdict
from loadtests.growth.crowd import Crowd
from loadtests.lean.frames import Heard, number_in
from protocol.bus.records import Commit
from protocol.ids import ConversationId

_EVENT = msgspec.msgpack.Decoder(Heard)


class Listener:
    """One who reads every log of a crowd."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._readers: dict[ConversationId, Reader] = {}

    def hear(self, commit: Commit) -> None:
        """Read what a commit adds to the logs."""
        for row in commit.log:
            event = _EVENT.decode(row.frame)
            if event.body is not None and event.body.kind == "message":
                reader = self._readers.get(row.conversation)
                if reader is None:
                    reader = self._readers[row.conversation] = Reader()
                reader.take(number_in(event.body.text))

    def verdict(self) -> Verdict:
        """Judge everything heard, against everything that was said."""
        found = Verdict()
        for conversation, said in zip(self._crowd.open, self._crowd.said, strict=True):
            found += self._readers.get(conversation, Reader()).verdict(said)
        return found
