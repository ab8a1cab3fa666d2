"""What a phone is shown of a chatflow: the view, the heading, who is there."""

from typing import Any

import msgspec
import pytest

from gateway.core.gate import RuleRow
from gateway.core.showing import availability_view, chatflow_view, heading_view, short, shown_locale
from protocol.bus.chatflow import (
    Availability,
    Chatflow,
    Communicate,
    Consent,
    Display,
    EmailCapture,
    Heading,
    Storage,
)
from protocol.bus.config import AccountConfig
from protocol.bus.hours import Hours, Interval
from protocol.bus.staff import Team
from protocol.bus.steps import text_hash
from protocol.ids import AgentId, HoursId, SubscriptionId, TeamId
from tests.kit.workplace import ANN, BO, CY, OPEN, chatflow, workplace

WEEKDAYS = Hours(HoursId("hrs"), "Weekdays", "Europe/Oslo", [[Interval(540, 960)]] * 5 + [[], []])
MONDAY_8, MONDAY_9 = 1_749_448_800_000, 1_749_452_400_000  # 9 June 2025 in Oslo
OFFICE = Availability("office_hours", WEEKDAYS.id)
SEEN = Availability("agents_available")


def view(locale: str = "en", *, away: bool = False, config: AccountConfig | None = None, **changes: Any) -> Any:
    return chatflow_view(config or workplace(), chatflow(OPEN, **changes), locale, away=away)


def office(**changes: Any) -> tuple[AccountConfig, Chatflow]:
    return msgspec.structs.replace(workplace(), hours=[WEEKDAYS]), chatflow(OPEN, **changes)


def test_the_view_holds_all_there_is_to_show() -> None:
    """Steps, close button, display and words, so that a phone asks for nothing else."""
    shown = view(
        storage=Storage("before_chat", {"en": "Remember?"}),
        consent=Consent("explicit", {"en": "May we?"}),
        communicate=Communicate(SubscriptionId("sub_news"), {"en": "News, please"}),
        email=EmailCapture(open="before_chat", text={"en": "Your address?"}),
        close_button=False,
        display=Display("open", "launcher", "#000000", "#ffffff"),
    )
    assert (shown.storage.ask, shown.storage.text, shown.storage.text_hash) == (
        "before_chat", "Remember?", text_hash("Remember?"),
    )  # fmt: skip
    assert (shown.consent.text, shown.consent.text_hash) == ("May we?", text_hash("May we?"))
    assert (shown.consent.communicate.label, shown.consent.communicate.subscription) == ("News, please", "sub_news")
    assert (shown.email.text, shown.close_button, shown.display.small) == ("Your address?", False, "open")
    assert (shown.welcome, shown.texts["send"]) == ("Hello!", "Send")


@pytest.mark.parametrize(
    "changes",
    [{"consent": Consent("off")}, {"storage": Storage("never")}, {"email": EmailCapture(open="after_delay")}],
)
def test_where_nothing_is_asked_nothing_is_shown(changes: dict[str, Any]) -> None:
    """Mode off, never, and an address that the log asks for."""
    shown = view(**{"consent": Consent("off"), **changes})
    assert (shown.consent, shown.storage, shown.email) == (None, None, None)


def test_the_switches_of_the_account_hide_their_steps() -> None:
    """The texts stay in the chatflow, and come back with the switch."""
    off = msgspec.structs.replace(workplace(), data_privacy=False, storage_consent=False)
    asks = {"consent": Consent("explicit"), "storage": Storage("before_chat")}
    assert (view(config=off, **asks).consent, view(config=off, **asks).storage) == (None, None)
    assert view(**asks).consent.mode == "explicit"


def test_the_address_is_asked_in_the_words_of_the_present_state() -> None:
    """One text while somebody is there, another while nobody is."""
    email = EmailCapture("before_chat", "before_chat", text={"en": "Yours?"}, away_text={"en": "Until we are back?"})
    assert (view(email=email).email.text, view(away=True, email=email).email.text) == ("Yours?", "Until we are back?")


@pytest.mark.parametrize(
    ("locale", "shown", "welcome", "send"),
    [
        ("nb-NO", "nb", "Hei!", "Send"),
        ("no", "nb", "Hei!", "Send"),
        ("de-AT", "de", "Hello!", "Senden"),
        ("pt", "en", "Hello!", "Send"),
    ],
)
def test_each_text_is_in_the_best_language_there_is(locale: str, shown: str, welcome: str, send: str) -> None:
    """The words of the interface from the catalogue, what is said from the company."""
    found = view(locale)
    assert (found.locale, found.welcome, found.texts["send"]) == (shown, welcome, send)


def test_a_language_of_the_companys_own_is_shown() -> None:
    """The catalogue knows seven; who writes an eighth is read."""
    config = msgspec.structs.replace(workplace(), texts={"fi": {"send": "Lähetä"}})
    assert shown_locale(config, chatflow(OPEN), "fi-FI") == "fi"
    assert view("fi-FI", config=config).texts["send"] == "Lähetä"


def test_the_same_view_has_the_same_etag_and_another_another() -> None:
    """Whatever is shown differently, and nothing else, makes the phone take it anew."""
    base = view()
    assert view().etag == base.etag
    assert view(away=True).etag == base.etag
    others = [view("nb"), view(version=4), view(close_button=False), view(welcome={"en": "Hi"})]
    assert len({base.etag, *(each.etag for each in others)}) == 5
    off = msgspec.structs.replace(workplace(), texts={"en": {"send": "Off it goes"}})
    assert view(config=off).etag != base.etag


