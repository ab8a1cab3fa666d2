"""Message kinds: what may be said beside or instead of text (SPEC 5.5).

Invariant: each has a plain-text form (`engine.core.contents`), which is the text of its message.
"""

from typing import Literal

import msgspec

from protocol.ids import AttachmentId


class Option(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something to choose. `value` is what the app is told; the id if empty."""

    id: str
    label: str
    value: str = ""


class Button(msgspec.Struct, frozen=True, omit_defaults=True):
    """`url`: opened by the app; without one, pressing it chooses `id`."""

    id: str
    label: str
    url: str = ""


class FormField(msgspec.Struct, frozen=True, omit_defaults=True):
    """`options` for kind choice only."""

    id: str
    label: str
    kind: Literal["text", "email", "phone", "number", "date", "choice"] = "text"
    required: bool = False
    options: list[Option] = []


class Content(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """What a message holds beside its text, which is always its plain form."""


class QuickReplies(Content, frozen=True, tag="quick_replies"):
    """1–13 options, shown until one is chosen or something else is said."""

    options: list[Option]


class Buttons(Content, frozen=True, tag="buttons"):
    """1–5 buttons."""

    buttons: list[Button]


class Card(Content, frozen=True, tag="card"):
    """A title of 1–100 characters, and what else there is: a text, an https image, up to 5 buttons."""

    title: str
    text: str = ""
    image: str = ""
    buttons: list[Button] = []


class Carousel(Content, frozen=True, tag="carousel"):
    """2–10 cards side by side."""

    cards: list[Card]


class Form(Content, frozen=True, tag="form"):
    """1–20 fields, filled in together."""

    title: str
    fields: list[FormField]


class ArticleLink(Content, frozen=True, tag="article"):
    """An article of the knowledge base or elsewhere, by its https address."""

    title: str
    url: str
    snippet: str = ""


class Choice(Content, frozen=True, tag="choice"):
    """The visitor chose `option` of the message at seq `of`."""

    of: int
    option: str


class FormValues(Content, frozen=True, tag="form_values"):
    """The visitor filled in the form at seq `of`: field id → value."""

    of: int
    values: dict[str, str]


class File(msgspec.Struct, frozen=True, omit_defaults=True):
    """An attachment. `size` in bytes; `width` and `height` in pixels, of images alone."""

    id: AttachmentId
    kind: Literal["image", "voice", "file"]
    name: str
    type: str
    size: int
    width: int = 0
    height: int = 0


class Files(Content, frozen=True, tag="files"):
    """1–10 attachments. `caption`: what was said with them; the message's text is it and their names."""

    files: list[File]
    caption: str = ""


AgentContent = QuickReplies | Buttons | Card | Carousel | Form | ArticleLink

VisitorContent = Choice | FormValues

AnyContent = AgentContent | VisitorContent | Files
