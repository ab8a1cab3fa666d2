"""A survey on the screen.

Invariant: it is said to be seen when its question was shown, and shown only while it can be answered.
"""

from collections.abc import Callable
from time import time

import samtale

from app.terminal.console import Console
from app.terminal.visitor_words import VisitorWords

_Ask = tuple[str, int]  # the conversation that asked, and the number of its ask
_SCALES = {"faces": range(3), "stars": range(1, 6), "ten": range(11), "thumbs": range(2)}


class SurveyScreen:
    """The newest survey that awaits something; `asks` is told of every answer that goes out."""

    def __init__(
        self,
        client: samtale.VisitorClient,
        console: Console,
        words: VisitorWords,
        asks: Callable[[samtale.Asked], None],
    ) -> None:
        self._client = client
        self._console = console
        self._words = words
        self._asks = asks
        self._open: dict[_Ask, samtale.SurveyAsked] = {}  # in the order in which they were asked
        self._scored: set[_Ask] = set()
        self._seen: set[_Ask] = set()

    def take(self, event: samtale.LogEvent, is_live: bool) -> None:
        """Take what the log says of surveys; one that is asked live is shown at once."""
        match event.body:
            case samtale.SurveyAsked(ask=ask) as asked:
                self._open[event.conversation, ask] = asked
                if is_live:
                    self.show()
            case samtale.SurveySeen(ask, dismissed):
                self._seen.add((event.conversation, ask))
                if dismissed:
                    self._open.pop((event.conversation, ask), None)
            case samtale.SurveyAnswered(ask, score) if (event.conversation, ask) in self._open:
                self._scored.add((event.conversation, ask))
                if is_live:
                    self._thank(self._open[event.conversation, ask], score)
            case samtale.SurveyCommented(ask):
                self._open.pop((event.conversation, ask), None)

    def show(self) -> None:
        """Put the newest question that has no score on the screen, and say that it was seen."""
        name = next((name for name in reversed(self._open) if name not in self._scored), None)
        if name is None or self._open[name].until_ms <= time() * 1000:
            return
        asked = self._open[name]
        self._console.say(f"       {asked.question}", "yellow")
        self._console.say(f"       {self._scale(asked.scale)}   (/rate N, /later)", "yellow")
        if name not in self._seen:
            self._seen.add(name)
            self._asks(self._client.see_survey(*name))

    def answer(self, line: str) -> bool:
        """Do what `line` says, and return whether it was about a survey."""
        word, _, rest = line.partition(" ")
        if word not in ("/rate", "/later", "/comment"):
            return False
        name = next(reversed(self._open), None)
        if name is None:
            self._console.say("       nothing is asked", "red")
            return True
        match word:
            case "/rate" if rest.strip().isdecimal():
                self._asks(self._client.answer_survey(*name, int(rest)))
            case "/later":
                self._asks(self._client.dismiss_survey(*name))
            case "/comment" if rest.strip():
                self._asks(self._client.comment_survey(*name, rest.strip()))
            case _:
                self._console.say(f"       {self._scale(self._open[name].scale)}", "red")
        return True

    def _thank(self, asked: samtale.SurveyAsked, score: int) -> None:
        more = asked.follow_up.get(str(score)) or asked.follow_up.get("any")
        thanks = asked.thanks.get(str(score)) or asked.thanks.get("any")
        if thanks:
            self._console.say(f"       {thanks}", "green")
        if more:
            self._console.say(f"       {more}  (/comment TEXT)", "yellow")

    def _scale(self, scale: str) -> str:
        texts = self._words.texts
        steps = _SCALES.get(scale, range(0))
        named = [f"{step} {texts.get(f'survey_{scale}_{step}', '')}".strip() for step in steps]
        return "  ".join(named) if scale in ("faces", "thumbs") else f"{steps.start}–{steps.stop - 1}"