def test_the_short_view_is_what_may_differ() -> None:
    """Its name, version, locale and heading; the rest the phone has."""
    full = msgspec.structs.replace(view(), heading=heading_view(workplace(), chatflow(OPEN), "ses", None, None))
    sent = msgspec.json.decode(msgspec.json.encode(short(full)))
    assert set(sent) == {"id", "version", "name", "locale", "heading", "etag"}


# The heading.


def heading(kind: Any, session: str = "ses_1", agent: AgentId | None = None, owner: AgentId | None = None) -> Any:
    crew = [Team(TeamId("tea"), "Crew", [ANN, BO, CY])]
    more = [msgspec.structs.replace(workplace().agents[0], id=AgentId(f"agt_{n}"), name=f"N{n}") for n in range(5)]
    config = msgspec.structs.replace(workplace(), teams=crew, agents=[*workplace().agents, *more])
    shown = Heading(kind, "Nordvik", "https://nordvik.example/n.gif", [each.id for each in more], [TeamId("tea")])
    return heading_view(config, chatflow(OPEN, heading=shown), session, agent, owner)


def test_a_heading_of_ones_own_shows_nobody() -> None:
    """A name and an image stand before everybody."""
    shown = heading("custom", agent=ANN, owner=BO)
    assert (shown.name, shown.image, shown.people) == ("Nordvik", "https://nordvik.example/n.gif", [])


def test_at_most_three_of_the_team_are_shown_by_chance_and_for_a_session_always_the_same() -> None:
    """Other sessions draw others."""
    drawn = [tuple(each.name for each in heading("users_and_teams", f"ses_{n}").people) for n in range(40)]
    assert all(len(set(each)) == 3 for each in drawn)
    assert heading("users_and_teams", "ses_7").people == heading("users_and_teams", "ses_7").people
    assert {name for each in drawn for name in each} == {"Ann", "Bo", "Cy", "N0", "N1", "N2", "N3", "N4"}


@pytest.mark.parametrize(
    ("kind", "who", "name"),
    [
        ("assigned_agent", {"agent": ANN}, "Ann"),
        ("contact_owner", {"owner": BO}, "Bo"),
        ("contact_owner", {"owner": AgentId("agt_gone")}, ""),
        ("assigned_agent", {}, ""),
    ],
)
def test_the_one_who_answers_is_shown_if_there_is_one(kind: str, who: Any, name: str) -> None:
    """Else the company's name."""
    shown = heading(kind, **who)
    assert [each.name for each in shown.people] == ([name] if name else [])
    assert shown.name == ("" if name else "Nordvik")


def test_no_agents_id_is_in_a_view() -> None:
    """Names are shown, ids are not."""
    for kind in ("custom", "users_and_teams", "assigned_agent", "contact_owner"):
        assert b"agt_" not in msgspec.msgpack.encode(heading(kind, agent=ANN, owner=BO))


# Availability.


def test_always_is_always() -> None:
    """Whoever is there."""
    config, flow = office()
    assert availability_view(config, flow, RuleRow(), "en", MONDAY_8).open


def test_outside_office_hours_it_says_when_it_opens() -> None:
    """By the clock on the shop's wall; conversations are taken all the same."""
    config, flow = office(availability=OFFICE)
    shown = availability_view(config, flow, RuleRow(), "en", MONDAY_8)
    assert (shown.open, shown.may_start, shown.opens_at) == (False, True, MONDAY_9)
    assert "today at 09:00" in shown.text
    assert availability_view(config, flow, RuleRow(), "en", MONDAY_9).open


def test_the_companys_own_words_are_used() -> None:
    """Away, opening, reply; what is measured is put in."""
    own = {
        "away_text": {"en": "Gone fishing."}, "opening_text": {"en": "Try {opens}."}, "reply_text": {"en": "{time}!"},
    }  # fmt: skip
    config, flow = office(availability=msgspec.structs.replace(OFFICE, **own))
    away = availability_view(config, flow, RuleRow(), "en", MONDAY_8)
    assert away.text == "Gone fishing. Try today at 09:00."
    there = availability_view(config, flow, RuleRow(reply="hour"), "en", MONDAY_9)
    assert (there.text, there.reply) == ("within an hour!", "hour")


@pytest.mark.parametrize(("row", "is_open"), [(None, False), (RuleRow(), False), (RuleRow(ready=True), True)])
def test_agents_available_is_as_the_roster_says(row: RuleRow | None, is_open: bool) -> None:
    """Not knowing is nobody."""
    config, flow = office(availability=SEEN)
    shown = availability_view(config, flow, row, "en", MONDAY_8)
    assert (shown.open, shown.may_start) == (is_open, True)


def test_a_hidden_chatflow_may_not_be_started_while_nobody_is_there() -> None:
    """Nothing but that differs from an away message."""
    config, flow = office(availability=msgspec.structs.replace(SEEN, nobody="hide"))
    assert not availability_view(config, flow, RuleRow(), "en", MONDAY_8).may_start
    assert availability_view(config, flow, RuleRow(ready=True), "en", MONDAY_8).may_start


def test_nothing_is_said_of_replies_that_nobody_measured() -> None:
    """Too few samples: no word."""
    config, flow = office()
    shown = availability_view(config, flow, RuleRow(ready=True), "en", MONDAY_9)
    assert (shown.text, shown.reply) == ("", "")
