"""Texts per locale, and the chain by which one is chosen.

Invariant: the same texts and locale give the same text on every machine.
"""

from collections.abc import Mapping


def chain(locale: str, default: str) -> list[str]:
    """Return the locales to try: `nb-NO` → `nb` → `no` → the flow's default language → `en` (product §2, language)."""
    language = locale.partition("-")[0]
    norwegian = ["no"] if language in ("nb", "nn") else []
    return list(dict.fromkeys([locale, language, *norwegian, default, default.partition("-")[0], "en"]))


def text_for(texts: Mapping[str, str], locale: str, default: str) -> str | None:
    """Return the text along the chain, or None."""
    return next((texts[each] for each in chain(locale, default) if each in texts), None)
