"""What a message holds beside its text (SPEC 7.2).

Invariant: a client that shows only the text leaves nothing out: it is always the content's plain form.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from samtale.reading import tag


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose; `value` is what the app is told, the id if empty."""

    id: str
    label: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """`url`: opened by the app; without one, pressing it chooses `id`."""

    id: str
    label: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class FormField:
    """`kind`: text, email, phone, number, date or choice (of `options`)."""

    id: str
    label: str
    kind: str = "text"
    required: bool = False
    options: list[Option] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Content:
    """More than text."""


@dataclass(frozen=True, slots=True)
class QuickReplies(Content):
    """Shown until one is chosen or something else is said."""

    options: list[Option]


@dataclass(frozen=True, slots=True)
class Buttons(Content):
    buttons: list[Button]


@dataclass(frozen=True, slots=True)
class Card(Content):
    title: str
    text: str = ""
    image: str = ""
    buttons: list[Button] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Carousel(Content):
    cards: list[Card]


@dataclass(frozen=True, slots=True)
class Form(Content):
    title: str
    fields: list[FormField]


@dataclass(frozen=True, slots=True)
class ArticleLink(Content):
    title: str
    url: str
    snippet: str = ""


@dataclass(frozen=True, slots=True)
class Choice(Content):
    """The visitor chose `option` of the message at seq `of`."""

    of: int
    option: str


@dataclass(frozen=True, slots=True)
class FormValues(Content):
    """The visitor filled in the form at seq `of`: field id → value."""

    of: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class File:
    """An attachment; `kind`: image (with `width` and `height` in pixels), voice or file. `size` in bytes."""

    id: str
    kind: str
    name: str
    type: str
    size: int
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Files(Content):
    """What was sent with `caption`; where each can be had, `download` tells."""

    files: list[File]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class UnknownContent(Content):
    """A kind that this client is too old for: show the message's text."""

    kind: str
    fields: dict[str, Any]


KINDS: dict[str, type[Content]] = {
    "quick_replies": QuickReplies,
    "buttons": Buttons,
    "card": Card,
    "carousel": Carousel,
    "form": Form,
    "article": ArticleLink,
    "choice": Choice,
    "form_values": FormValues,
    "files": Files,
}
NAMES = {kind: name for name, kind in KINDS.items()}

read_content = tag(Content, KINDS, UnknownContent)


def to_wire(content: Content) -> dict[str, Any]:
    """Return the map that a frame carries; what is as by default is left out."""
    fields = asdict(content, dict_factory=_told)
    if isinstance(content, Carousel):
        fields["cards"] = [to_wire(card) for card in content.cards]
    return {"kind": NAMES[type(content)], **fields}


def _told(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in fields if value not in ("", [], False) and (name, value) != ("kind", "text")}


def plain_choice(asked: Content | None, option: str) -> str:
    """Return what choosing `option` of `asked` says; the id itself if it is not known."""
    match asked:
        case QuickReplies(options):
            named: list[Option] | list[Button] = options
        case Buttons(buttons) | Card(buttons=buttons):
            named = buttons
        case Carousel(cards):
            named = [button for card in cards for button in card.buttons]
        case _:
            named = []
    return next((each.label for each in named if each.id == option), option)


def plain_values(asked: Content | None, values: Mapping[str, str]) -> str:
    """Return what filling in the form says: a line for each value."""
    fields = {each.id: each for each in asked.fields} if isinstance(asked, Form) else {}
    lines = []
    for name, value in values.items():
        label = fields[name].label if name in fields else name
        options = fields[name].options if name in fields else []
        said = next((option.label for option in options if option.id == value), value)
        lines.append(f"{label}: {said}")
    return "\n".join(lines) or "-"
