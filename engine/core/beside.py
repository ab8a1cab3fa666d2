"""What stands beside the phase: who spoke, the e-mail ask, snooze, ticket, surveys, tags, what may still be chosen.

Invariant: values, folded from the log alone and never from a clock. `Heard` moves with every message and is small;
`Beside` moves seldom, and is the same object until it does.
"""

from typing import Literal

import msgspec

from protocol.wire.kinds import FormField, Option

Scale = Literal["faces", "stars", "ten", "thumbs"]
TicketStatus = Literal["new", "waiting_us", "waiting_visitor", "closed"]


class Heard(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who spoke. Times are 0 for never; a word is a message of the visitor or of an agent.

    `stirred_ms`: the last word, assignment or wake. `visitor_ms`, `agent_ms`: the first word of each. `visitor_since`,
    `agent_since`: whether each spoke since the last survey was asked.
    """

    stirred_ms: int = 0
    visitor_ms: int = 0
    agent_ms: int = 0
    visitor_since: bool = False
    agent_since: bool = False


class EmailAsk(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How the e-mail ask stands. `due_ms`: when it is asked unless an agent speaks before (0: at no time).

    `why` is that of the ask on the screen, "" if there is none; `asks` counts them all. `over`: given, or given up.
    """

    due_ms: int = 0
    why: str = ""
    asks: int = 0
    over: bool = False


class Ticket(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The conversation's ticket. `changed_ms`: when its status or priority last did."""

    number: int
    status: TicketStatus
    opened_ms: int
    changed_ms: int


class OpenSurvey(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An ask that still takes something: seen and a score, or after the score one comment."""

    ask: int
    survey: str
    version: int
    scale: Scale
    asked_ms: int
    until_ms: int
    seen_ms: int | None = None
    dismissed: bool = False
    score: int | None = None
    scored_ms: int | None = None


class Chooseable(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A message that asks for a choice or a form's values. `passing`: only until something else is said."""

    seq: int
    options: tuple[Option, ...] = ()
    fields: tuple[FormField, ...] = ()
    passing: bool = False


class Spent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An attachment that the message at `seq` named."""

    id: str
    seq: int
    at_ms: int


class Beside(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All the rest. `snoozed_ms`: until when it is put off, 0 if it is not. `asks`: surveys asked so far.

    `spent`: the attachments that messages of the last day named.
    """

    priority: str = "normal"
    email: EmailAsk = EmailAsk()
    snoozed_ms: int = 0
    ticket: Ticket | None = None
    asks: int = 0
    surveys: tuple[OpenSurvey, ...] = ()
    chooseable: tuple[Chooseable, ...] = ()
    tags: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    spent: tuple[Spent, ...] = ()


SILENT = Heard()
PLAIN = Beside()


def survey_until_ms(beside: Beside) -> int:
    """Return until when a survey may still be answered or commented; 0 if none may."""
    return max((survey.until_ms for survey in beside.surveys), default=0)
