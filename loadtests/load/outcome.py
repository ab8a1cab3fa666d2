"""What one process of a driver leaves behind, and how the shares of all become one.

Invariant: nothing is summed up before it is judged: every latency, story and fact of every session arrives here.
"""

from array import array
from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import msgspec

from loadtests.checker.history import ClientFact, Misserved
from loadtests.checker.stories import Story

_KINDS: dict[str, Any] = {kind.__name__: kind for kind in get_args(ClientFact)}


class Outcome(msgspec.Struct):
    """`ended` and `took`: seconds as doubles, by the name of the latency. `sent_s`: when each message was due."""

    ended: dict[str, bytes] = {}
    took: dict[str, bytes] = {}
    sent_s: bytes = b""
    sessions: int = 0
    stories: list[Story] = []
    facts: list[tuple[str, list[Any]]] = []
    misserved: list[Misserved] = []
    refusals: dict[str, int] = {}
    happened: dict[str, int] = {}  # what befell phones and their networks
    troubles: list[str] = []  # lines that ended and had to live, and the like

    def add_facts(self, told: list[ClientFact]) -> None:
        """Take what clients did and saw."""
        self.facts += [(type(fact).__name__, [getattr(fact, each.name) for each in fields(fact)]) for fact in told]

    def client_facts(self) -> list[ClientFact]:
        """Return what clients did and saw."""
        return [_KINDS[kind](*values) for kind, values in self.facts]

    def sent_times(self) -> "array[float]":
        """Return when each message was due."""
        return _doubles(self.sent_s)

    def times(self, name: str) -> tuple["array[float]", "array[float]"]:
        """Return when each latency of that name ended, and what it was."""
        return _doubles(self.ended.get(name, b"")), _doubles(self.took.get(name, b""))


def write(outcome: Outcome, path: Path) -> None:
    """Leave `outcome` in a file."""
    path.write_bytes(msgspec.msgpack.encode(outcome))


def read(path: Path) -> Outcome:
    """Return what `write` left."""
    return msgspec.msgpack.decode(path.read_bytes(), type=Outcome)


def merged(shares: list[Outcome]) -> Outcome:
    """Return what all shares found together; facts in the order of their times."""
    whole = Outcome()
    for share in shares:
        for name in share.ended:
            whole.ended[name] = whole.ended.get(name, b"") + share.ended[name]
            whole.took[name] = whole.took.get(name, b"") + share.took[name]
        whole.sent_s += share.sent_s
        whole.sessions += share.sessions
        whole.stories += share.stories
        whole.facts += share.facts
        whole.misserved += share.misserved
        whole.refusals = dict(Counter(whole.refusals) + Counter(share.refusals))
        whole.happened = dict(Counter(whole.happened) + Counter(share.happened))
        whole.troubles += share.troubles
    whole.facts.sort(key=lambda fact: fact[1][0])  # `t` is first
    return whole


def _doubles(packed: bytes) -> "array[float]":
    found = array("d")
    found.frombytes(packed)
    return found
