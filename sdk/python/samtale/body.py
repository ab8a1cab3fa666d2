"""What a conversation's log holds, typed (SPEC 7.2).

Invariant: reading never fails on a kind or a field that is newer than this client: a kind becomes `Unknown`, a field is
ignored.
"""

from dataclasses import dataclass, field
from typing import Any

from samtale.content import Content
from samtale.reading import tag


@dataclass(frozen=True, slots=True)
class Author:
    """Who did it: role `visitor`, `agent` or `system`. Before visitors an agent with an alias has no id."""

    role: str
    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """One thing that happened."""


@dataclass(frozen=True, slots=True)
class Started(Body):
    """`previous`: the conversation that this one goes on from. `by`: visitor, agent or company."""

    chatflow: str
    version: int
    locale: str
    welcome: str | None
    inbox: str = ""
    rule: str | None = None
    visitor: str = ""
    ordinal: int = 1
    previous: str | None = None
    by: str = "visitor"
    environment: str = "production"
    help_desk: bool = False


@dataclass(frozen=True, slots=True)
class ConsentAnswered(Body):
    """`purpose`: storage, process or communicate (about `subscription`)."""

    purpose: str
    answer: str
    text_hash: str
    locale: str = ""
    version: int = 0
    subscription: str = ""


@dataclass(frozen=True, slots=True)
class EmailAsked(Body):
    """An address is asked for, in these words; it is answered by `answer_email`, or by a message that is only one."""

    why: str
    text: str


@dataclass(frozen=True, slots=True)
class EmailGiven(Body):
    email: str
    contact: str = ""
    verified: bool = False


@dataclass(frozen=True, slots=True)
class EmailGivenUp(Body):
    pass


@dataclass(frozen=True, slots=True)
class Message(Body):
    """`text` is the plain form of `content`. `redacted`: removed; nothing is left but its place."""

    by: Author
    text: str
    content: Content | None = None
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class Note(Body):
    by: Author
    text: str
    mentions: list[str] = field(default_factory=list)
    whisper: bool = False
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class Redacted(Body):
    """Forget the text and content of the message or note at seq `of`."""

    by: Author
    of: int


@dataclass(frozen=True, slots=True)
class TagsChanged(Body):
    by: Author
    added: list[str]
    removed: list[str]


@dataclass(frozen=True, slots=True)
class FieldsSet(Body):
    by: Author
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class PrioritySet(Body):
    by: Author
    priority: str


@dataclass(frozen=True, slots=True)
class Snoozed(Body):
    by: Author
    until_ms: int


@dataclass(frozen=True, slots=True)
class Woken(Body):
    why: str


@dataclass(frozen=True, slots=True)
class TicketOpened(Body):
    number: int


@dataclass(frozen=True, slots=True)
class TicketChanged(Body):
    by: Author
    status: str


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
    """To an agent, or to a team (`to` is then "")."""

    by: Author
    to: str
    note: str
    team: str = ""


@dataclass(frozen=True, slots=True)
class Closed(Body):
    by: Author
    reason: str


@dataclass(frozen=True, slots=True)
class Reopened(Body):
    by: Author


@dataclass(frozen=True, slots=True)
class SurveyAsked(Body):
    """Answered by `answer_survey` until `until_ms`. `scale`: faces 0–2, stars 1–5, ten 0–10, thumbs 0–1.

    `follow_up` and `thanks`: a score, or `any` → the text to show after it.
    """

    ask: int
    survey: str
    version: int
    scale: str
    question: str
    until_ms: int
    follow_up: dict[str, str] = field(default_factory=dict)
    thanks: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SurveySeen(Body):
    ask: int
    dismissed: bool = False


@dataclass(frozen=True, slots=True)
class SurveyAnswered(Body):
    ask: int
    score: int


@dataclass(frozen=True, slots=True)
class SurveyCommented(Body):
    ask: int
    text: str


@dataclass(frozen=True, slots=True)
class SurveyExpired(Body):
    ask: int


@dataclass(frozen=True, slots=True)
class Parked(Body):
    error: str


@dataclass(frozen=True, slots=True)
class Erased(Body):
    """The last entry there will be: forget everything that was said in the conversation."""


@dataclass(frozen=True, slots=True)
class Merged(Body):
    """Its visitor logged in, on the phone where they began it. `visitor`, to staff: who they are.

    `other`: the conversation that they had under the same chatflow; `over`: that one goes on in its place.
    """

    visitor: str = ""
    over: bool = False
    other: str = ""


@dataclass(frozen=True, slots=True)
class Unknown(Body):
    """A kind that this client is too old for: show nothing, count it as read."""

    kind: str
    fields: dict[str, Any]


KINDS: dict[str, type[Body]] = {
    "started": Started,
    "consent": ConsentAnswered,
    "email_asked": EmailAsked,
    "email_given": EmailGiven,
    "email_given_up": EmailGivenUp,
    "message": Message,
    "note": Note,
    "redacted": Redacted,
    "tags": TagsChanged,
    "fields": FieldsSet,
    "priority": PrioritySet,
    "snoozed": Snoozed,
    "woken": Woken,
    "ticket_opened": TicketOpened,
    "ticket": TicketChanged,
    "queued": Queued,
    "unrouted": Unrouted,
    "assigned": Assigned,
    "unassigned": Unassigned,
    "transferred": Transferred,
    "closed": Closed,
    "reopened": Reopened,
    "survey_asked": SurveyAsked,
    "survey_seen": SurveySeen,
    "survey_answered": SurveyAnswered,
    "survey_commented": SurveyCommented,
    "survey_expired": SurveyExpired,
    "parked": Parked,
    "erased": Erased,
    "merged": Merged,
}

read_body = tag(Body, KINDS, Unknown)
