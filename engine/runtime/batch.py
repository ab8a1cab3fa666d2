"""What one batch of commands comes to, gathered step by step until it is committed.

Invariant: of each value only the last state is kept, of each log every entry, all in the order of deciding. Nothing in
here has happened until the commit that is planned of it was taken.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.core.conversation import Conversation
from engine.core.ledger import DESK, slot_of
from engine.core.result import Logged, StepResult
from protocol.bus.commands import COMMAND_ENCODER
from protocol.bus.effects import CancelTimer, Do, FeedUpdate, Keep, SetTimer, TellPlace
from protocol.bus.facts import AnyFact, ConversationErased
from protocol.bus.records import Outcome, VisitorRecord
from protocol.ids import AccountId, ConversationId, DeviceId, Incarnation, VisitorId

LedgerSlot = tuple[str, DeviceId, int]


@dataclass(frozen=True, slots=True)
class RosterSnapshot:
    """A whole roster at `seq`, so that its log need not be read from the beginning."""

    seq: int
    state: bytes


@dataclass(slots=True)
class Batch:
    """One commit in the making."""

    epoch: int
    commit_no: int
    at_ms: int = 0
    next_index: int = 0
    commands: int = 0
    repeated: int = 0  # of these, answered from a ledger
    conversations: dict[ConversationId, Conversation] = field(default_factory=dict)
    visitors: dict[VisitorId, VisitorRecord] = field(default_factory=dict)
    ledger: dict[LedgerSlot, Outcome] = field(default_factory=dict)
    events: list[Logged] = field(default_factory=list)
    rosters: dict[AccountId, list[bytes]] = field(default_factory=dict)  # new events, encoded
    snapshots: dict[AccountId, RosterSnapshot] = field(default_factory=dict)
    timers: dict[bytes, int | None] = field(default_factory=dict)  # command → due in ms; None: cancelled
    feeds: dict[str, list[FeedUpdate]] = field(default_factory=dict)
    places: dict[ConversationId, TellPlace] = field(default_factory=dict)
    jobs: list[Do] = field(default_factory=list)
    facts: list[AnyFact] = field(default_factory=list)
    replies: dict[Incarnation, list[Outcome]] = field(default_factory=dict)
    gateways: dict[Incarnation, bool] = field(default_factory=dict)  # whether its lapse matters to this cell
    quarantined: list[bytes] = field(default_factory=list)
    evicted: list[tuple[str, str, AccountId]] = field(default_factory=list)  # kind, id, account
    postponed: dict[str, int] = field(default_factory=dict)  # idle value → when to look at it again

    def absorb(self, step: StepResult, encode: Callable[[Any], bytes]) -> None:
        """Add what commands came to. `encode` is the roster port's."""
        self.next_index = step.next_index
        self.conversations.update(step.conversations)
        self.events += step.events
        self.visitors.update(step.visitors)
        for owner, device, outcome in step.ledger:
            self.ledger[owner, device, slot_of(outcome.n)] = outcome
        for account, event in step.roster_events:
            self.rosters.setdefault(account, []).append(encode(event))
        for effect in step.effects:
            self._note(effect)
        for gateway, outcome in step.outcomes:
            self.answer(gateway, outcome)
        self.repeated += step.repeated

    def touched_conversations(self) -> list[ConversationId]:
        """Return the conversations whose hash is written: for their state, for a ledger in them, or for both."""
        senders = (ConversationId(owner) for owner, _, _ in self.ledger if owner != DESK)
        return list(dict.fromkeys((*self.conversations, *senders)))

    def answer(self, gateway: Incarnation, outcome: Outcome) -> None:
        """Tell the asker what became of a frame, once the commit is taken."""
        self.replies.setdefault(gateway, []).append(outcome)

    def _note(self, effect: Any) -> None:
        kind = type(effect)
        if kind is FeedUpdate:
            self.feeds.setdefault(effect.feed, []).append(effect)
        elif kind is SetTimer:
            self.timers[COMMAND_ENCODER.encode(effect.command)] = effect.due_ms
        elif kind is CancelTimer:
            self.timers[COMMAND_ENCODER.encode(effect.command)] = None
        elif kind is TellPlace:
            self.places[effect.conversation] = effect
        elif kind is Do:
            self.jobs.append(effect)
        elif kind is Keep:
            self.facts.append(effect.fact)
            if type(effect.fact) is ConversationErased:  # it leaves Redis as soon as SQL has it
                self.postponed[f"conversation:{effect.fact.conversation}"] = 0
        else:
            raise AssertionError(f"nobody carries out {kind.__name__}")
