"""Every text that nobody wrote: interface texts and what the server says, in seven languages (product §2, language).

Invariant: there is always a text. Two ways of choosing, by what matters more: an *interface* text is in the reader's
language, whoever wrote it; what is *said* is in the company's own words, in the best language they gave.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

import msgspec

from protocol.bus.chatflow import Chatflow, Texts
from protocol.bus.config import AccountConfig
from protocol.bus.texts import chain, fill, text_for

LOCALES = ("nb", "en", "de", "fr", "es", "ar", "ja")
UNSAID: Texts = {}


class Locale(msgspec.Struct, frozen=True):
    """The texts of one locale: name → text. `interface` is sent to phones; `said` is what the server says itself."""

    interface: Texts
    said: Texts


@cache
def catalogue() -> Mapping[str, Locale]:
    """Return the texts of every locale, read once."""
    files = resources.files("protocol.bus.locales")
    return {name: msgspec.json.decode((files / f"{name}.json").read_bytes(), type=Locale) for name in LOCALES}


def interface(config: AccountConfig, flow: Chatflow, locale: str) -> Texts:
    """Return every interface text for a reader of `locale`: the flow's, the account's or the catalogue's."""
    found: Texts = {}
    for each in reversed(chain(locale, flow.language)):
        if each in catalogue():
            found |= catalogue()[each].interface
        for own in (config.texts.get(each, UNSAID), flow.texts.get(each, UNSAID)):
            found |= {name: text for name, text in own.items() if name in catalogue()["en"].interface}
    return found


def said(config: AccountConfig, flow: Chatflow, locale: str, name: str, own: Texts = UNSAID) -> str:
    """Return what the server says under `name`: `own`, or the flow's, or the account's, or the catalogue's text."""
    for texts in (own, *_layers(config, flow, name)):
        text = text_for(texts, locale, flow.language)
        if text is not None:
            return text
    raise AssertionError(f"the catalogue has no text {name}")


def label(config: AccountConfig, flow: Chatflow, locale: str) -> str | None:
    """Return what stands beside the box of the consent to communicate; None if the flow has none."""
    if flow.communicate is None:
        return None
    names = {subscription.id: subscription.name for subscription in config.subscriptions}
    text = said(config, flow, locale, "consent_communicate", flow.communicate.label)
    return fill(text, subscription=names.get(flow.communicate.subscription, flow.communicate.subscription))


def _layers(config: AccountConfig, flow: Chatflow, name: str) -> Iterator[Texts]:
    for texts in (flow.texts, config.texts):
        yield {locale: named[name] for locale, named in texts.items() if name in named}
    yield _default(name)


@cache
def _default(name: str) -> Texts:
    return {locale: texts.said[name] for locale, texts in catalogue().items() if name in texts.said}
