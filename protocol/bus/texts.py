"""Texts per locale, the chain by which one is chosen, and how blanks in it are filled.

Invariant: the same texts and locale give the same text on every machine.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

_NORWEGIAN = ("nb", "nn", "no")
_BLANK = re.compile(r"\{([a-z_]+)\}")


@lru_cache(maxsize=4_096)
def tongues(locale: str) -> tuple[str, ...]:
    """Return the locales that a reader of `locale` understands, best first: `nb-NO` → `nb` → `no`."""
    language, *more = locale.replace("_", "-").split("-")
    parts = [language.lower(), *(part.title() if len(part) == 4 else part.upper() for part in more)]
    narrowing = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    norwegian = ("no", "nb") if parts[0] in _NORWEGIAN else ()
    return tuple(dict.fromkeys((*narrowing, *norwegian)))


@lru_cache(maxsize=4_096)
def chain(locale: str, default: str) -> tuple[str, ...]:
    """Return the locales to try: `nb-NO` → `nb` → `no` → the flow's default language → `en` (product §2, language)."""
    return tuple(dict.fromkeys((*tongues(locale), *tongues(default), "en")))


def text_for(texts: Mapping[str, str], locale: str, default: str) -> str | None:
    """Return the text along the chain, or None."""
    return next((texts[each] for each in chain(locale, default) if each in texts), None)


def fill(text: str, **values: str) -> str:
    """Return `text` with each {name} that is given replaced; others stay as they are."""
    return _BLANK.sub(lambda blank: values.get(blank[1], blank[0]), text)


def blanks(text: str) -> set[str]:
    """Return the names of the blanks in `text`."""
    return set(_BLANK.findall(text))
