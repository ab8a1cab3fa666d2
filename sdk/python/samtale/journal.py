"""What a client did and saw, told as it happens to whoever keeps a history: tests, load runs, chaos.

Invariant: facts only, in the order they happened to this client. `t` is the client's clock in seconds. Texts appear as
digests, so a journal may be kept.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Asked:
    """The app asked for something numbered: it goes on the line when it can."""

    t: float
    id: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A numbered frame was put on the line, perhaps not for the first time."""

    t: float
    conversation: str
    device: str
    n: int
    id: str
    kind: str
    digest: str


@dataclass(frozen=True, slots=True)
class Acked:
    t: float
    conversation: str
    device: str
    n: int
    id: str
    seq: int
    event: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Of any kind: those with `expected` are renumbered or tried again, the others are outcomes."""

    t: float
    conversation: str
    device: str
    n: int
    id: str
    code: str
    expected: int


@dataclass(frozen=True, slots=True)
class Seen:
    """An event was taken; `hidden_to` is the last seq of a `hidden`, else 0."""

    t: float
    conversation: str
    seq: int
    event: str
    kind: str
    digest: str
    hidden_to: int = 0


@dataclass(frozen=True, slots=True)
class Resumed:
    """The server was asked to go on after `seq`, by `hello` or `resume`."""

    t: float
    conversation: str
    seq: int


@dataclass(frozen=True, slots=True)
class Resynced:
    t: float
    conversation: str
    from_seq: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Opened:
    """`ready` came."""

    t: float
    who: str
    device: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Closed:
    t: float
    code: int


Fact = Asked | Sent | Acked | Refused | Seen | Resumed | Resynced | Opened | Closed
Journal = Callable[[Fact], None]


def digest_of(fields: dict[str, Any]) -> str:
    """Return 16 hex characters for a frame's or body's content: of `text` if it has one, else of all of it, sorted."""
    text = fields.get("text")
    content = text.encode() if isinstance(text, str) else orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()[:16]
