"""What one decision asks of the others in the cell (at once, in the same step) and of the world (after the commit).

Invariant: nothing here leaves a cell except through a commit.
"""

from typing import Any, Final

import msgspec

from protocol.bus.commands import TimerFired
from protocol.bus.config import AccountConfig
from protocol.bus.facts import AnyFact
from protocol.ids import AccountId, AgentId, ContactId, ConversationId, HoursId, InboxId, RuleId, TeamId, VisitorId
from protocol.wire.content import Author


class Inner(msgspec.Struct, frozen=True):
    """A command between aggregates of one cell: decided in the same step, first in first out."""

    account: AccountId
    conversation: ConversationId


class Seek(Inner, frozen=True):
    """To the roster: find an agent. A conversation that the roster holds as assigned is freed first.

    `since_ms`: since when it waits (kept across offers and lost agents). `prefer`: asked first, if eligible, without
    using a turn. `avoid`: who just lost it. `rule` None: nobody is sought, anybody of the inbox may claim.
    `owner`: the contact's, for rules of that assignment. `team`: only its members are sought (a transfer).
    `hours`: outside them nobody is asked before they open, unless `available_anyway` and somebody is there.
    """

    inbox: InboxId
    rule: RuleId | None
    since_ms: int
    reason: str
    prefer: AgentId | None = None
    avoid: AgentId | None = None
    priority: str = "normal"
    language: str = ""
    owner: AgentId | None = None
    team: TeamId | None = None
    hours: HoursId | None = None
    available_anyway: bool = False


class Reprioritise(Inner, frozen=True):
    """To the roster: the conversation's priority is now this."""

    priority: str


class Weigh(Inner, frozen=True):
    """To the roster: whether the conversation counts for its agent's capacity (snoozed and silent ones do not)."""

    counts: bool


class NoteReply(Inner, frozen=True):
    """To the roster: the first human reply came `waited_ms` after the visitor's first message."""

    inbox: InboxId
    waited_ms: int


class OpenTicket(Inner, frozen=True):
    """To the roster: this conversation of a help desk needs a ticket's number."""


class NumberTicket(Inner, frozen=True):
    """To the conversation: its ticket's number."""

    number: int


class Overflowed(Inner, frozen=True):
    """To the conversation: it waited too long; the away text and the e-mail ask are due. The place is kept."""


class End(Inner, frozen=True):
    """To the conversation: it is over for a reason that lies with the visitor (consent_withdrawn, blocked)."""

    reason: str


class Erase(Inner, frozen=True):
    """To the conversation: leave nothing of what was said in it. `visitor`: whose it is; None: only if it is closed."""

    visitor: VisitorId | None


class TakeOver(Inner, frozen=True):
    """To the conversation: it is `visitor`'s now, who logged in. `over`: `other` goes on in its place."""

    visitor: VisitorId
    over: bool
    other: str


class Release(Inner, frozen=True):
    """To the roster: this conversation needs nobody any more (closed, parked)."""


class Reconsider(Inner, frozen=True):
    """To the roster, by itself: something changed for a line, see who may be asked now. `agent`: who became ready."""

    line: str
    agent: AgentId | None = None


class RosterConfig(Inner, frozen=True):
    """To the roster: a newer configuration of the account (`conversation` is "")."""

    config: AccountConfig


class Assign(Inner, frozen=True):
    """To the conversation: `agent` has it now. `reason`: offer, auto, claim, last_agent, owner, forced."""

    agent: Author
    reason: str


class HandOver(Inner, frozen=True):
    """To the conversation: to another agent, from its own or from nobody, asked by `by`.

    `team`: to that team instead, `to` then names nobody, and the conversation answers with a `Seek` of it. `forced`: a
    supervisor moved what is not theirs, or above capacity.
    """

    by: Author
    to: Author
    note: str
    team: TeamId | None = None
    forced: bool = False


class AgentLost(Inner, frozen=True):
    """To the conversation: its agent's grace is over; owed a reply, it is handed on, else at the next message."""

    agent: AgentId


class NoteStarted(Inner, frozen=True):
    """To the visitor: this is now the current conversation under a chatflow."""

    visitor: str
    chatflow: str
    ordinal: int
    reopen_window_s: int


class NoteClosed(Inner, frozen=True):
    """To the visitor: the current conversation closed, or (closed False) was reopened. `final`: nothing reopens it."""

    visitor: str
    chatflow: str
    closed: bool
    survey_until_ms: int = 0
    final: bool = False


class NoteConsent(Inner, frozen=True):
    """To the visitor: a consent step was answered, by the log entry `event`."""

    visitor: str
    purpose: str
    answer: str
    text_hash: str
    chatflow: str
    version: int
    locale: str
    event: str = ""
    subscription: str = ""


class NoteEmail(Inner, frozen=True):
    """To the visitor: an address was given in a conversation under a chatflow. `contact`: whom it names."""

    visitor: str
    email: str
    contact: ContactId
    chatflow: str = ""
    version: int = 0


class NoteBlocked(Inner, frozen=True):
    """To the visitor: may write no more, or again. All their open conversations end."""

    visitor: str
    blocked: bool


class Effect(msgspec.Struct, frozen=True):
    """Something the commit does beside the states."""


class SetTimer(Effect, frozen=True):
    """Put `command` into the inbox at `due_ms`."""

    due_ms: int
    command: TimerFired


class CancelTimer(Effect, frozen=True):
    command: TimerFired


class FeedUpdate(Effect, frozen=True):
    """One change of a feed (topics.agent_feed, topics.inbox_feed): `row` None removes `key`."""

    feed: str
    what: str
    key: str
    row: dict[str, Any] | None


class TellPlace(Effect, frozen=True):
    """Tell the visitor the place in the queue; ephemeral."""

    conversation: ConversationId
    place: int
    exact: bool
    wait_s: int | None = None


class Keep(Effect, frozen=True):
    """Have SQL keep a fact."""

    fact: AnyFact


class Do(Effect, frozen=True):
    """A job for the workers; `id` is stable for this cause."""

    id: str
    account: AccountId
    kind: str
    payload: dict[str, Any]


EFFECTS: Final = frozenset({SetTimer, CancelTimer, FeedUpdate, TellPlace, Keep, Do})  # isinstance asks a metaclass
