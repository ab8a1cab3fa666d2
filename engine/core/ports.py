"""What the engine asks of others, in its own words.

Invariant: whoever is fitted here keeps the promise of each method; the engine imports none of them.
"""

from typing import Any, Protocol

from engine.core.conversation import Conversation
from engine.core.ledger import Ledger
from protocol.bus.config import AccountConfig
from protocol.bus.decisions import Already, Refusal, Told
from protocol.bus.effects import Effect, Inner, SetTimer
from protocol.bus.records import VisitorRecord
from protocol.ids import AccountId, ConversationId, DeviceId, InboxId, Incarnation, RuleId, VisitorId

Roster = Any  # the roster's own value; only its port looks inside
RosterEvent = Any


class Values(Protocol):
    """The cell as it was before the step. Each method raises `result.Absent` for what must be loaded first."""

    def conversation(self, id_: ConversationId) -> Conversation | None:
        """Return a conversation, None if there is none."""

    def visitor(self, id_: VisitorId) -> VisitorRecord | None:
        """Return a visitor's record, None if there is none."""

    def ledger(self, owner: str, device: DeviceId) -> Ledger:
        """Return what became of a device's frames in a conversation or at the `ledger.DESK`; it may be empty."""

    def roster(self, account: AccountId) -> Roster | None:
        """Return the account's roster, None if there is none."""

    def config(self, account: AccountId) -> AccountConfig | None:
        """Return the account's configuration, None if there is none."""

    def roster_accounts(self) -> list[AccountId]:
        """Return the accounts of the cell that have a roster."""


class RosterPort(Protocol):
    """The decider of an account's roster. Pure; rosters are evolved in place, one event at a time."""

    def new(self, config: AccountConfig) -> Roster:
        """Return the roster of an account in which nothing happened yet."""

    def decide(self, roster: Roster, command: Any, at_ms: int) -> list[RosterEvent] | Refusal | Already | Told:
        """Return what happens because of `command`, or why it may not, or what it asked. Total; changes nothing."""

    def evolve(self, roster: Roster, event: RosterEvent) -> None:
        """Make `roster` what it is after `event`."""

    def react(self, roster: Roster, event: RosterEvent, at_ms: int) -> list[Inner | Effect]:
        """Return what the cell must decide next and what the world must do, `event` having just been evolved."""

    def encode(self, event: RosterEvent) -> bytes:
        """Return `event` as stored in the roster's log."""

    def decode_event(self, stored: bytes) -> RosterEvent:
        """Return the event that `encode` stored."""

    def freeze(self, roster: Roster) -> bytes:
        """Return the snapshot of `roster`: equal rosters, equal bytes."""

    def thaw(self, stored: bytes) -> Roster:
        """Return the roster that `freeze` stored."""

    def ready(self, roster: Roster, rule: RuleId | None, inbox: InboxId) -> bool:
        """Whether somebody is at work now under `rule`, or with None for `inbox`; at capacity too: visitors queue."""

    def seq(self, roster: Roster) -> int:
        """Return the number of events so far."""

    def deadlines(self, roster: Roster) -> list[SetTimer]:
        """Return every timer that is now set: what a rebuilt cell must set again."""

    def feed_rows(self, roster: Roster) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the present rows of each feed: feed → row key → row."""

    def gateways(self, roster: Roster) -> list[Incarnation]:
        """Return the gateway incarnations under which the roster counts sessions: what a rebuild calls lost."""
