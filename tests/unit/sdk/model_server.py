"""A server as SPEC 5 describes it, small enough to be believed: a gateway that may refuse, and an engine with a ledger.

Invariant: `log` holds what took effect, in order; nothing here knows how the outbox works.
"""

from collections import OrderedDict
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]
REMEMBERED = 32


@dataclass
class Ledger:
    """One series at the engine."""

    last: int = 0
    outcomes: OrderedDict[str, Frame] = field(default_factory=OrderedDict)
    log: list[str] = field(default_factory=list)

    def decide(self, frame: Frame, refuse: bool) -> Frame:
        about = {"n": frame["n"], "id": frame["id"], "conversation": frame["conversation"]}
        if frame["id"] in self.outcomes:
            return self.outcomes[frame["id"]]
        expected = self.last + 1
        if frame["n"] != expected:
            code = "out_of_order" if frame["n"] > expected else "n_conflict"
            return {"t": "refused", "code": code, "expected": expected, **about}
        self.last = expected
        if refuse:
            outcome = {"t": "refused", "code": "conversation_closed", "expected": 0, **about}
        else:
            self.log.append(frame["id"])
            outcome = {"t": "ack", "seq": len(self.log), **about}
        self.outcomes[frame["id"]] = outcome
        if len(self.outcomes) > REMEMBERED:
            self.outcomes.popitem(last=False)
        return outcome


class Server:
    """A gateway session before one ledger; `replies` are on their way to the client."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.past = [deepcopy(self.ledger)]
        self.line = 0
        self.inbox: list[tuple[int, Frame]] = []
        self.everything: list[tuple[int, Frame]] = []
        self.replies: list[Frame] = []
        self.passed: set[str] = set()
        self._refused_n: int | None = None

    def receive(self, frame: Frame, trouble: str = "") -> None:
        """The gateway takes a frame, or refuses it for `trouble`."""
        n = frame["n"]
        if self._refused_n is not None and n > self._refused_n:
            self._refuse(frame, "out_of_order", self._refused_n)
        elif trouble == "rate_limited" or (trouble and frame["id"] not in self.passed):
            # What once passed the gate passes it again: a grant is not undone by a new line.
            self._refused_n = n
            self._refuse(frame, trouble, n)
        else:
            if n == self._refused_n:
                self._refused_n = None
            self.inbox.append((self.line, frame))
            self.passed.add(frame["id"])
            self.everything.append((self.line, frame))

    def decide(self, refuse: bool = False) -> None:
        """The engine takes the next command; its outcome goes to the line that it came by, if that is still there."""
        if self.inbox:
            line, frame = self.inbox.pop(0)
            outcome = self.ledger.decide(frame, refuse)
            if line == self.line:
                self.replies.append(outcome)
            self.past.append(deepcopy(self.ledger))

    def cut(self) -> None:
        """The line ends: replies on their way are lost, what is in the inbox is not."""
        self.line += 1
        self.replies = []
        self._refused_n = None

    def lose(self, decisions: int) -> None:
        """The newest data is gone, and the inbox with it."""
        del self.past[max(1, len(self.past) - decisions) :]
        self.ledger = deepcopy(self.past[-1])
        self.inbox = []
        self.everything = []

    def _refuse(self, frame: Frame, code: str, expected: int) -> None:
        about = {"n": frame["n"], "id": frame["id"], "conversation": frame["conversation"]}
        self.replies.append({"t": "refused", "code": code, "expected": expected, "retry_after_ms": 5, **about})
