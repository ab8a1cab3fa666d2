"""How it went: a survey that a close asked, and what became of it (SPEC 5.7).

Invariant: `ask` names the survey that an entry is about; of each ask there is one score and one comment at most.
"""

from typing import Literal

from protocol.ids import SurveyId
from protocol.wire.content.body import Body


class SurveyAsked(Body, frozen=True, tag="survey_asked"):
    """The close just before asks how it went. `ask` (1, 2 …) names it; answered by `survey` frames until `until_ms`."""

    ask: int
    survey: SurveyId
    version: int
    scale: Literal["faces", "stars", "ten", "thumbs"]
    question: str
    until_ms: int
    follow_up: dict[str, str] = {}  # score or `any` → text
    thanks: dict[str, str] = {}


class SurveySeen(Body, frozen=True, tag="survey_seen"):
    """The visitor had it on the screen; `dismissed`: and put it away."""

    ask: int
    dismissed: bool = False


class SurveyAnswered(Body, frozen=True, tag="survey_answered"):
    """The first score is final."""

    ask: int
    score: int


class SurveyCommented(Body, frozen=True, tag="survey_commented"):
    """At most once, after the score."""

    ask: int
    text: str


class SurveyExpired(Body, frozen=True, tag="survey_expired"):
    """Nobody answered in time: staff only."""

    ask: int
