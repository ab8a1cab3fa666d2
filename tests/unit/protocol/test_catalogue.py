"""The catalogue: whole in every language, and overridden where somebody wrote their own."""

import pytest
from msgspec.structs import replace

from protocol.bus import chatflow, openings
from protocol.bus.catalogue import LOCALES, catalogue, interface, label, said
from protocol.bus.config import AccountConfig, Subscription
from protocol.bus.hours import Hours, Interval
from protocol.bus.texts import blanks
from protocol.ids import HoursId, SubscriptionId
from protocol.wire.codes import Code
from tests.kit.workplace import OPEN, workplace
from tests.kit.workplace import chatflow as flow_of

AGENTS_ONLY = {
    Code.NOT_PERMITTED, Code.NOT_ASSIGNED, Code.ALREADY_ASSIGNED, Code.AT_CAPACITY, Code.OFFER_GONE,
    Code.SEAT_REQUIRED, Code.NOT_AVAILABLE, Code.TICKET_INVALID,
}  # fmt: skip
CONFIG = workplace()
FLOW = flow_of(OPEN)


def test_there_are_seven_languages() -> None:
    """Norwegian, English, German, French, Spanish, Arabic and Japanese."""
    assert set(LOCALES) == {"nb", "en", "de", "fr", "es", "ar", "ja"} == set(catalogue())


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_every_text_with_the_same_blanks(locale: str) -> None:
    """Nothing is missing, nothing is left over, and each {blank} is in all of them."""
    english, other = catalogue()["en"], catalogue()[locale]
    for texts, wanted in ((other.interface, english.interface), (other.said, english.said)):
        assert texts.keys() == wanted.keys()
        assert {name for name in wanted if blanks(texts[name]) != blanks(wanted[name])} == set()
        assert {name for name, text in texts.items() if not text.strip()} == set()


@pytest.mark.parametrize(
    "code", sorted(set(Code) - AGENTS_ONLY, key=lambda code: code.wire), ids=lambda code: code.wire
)
def test_every_refusal_that_a_visitor_can_get_is_said(code: Code) -> None:
    """In words for the person, by the name that the refusal has on the wire."""
    assert f"error_{code.wire}" in catalogue()["en"].interface


def test_no_language_is_a_copy_of_another() -> None:
    """Long texts differ everywhere; a short word may be the same in two."""
    for name in ("consent_explicit", "consent_legitimate_interest", "consent_storage", "email_away", "away"):
        assert len({texts.said[name] for texts in catalogue().values()}) == len(LOCALES)


@pytest.mark.parametrize(
    ("locale", "send"),
    [
        ("nb-NO", "Send"),
        ("de-AT", "Senden"),
        ("fr", "Envoyer"),
        ("ja-JP", "送信"),
        ("sv-SE", "送信"),
        ("AR_eg", "إرسال"),
    ],
)
def test_an_interface_text_is_in_the_readers_language(locale: str, send: str) -> None:
    """Else in the chatflow's; the writing of the locale does not matter."""
    assert interface(CONFIG, replace(FLOW, language="ja"), locale)["send"] == send


def test_an_interface_text_may_be_the_flows_or_the_accounts_own() -> None:
    """The flow's before the account's before the catalogue's, in each language by itself."""
    account = replace(CONFIG, texts={"nb": {"send": "Send nå", "retry": "Igjen"}, "de": {"send": "Los"}})
    flow = replace(FLOW, texts={"nb": {"send": "Av sted"}})
    assert [interface(account, flow, locale)["send"] for locale in ("nb", "de", "fr")] == ["Av sted", "Los", "Envoyer"]
    assert interface(account, flow, "nb-NO")["retry"] == "Igjen"
    assert interface(account, flow, "nb").keys() == interface(CONFIG, FLOW, "nb").keys()


def test_what_is_said_is_in_the_companys_own_words_if_it_wrote_any() -> None:
    """Its own text in the best language it gave, else the flow's, the account's, the catalogue's."""
    account = replace(CONFIG, texts={"en": {"away": "Account away"}})
    flow = replace(FLOW, language="en", texts={"en": {"away": "Flow away"}})
    assert said(account, flow, "nb", "away", {"en": "Own away", "nb": "Egen"}) == "Egen"
    assert said(account, flow, "nb", "away", {"en": "Own away"}) == "Own away"
    assert said(account, flow, "nb", "away") == "Flow away"
    assert said(account, FLOW, "nb", "away") == "Account away"
    assert said(CONFIG, FLOW, "nb", "away").startswith("Vi er ikke her")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_its_default_texts(locale: str) -> None:
    """Consent of both kinds, communication, storage, e-mail, away and surveys: nothing has to be written to begin."""
    for name in (
        "consent_explicit", "consent_legitimate_interest", "consent_communicate", "consent_storage", "email_before_chat",
        "email_open", "email_away", "email_again", "away", "survey_question_faces", "survey_thanks",
    ):  # fmt: skip
        assert said(CONFIG, FLOW, locale, name) == catalogue()[locale].said[name]


def test_the_box_of_the_consent_to_communicate_names_its_subscription() -> None:
    """By its name; a flow without the consent has no box."""
    config = replace(CONFIG, subscriptions=[Subscription(SubscriptionId("news"), "Nyhetsbrev")])
    flow = replace(FLOW, communicate=chatflow.Communicate(SubscriptionId("news")))
    assert label(config, flow, "nb") == "Ja takk, dere kan sende meg e-post om Nyhetsbrev."
    assert label(config, FLOW, "nb") is None


WEEK = [[Interval(480, 960)] for _ in range(7)]
OSLO = Hours(HoursId("office"), "Office", "Europe/Oslo", WEEK)
MONDAY_ELEVEN_UTC = 1_700_478_000_000  # 20 November 2023, 12:00 in Oslo


def opening(config: AccountConfig, locale: str, hours: int) -> str:
    flow = replace(FLOW, availability=chatflow.Availability("office_hours", HoursId("office")))
    return openings.opening_text(config, flow, locale, MONDAY_ELEVEN_UTC + hours * 3_600_000, MONDAY_ELEVEN_UTC)


@pytest.mark.parametrize(
    ("locale", "hours", "says"),
    [
        ("nb", 2, "Vi er tilbake i dag kl. 14:00."),
        ("en", 20, "We are back tomorrow at 08:00."),
        ("de", 68, "Wir sind am Donnerstag um 08:00 Uhr wieder da."),
        ("fr", 7 * 24, "Nous serons de retour le 27 novembre à 12:00."),
        ("ja", 7 * 24, "11月27日12:00に再開します。"),
    ],
)
def test_the_next_opening_is_said_by_the_shops_clock(locale: str, hours: int, says: str) -> None:
    """Today, tomorrow, a weekday or a date, in the time zone of its hours."""
    assert opening(replace(CONFIG, hours=[OSLO]), locale, hours) == says


def test_the_reply_time_is_said_in_the_flows_words() -> None:
    """With {time} filled in; its own text if it has one."""
    flow = replace(FLOW, availability=chatflow.Availability(reply_text={"en": "Answer {time}!"}))
    assert openings.reply_text(CONFIG, FLOW, "nb", "minutes") == "Vi svarer vanligvis i løpet av noen minutter."
    assert openings.reply_text(CONFIG, flow, "en", "day") == "Answer within a day!"
