"""The demo's voice: who did or said what, when, and whether each chapter came out as claimed.

Invariant: says only what was done or seen; one line each.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import cycle

import click

from app.demo.facts import Fact, all_hold
from app.demo.tongue import ENGLISH, Tongue

_COLOURS = ("cyan", "magenta", "yellow", "blue", "bright_cyan", "bright_magenta")
_NAME_CHARS = 8


def wall_clock() -> str:
    """Return the time of day."""
    return datetime.now().strftime("%H:%M:%S.%f")[:-5]


class Narrator:
    """`echo` takes each line, `clock` gives its time."""

    def __init__(self, echo: Callable[[str], object], clock: Callable[[], str] = wall_clock) -> None:
        self.tongue: Tongue = ENGLISH
        self._echo, self._clock = echo, clock
        self._colours: dict[str, str] = {}
        self._unused = cycle(_COLOURS)

    def opens(self, title: str, where: str, tongue: Tongue) -> None:
        """Say what is told and where it is played, in the tongue of all that follows."""
        self.tongue = tongue
        self._echo(click.style(title, bold=True) + f" · {where}")

    def chapter(self, number: int, title: str) -> None:
        """Begin a chapter."""
        self._echo("")
        self._echo(click.style(f"{number:>2}  {title}", bold=True))

    def says(self, who: str, text: str) -> None:
        """Somebody says `text`."""
        self._line(who, self.tongue.said.format(text=text))

    def does(self, who: str, what: str) -> None:
        """Somebody does something."""
        self._line(who, what)

    def sees(self, who: str, what: str) -> None:
        """Something comes to somebody's notice."""
        self._line(who, click.style(f"· {what}", dim=True))

    def verdict(self, fact: Fact) -> None:
        """Say whether the chapter's claim held, and what shows it."""
        mark = click.style("✓", fg="green") if fact.holds else click.style("✗", fg="red")
        self._echo(f"    {mark} {fact.evidence}")

    def ends(self, facts: list[Fact], took_s: float) -> None:
        """Sum the story up."""
        self._echo("")
        for fact in facts:
            mark = click.style("✓", fg="green") if fact.holds else click.style("✗", fg="red")
            self._echo(f"    {mark} {fact.name.replace('_', ' ')}")
        holding = sum(fact.holds for fact in facts)
        colour = "green" if all_hold(facts) else "red"
        self._echo("")
        counted = self.tongue.holding.format(holding=holding, all=len(facts), took_s=took_s)
        self._echo(click.style(counted, fg=colour, bold=True))
        self._echo("")

    def _line(self, who: str, what: str) -> None:
        if who not in self._colours:
            self._colours[who] = next(self._unused)
        name = click.style(f"{who:<{_NAME_CHARS}}", fg=self._colours[who])
        self._echo(f"    {click.style(self._clock(), dim=True)}  {name} {what}")
