"""What both terminals say in the same way: times, names, what was said, refusals and farewells.

Invariant: a message is shown whole; what may be chosen of it has the number by which it is chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import samtale

Words = tuple[str, str | None, bool]  # text, colour, whether it is dim

_FAREWELL = {
    4005: "the same device connected elsewhere",
    4501: "the credential is wrong",
    4502: "this client is too old for the server",
    4503: "this origin is not allowed",
    4504: "logged out",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: an agent by id, or the visitor of the conversation (no id). `names` of agents and teams by id."""

    role: str
    id: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, author: samtale.Author) -> str:
        """Return what this reader calls `author`."""
        if author.role == self.role and self.id in ("", author.id):
            return "you"
        return author.name or author.role


def clock(at_ms: int) -> str:
    """Return the local time, with the day if it is not today."""
    at = datetime.fromtimestamp(at_ms / 1000)
    return at.strftime("%H:%M" if at.date() == datetime.now().date() else "%Y-%m-%d %H:%M")


def of_message(event: samtale.LogEvent, said: samtale.Message, reader: Reader) -> Words:
    """Return a message; what may be chosen of it is numbered."""
    name = reader.name_of(said.by)
    text = "(removed)" if said.redacted else numbered(said)
    lines = text.split("\n")
    shown = "\n".join([f"{clock(event.at_ms)}  {name}: {lines[0]}", *(f"       {line}" for line in lines[1:])])
    return shown, None if name == "you" else "cyan", said.redacted


def numbered(said: samtale.Message) -> str:
    """Return its text, with the number of each choice in the place of the dash before it."""
    text, after = said.text, 0
    for number, (_, label) in enumerate(choices(said.content), start=1):
        at = text.find(f"- {label}", after)
        if at >= 0:
            text, after = f"{text[:at]}{number}) {text[at + 2 :]}", at + 2
    return text


def choices(content: samtale.Content | None) -> list[tuple[str, str]]:
    """Return id and label of what may be chosen; a button that opens an address chooses nothing."""
    match content:
        case samtale.QuickReplies(options):
            return [(option.id, option.label) for option in options]
        case samtale.Buttons(buttons) | samtale.Card(buttons=buttons):
            return [(button.id, button.label) for button in buttons if not button.url]
        case samtale.Carousel(cards):
            return [pair for card in cards for pair in choices(card)]
        case _:
            return []


def of_refusal(refused: samtale.Refused, said: str = "", texts: Mapping[str, str] | None = None) -> str:
    """Return why something was not done; `said`: what was said, if it was a message; `texts` of the chatflow."""
    why = (texts or {}).get(f"error_{refused.code}") or f"{refused.text} ({refused.code})"
    return f"not sent, “{said}”: {why}" if said else f"not done: {why}"


def of_farewell(event: samtale.Disconnected, refused: samtale.Refused | None) -> str:
    """Return why the server does not want us back."""
    if event.code == 4501 and event.reason.startswith("login:"):
        return "the e-mail or the password is wrong"
    why = _FAREWELL.get(event.code, f"the server ended it for good, {event.code}")
    more = f"{refused.text} ({refused.code})" if refused is not None and not refused.id else event.reason
    return f"{why}: {more}" if more else why
