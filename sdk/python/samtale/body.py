"""What a conversation's log holds, typed (SPEC 7.2).

Invariant: reading never fails on a kind or a field that is newer than this client: a kind becomes `Unknown`, a field is
ignored.
"""

from dataclasses import dataclass
from typing import Any

from samtale.reading import read


@dataclass(frozen=True, slots=True)
class Author:
    """Who did it: role `visitor`, `agent` or `system`."""

    role: str
    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """One thing that happened."""


@dataclass(frozen=True, slots=True)
class Started(Body):
    chatflow: str
    version: int
    locale: str
    welcome: str | None


@dataclass(frozen=True, slots=True)
class ConsentAnswered(Body):
    purpose: str
    answer: str
    text_hash: str


@dataclass(frozen=True, slots=True)
class Message(Body):
    by: Author
    text: str


@dataclass(frozen=True, slots=True)
class Queued(Body):
    reason: str


@dataclass(frozen=True, slots=True)
class Unrouted(Body):
    pass


@dataclass(frozen=True, slots=True)
class Assigned(Body):
    agent: Author
    reason: str


@dataclass(frozen=True, slots=True)
class Unassigned(Body):
    agent: Author
    reason: str


@dataclass(frozen=True, slots=True)
class Transferred(Body):
    by: Author
    to: str
    note: str


@dataclass(frozen=True, slots=True)
class Closed(Body):
    by: Author
    reason: str


@dataclass(frozen=True, slots=True)
class Reopened(Body):
    by: Author


@dataclass(frozen=True, slots=True)
class Parked(Body):
    error: str


@dataclass(frozen=True, slots=True)
class Unknown(Body):
    """A kind that this client is too old for: show nothing, count it as read."""

    kind: str
    fields: dict[str, Any]


KINDS: dict[str, type[Body]] = {
    "started": Started,
    "consent": ConsentAnswered,
    "message": Message,
    "queued": Queued,
    "unrouted": Unrouted,
    "assigned": Assigned,
    "unassigned": Unassigned,
    "transferred": Transferred,
    "closed": Closed,
    "reopened": Reopened,
    "parked": Parked,
}


def read_body(fields: dict[str, Any]) -> Body:
    """Return the typed body of an event frame's `body`."""
    kind = fields["kind"]
    if kind not in KINDS:
        return Unknown(kind, fields)
    authors = {name: read(Author, fields[name]) for name in ("by", "agent") if isinstance(fields.get(name), dict)}
    return read(KINDS[kind], {**fields, **authors})
