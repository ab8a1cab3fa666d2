"""HTML as values: text is text, and becomes markup only here.

Invariant: a `str` is escaped wherever it stands, in content or in an attribute; only `Html` passes as it is, and only
this module, the plots and the style sheet make one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

_VOID = frozenset({"meta", "br"})


@dataclass(frozen=True, slots=True)
class Html:
    """A piece of markup that is safe to stand in a page."""

    text: str


Child: TypeAlias = str | Html | None


def h(tag: str, *children: Child, **attributes: str) -> Html:
    """Return an element. `class_` is class, and `aria_label` aria-label; a child None is left out."""
    named = "".join(f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"' for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{named}>")
    return Html(f"<{tag}{named}>{joined(children).text}</{tag}>")


def joined(children: Iterable[Child]) -> Html:
    """Return `children` one after the other."""
    return Html("".join(_text(child) for child in children))


def table(label: str, heads: Sequence[str], rows: Iterable[Sequence[Child]]) -> Html:
    """Return a table that scrolls inside itself. The first column names the row; the others are figures."""
    head = h("tr", *(h("th", text, scope="col") for text in heads))
    lines = (h("tr", h("th", name, scope="row"), *(h("td", cell) for cell in cells)) for name, *cells in rows)
    content = h("table", h("thead", head), h("tbody", *lines))
    return h("div", content, class_="scroll", role="region", aria_label=label, tabindex="0")


def facts(pairs: Iterable[tuple[str, Child]]) -> Html:
    """Return names and what they stand for, as a list of terms."""
    return h("dl", *(h("div", h("dt", name), h("dd", said)) for name, said in pairs), class_="facts")


def _text(child: Child) -> str:
    if child is None:
        return ""
    return child.text if isinstance(child, Html) else escape(child)
