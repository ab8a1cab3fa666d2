"""What a message may hold beside its text, and its plain form, which the server makes (SPEC 5.4, 7.2).

Invariant: the plain form says all that the content does, so that a client which knows no content leaves nothing out.
What is not as SPEC says has no plain form at all: None, to be refused.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date

from engine.core.beside import Chooseable
from protocol.bus.steps import address_in
from protocol.ids import is_id
from protocol.wire import kinds
from protocol.wire.kinds import Button, Card, FormField, Option
from protocol.wire.limits import MAX_TEXT_CHARS

MAX_LABEL, MAX_TITLE, MAX_HEADLINE, MAX_PROSE, MAX_VALUE, MAX_URL = 80, 100, 200, 1_000, 2_000, 2_000
_OPENS = re.compile(r"(?:https://|tel:|mailto:)[^\s<>\"]+")
_HTTPS = re.compile(r"https://[^\s<>\"]+")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:[.,][0-9]{1,18})?")
_PHONE = re.compile(r"\+?[0-9](?:[ ()./-]?[0-9]){3,19}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def plain_form(said: kinds.AgentContent, lead: str = "") -> str | None:
    """Return `lead` and behind it the text that stands for `said`; None if `said` is not as it must be."""
    plain = _plain(said)
    text = f"{lead}\n{plain}" if plain and lead and not lead.isspace() else plain
    return text if text is not None and len(text) <= MAX_TEXT_CHARS else None


def chosen(chooseable: Iterable[Chooseable], said: kinds.VisitorContent) -> str | None:
    """Return the text that stands for a visitor's choice or filled form; None if nothing asks for it."""
    asked = next((each for each in chooseable if each.seq == said.of), None)
    if asked is None:
        return None
    if isinstance(said, kinds.Choice):
        return next((option.label for option in asked.options if option.id == said.option), None)
    return _filled(asked.fields, said.values) if asked.fields else None


def _plain(said: kinds.AgentContent) -> str | None:
    match said:
        case kinds.QuickReplies(options=options):
            fits = 1 <= len(options) <= 13 and _options_fit(options)
            return _listed(option.label for option in options) if fits else None
        case kinds.Buttons(buttons=buttons):
            return _listed(map(_button, buttons)) if len(buttons) >= 1 and _buttons_fit([buttons]) else None
        case kinds.Card():
            return _card(said) if _card_fits(said) and _buttons_fit([said.buttons]) else None
        case kinds.Carousel(cards=cards):
            fits = 2 <= len(cards) <= 10 and all(map(_card_fits, cards))
            return "\n\n".join(map(_card, cards)) if fits and _buttons_fit([card.buttons for card in cards]) else None
        case kinds.Form(title=title, fields=fields):
            fits = _words(title, MAX_TITLE) and 1 <= len(fields) <= 20 and _fields_fit(fields)
            return f"{title}\n{_listed(map(_field, fields))}" if fits else None
        case kinds.ArticleLink(title=title, url=url, snippet=snippet):
            fits = _words(title, MAX_HEADLINE) and _address(_HTTPS, url) and len(snippet) <= MAX_PROSE
            return "\n".join(filter(None, (title, snippet, url))) if fits else None


def _words(text: str, most: int) -> bool:
    return 0 < len(text) <= most and not text.isspace()


def _address(form: re.Pattern[str], url: str) -> bool:
    return len(url) <= MAX_URL and form.fullmatch(url) is not None


def _ids_fit(ids: Sequence[str]) -> bool:
    return len(set(ids)) == len(ids) and all(map(is_id, ids))


def _options_fit(options: Sequence[Option]) -> bool:
    fit = all(_words(option.label, MAX_LABEL) and len(option.value) <= MAX_VALUE for option in options)
    return fit and _ids_fit([option.id for option in options])


def _buttons_fit(rows: Sequence[Sequence[Button]]) -> bool:
    buttons = [button for row in rows for button in row]
    fit = all(
        _words(button.label, MAX_LABEL) and (not button.url or _address(_OPENS, button.url)) for button in buttons
    )
    return fit and all(len(row) <= 5 for row in rows) and _ids_fit([button.id for button in buttons])


def _card_fits(card: Card) -> bool:
    image = not card.image or _address(_HTTPS, card.image)
    return image and _words(card.title, MAX_TITLE) and len(card.text) <= MAX_PROSE


def _fields_fit(fields: Sequence[FormField]) -> bool:
    def fits(field: FormField) -> bool:
        asks = 1 <= len(field.options) <= 20 if field.kind == "choice" else not field.options
        return asks and _words(field.label, MAX_LABEL) and _options_fit(field.options)

    return all(map(fits, fields)) and _ids_fit([field.id for field in fields])


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _button(button: Button) -> str:
    return f"{button.label}: {button.url}" if button.url else button.label


def _card(card: Card) -> str:
    return "\n".join(filter(None, (card.title, card.text, card.image, _listed(map(_button, card.buttons)))))


def _field(field: FormField) -> str:
    options = f" ({', '.join(option.label for option in field.options)})" if field.options else ""
    return f"{field.label}{options}{' *' if field.required else ''}"


def _filled(fields: Sequence[FormField], values: dict[str, str]) -> str | None:
    if not values.keys() <= {field.id for field in fields}:
        return None
    lines = []
    for field in fields:
        value = values.get(field.id, "").strip()
        shown = _value(field, value) if value else None
        if shown is None and (value or field.required):
            return None
        if shown is not None:
            lines.append(f"{field.label}: {shown}")
    text = "\n".join(lines)
    return text if 0 < len(text) <= MAX_TEXT_CHARS else None


def _value(field: FormField, value: str) -> str | None:
    """Return `value` as it is shown; None if it is not of the field's kind."""
    if len(value) > MAX_VALUE:
        return None
    match field.kind:
        case "text":
            return value
        case "email":
            return address_in(value)
        case "phone":
            return value if _PHONE.fullmatch(value) else None
        case "number":
            return value if _NUMBER.fullmatch(value) else None
        case "date":
            return value if _is_day(value) else None
        case "choice":
            return next((option.label for option in field.options if option.id == value), None)


def _is_day(value: str) -> bool:
    if _DAY.fullmatch(value) is None:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
