"""What steps need, and what comes of them.

Invariant: nothing in here does anything; whoever runs a step loads what it needs and commits what it returns.
"""

from typing import Any, Literal

import msgspec

from engine.core.conversation import Conversation
from protocol.bus.effects import Effect
from protocol.bus.records import Outcome, VisitorRecord
from protocol.ids import AccountId, ConversationId, DeviceId, Incarnation, VisitorId
from protocol.wire.content import Event

NeedKind = Literal["conversation", "visitor", "ledger", "roster", "config", "roster_accounts"]


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """When and where a step happens: event ids are (epoch, commit_no, index on), `at_ms` is its inbox entry's."""

    epoch: int
    commit_no: int
    index: int
    at_ms: int


class Need(msgspec.Struct, frozen=True, gc=False):
    """A value that the step cannot go on without, as `ports.Values` names it.

    `id`: the conversation's, the visitor's, the ledger's owner, or the account of a roster or a configuration.
    """

    kind: NeedKind
    id: str = ""
    device: DeviceId | Literal[""] = ""


class Absent(Exception):
    """What is needed is not at hand: load it, then go on with the step."""

    def __init__(self, need: Need) -> None:
        super().__init__(need)
        self.need = need


class Logged(msgspec.Struct, frozen=True, gc=False):
    """One new log entry, and the frame that asked for it (n 0 and "" if none did).

    `visitor_frame`: b"" if visitors see `hidden` instead; None if they see the same bytes as staff.
    """

    event: Event
    device: str = ""
    n: int = 0
    id: str = ""
    visitor_frame: bytes | None = None


class StepResult(msgspec.Struct):
    """Everything that one command changed, or several one after the other. Values not named here are as they were.

    `ledger`: (owner, device, outcome), already remembered. `rosters`: those touched, new ones included; already evolved
    in place. `outcomes`: (gateway, outcome) to tell. `next_index`: the index of the next event of the same commit.
    `repeated`: commands that were answered from a ledger.
    """

    conversations: dict[ConversationId, Conversation]
    visitors: dict[VisitorId, VisitorRecord]
    rosters: dict[AccountId, Any]
    ledger: list[tuple[str, DeviceId, Outcome]]
    events: list[Logged]
    roster_events: list[tuple[AccountId, Any]]
    effects: list[Effect]
    outcomes: list[tuple[Incarnation, Outcome]]
    next_index: int
    repeated: int = 0


class StepFailed(Exception):
    """Deciding raised: a bug, chained as the cause. The rosters named must be loaded anew.

    `conversation` is the one being decided, to be parked; None if it was a roster or a visitor.
    """

    def __init__(
        self, roster_touched: frozenset[AccountId], account: AccountId, conversation: ConversationId | None
    ) -> None:
        super().__init__(f"deciding {conversation or 'no conversation'} raised")
        self.roster_touched = roster_touched
        self.account = account
        self.conversation = conversation
