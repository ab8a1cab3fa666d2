"""What is known after a run: each client's journal, in its own order, and what the record holds at the end.

Invariant: facts only, no judgement. Times `t` are seconds of one monotonic clock, shared by all clients of a run. A
frame without an outcome has an unknown one: it never counts as failed.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Audience: TypeAlias = Literal["visitor", "staff"]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something one client did or saw."""

    t: float
    client: str
    account: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Sent(Fact):
    """A frame was put on the line for the first time. `digest` is of its content, `kind` the frame's name."""

    device: str
    n: int
    id: str
    digest: str
    kind: str = "send"


@dataclass(frozen=True, slots=True)
class Acked(Fact):
    device: str
    n: int
    id: str
    seq: int
    event: str


@dataclass(frozen=True, slots=True)
class Refused(Fact):
    device: str
    n: int
    id: str
    code: str


@dataclass(frozen=True, slots=True)
class Seen(Fact):
    """An event reached this reader. `account` is the one that the frame was delivered under: the reader's own."""

    seq: int
    event: str
    kind: str
    digest: str
    hidden_to: int = 0  # for `hidden`: the last seq it stands for; 0 for an event
    audience: Audience = "staff"


@dataclass(frozen=True, slots=True)
class Resynced(Fact):
    from_seq: int


@dataclass(frozen=True, slots=True)
class Was(Fact):
    """A visitor's client was told who it is; `conversation` is ""."""

    visitor: str


@dataclass(frozen=True, slots=True)
class Waited(Fact):
    """At the end of the run this client still waited for the outcome of a frame, `for_s` after the last fault."""

    id: str
    for_s: float


ClientFact: TypeAlias = Sent | Acked | Refused | Seen | Resynced | Was | Waited


@dataclass(frozen=True, slots=True)
class Entry:
    """One log entry as the record holds it at the end.

    `shown`: the digest of what visitors see, if it is something else. `redacted`: it held other words once. `role`:
    whose message; `is_made`: the server made its words of its content; `ask`: of a survey's entries. `erased`: nothing
    is left of what it said, nor of the id that it was sent under.
    """

    account: str
    conversation: str
    seq: int
    event: str  # "epoch.commit_no.index"
    kind: str
    digest: str
    device: str = ""
    n: int = 0
    id: str = ""
    agent: str = ""  # of assigned and unassigned
    audience: Literal["all", "staff"] = "all"
    answer: str = ""  # of a consent to process; of closed, its reason
    shown: str = ""
    redacted: bool = False
    role: str = ""
    is_made: bool = False
    ask: int = 0
    visitor: str = ""  # of started and merged: whose it is from there on
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the record says of a conversation: whose it is, what its replay gives, what is stored."""

    account: str
    conversation: str
    visitor: str
    cell: str
    consent_required: bool
    stored: bytes = b""
    replayed: bytes = b""
    redis_log: tuple[str, ...] = ()  # event ids still in Redis, ascending, without tombstones


@dataclass(frozen=True, slots=True)
class Decision:
    """The routing decision at one place of a roster's log: an agent's load right after it."""

    account: str
    seq: int
    agent: str
    load: int
    capacity: int
    by_routing: bool


@dataclass(frozen=True, slots=True)
class Epoch:
    """A cell was rebuilt: `epoch` continues from `base`, the last commit_no that survived."""

    cell: str
    epoch: int
    base: int


@dataclass(frozen=True, slots=True)
class Committed:
    """One commit as the scribe copied it."""

    cell: str
    epoch: int
    commit_no: int


@dataclass(frozen=True, slots=True)
class Misserved:
    """A line carried what it should not: a log with a gap, a repeat or a step back, or words that are not for visitors.

    What the client made of it does not matter. `rule`: gap, or leak.
    """

    client: str
    conversation: str
    why: str
    rule: str = "gap"


@dataclass(frozen=True, slots=True)
class Leak:
    """A planted text was found where it must not be."""

    text: str
    where: str


@dataclass(frozen=True, slots=True)
class Remain:
    """A word of somebody who was erased was found after their erasure said that it was done."""

    text: str
    where: str


@dataclass(frozen=True, slots=True)
class Raised:
    """An engine says in its log that a decider raised. `what` it set aside for that: a conversation, or a command."""

    where: str
    what: str


@dataclass(slots=True)
class History:
    """Everything that is known of a run."""

    facts: list[ClientFact] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    commits: list[Committed] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    remains: list[Remain] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)
    misserved: list[Misserved] = field(default_factory=list)
    homes: dict[str, str] = field(default_factory=dict)  # account → its cell

    def logs(self) -> dict[str, list[Entry]]:
        """Return each conversation's entries by ascending seq."""
        logs: dict[str, list[Entry]] = defaultdict(list)
        for entry in sorted(self.entries, key=lambda entry: (entry.conversation, entry.seq)):
            logs[entry.conversation].append(entry)
        return dict(logs)

    def was_rolled_back(self, cell: str, event: str) -> bool:
        """Whether `event` is of a commit that a later epoch of its cell says did not survive (data loss in Redis)."""
        epoch, commit_no, _ = (int(part) for part in event.split("."))
        return any(e.cell == cell and e.epoch > epoch and e.base < commit_no for e in self.epochs)

    def went(self, fact: Acked | Seen) -> bool:
        """Whether the event that a client was told of went with a data loss, be it with its whole conversation."""
        return self.was_rolled_back(self.homes.get(fact.account, ""), fact.event)


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise: which, where, and what shows it."""

    rule: str
    where: str
    why: str
