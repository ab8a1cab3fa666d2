"""Whether the texts of an account can be said: languages, names of the catalogue, blanks.

Invariant: no text is refused for what it says; only for a language that is missing, or a blank that nothing fills.
"""

from collections.abc import Iterator
from difflib import get_close_matches

from admin.workspace.flows import is_link
from admin.workspace.shape import Account
from admin.workspace.structs import Placed
from protocol.bus.catalogue import catalogue
from protocol.bus.chatflow import Chatflow, Survey, Texts
from protocol.bus.config import Canned
from protocol.bus.texts import blanks, tongues

CANNED_BLANKS = frozenset({"agent", "visitor", "inbox", "conversation"})
_BLANKS = {
    "communicate.label": {"subscription"},
    "availability.opening_text": {"opens"},
    "availability.reply_text": {"time"},
}


def check(account: Placed[Account]) -> None:
    """Note what is wrong with the account's texts."""
    _check_overrides(account, account.thing.texts)
    for canned in account.thing.canned:
        _check_canned(canned)
    for flow in account.thing.chatflows:
        _check_overrides(flow, flow.thing.texts)
        for field, texts in texts_of(flow.thing):
            _check_texts(flow, field, texts)
        for survey in account.thing.surveys:
            if flow.thing.survey is not None and flow.thing.survey.id == survey.thing.id and is_link(flow):
                _check_linked(flow, survey)


def texts_of(flow: Chatflow) -> Iterator[tuple[str, Texts]]:
    """Yield the texts that the flow itself has, by field; those of a linked survey are not here."""
    yield "welcome", flow.welcome
    yield "consent.text", flow.consent.text
    yield "storage.text", flow.storage.text
    yield "email.text", flow.email.text
    yield "email.away_text", flow.email.away_text
    yield "availability.away_text", flow.availability.away_text
    yield "availability.opening_text", flow.availability.opening_text
    yield "availability.reply_text", flow.availability.reply_text
    if flow.communicate is not None:
        yield "communicate.label", flow.communicate.label
    if flow.survey is not None:
        yield from ((f"survey.{field}", texts) for field, texts in _asked(flow.survey))


def _asked(survey: Survey) -> Iterator[tuple[str, Texts]]:
    yield "question", survey.question
    for score, texts in survey.follow_up.items():
        yield f"follow_up.{score}", texts
    for score, texts in survey.thanks.items():
        yield f"thanks.{score}", texts


def _check_linked(flow: Placed[Chatflow], survey: Placed[Survey]) -> None:
    language = flow.thing.language
    for field, texts in _asked(survey.thing):
        if texts and language and not any(survey.has(f"{field}.{locale}") for locale in tongues(language)):
            flow.wrong("survey", f"{survey.thing.id} has no {field} in {language}, the chatflow's language")


def _check_texts(flow: Placed[Chatflow], field: str, texts: Texts) -> None:
    language = flow.thing.language
    if texts and language and not any(flow.has(f"{field}.{locale}") for locale in tongues(language)):
        flow.wrong(field, f"has no text in {language}, the chatflow's language")
    for locale, text in texts.items():
        for blank in sorted(blanks(text) - _BLANKS.get(field, blanks(text))):
            flow.wrong(f"{field}.{locale}", f"{{{blank}}} is filled by nothing here")


def _check_canned(canned: Placed[Canned]) -> None:
    for locale, text in canned.thing.text.items():
        for blank in sorted(blanks(text) - CANNED_BLANKS):
            known = ", ".join(f"{{{name}}}" for name in sorted(CANNED_BLANKS))
            canned.wrong(f"text.{locale}", f"{{{blank}}} is filled by nothing; there are {known}")


def _check_overrides(placed: Placed[Account] | Placed[Chatflow], texts: dict[str, Texts]) -> None:
    english = catalogue()["en"].interface | catalogue()["en"].said
    for locale, named in texts.items():
        for name, text in named.items():
            field = f"texts.{locale}.{name}"
            if name not in english:
                near = get_close_matches(name, english, 1)
                placed.wrong(field, f"is no text of the catalogue{f'; do you mean {near[0]}?' if near else ''}")
                continue
            for blank in sorted(blanks(text) - blanks(english[name])):
                placed.wrong(field, f"{{{blank}}} is filled by nothing here")
