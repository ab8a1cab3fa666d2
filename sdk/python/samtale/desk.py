"""What an agent is told beside the log: who works here, who would be next, and who the visitor is (SPEC 8).

Invariant: true when it was said; nothing of it is kept current but by being asked for again.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Colleague:
    """An agent, oneself included."""

    id: str
    name: str
    state: str = "offline"
    capacity: int = 0
    load: int = 0


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    name: str
    members: list[str]


@dataclass(frozen=True, slots=True)
class Canned:
    """A ready reply: its text per locale, with its variables in braces."""

    id: str
    text: dict[str, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class NextAgent:
    """Who would get a new conversation of `rule` now; `counts`: how many were passed over, by reason."""

    rule: str
    agent: str | None
    candidates: list[Candidate] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Breadcrumb:
    at: int
    text: str
