"""Every field of the configuration can be set in the workspace file, and arrives as it was written."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from admin.workspace import BadWorkspace, Means, apply, read
from protocol.bus import chatflow, hours, staff
from protocol.bus.config import AccountConfig, App
from protocol.ids import AccountId
from store.sql import tables
from store.sql.database import DirectDatabase
from store.sql.queries import accounts

EVERYTHING = (Path(__file__).parent / "everything.yaml").read_text(encoding="utf-8")


@pytest.fixture
def database() -> Iterator[DirectDatabase]:
    opened = DirectDatabase("sqlite://")
    opened.run(tables.CONFIG.create_all)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def config(database: DirectDatabase) -> AccountConfig:
    apply(EVERYTHING, database, Means(1, lambda count: b"k" * count, lambda: 0))
    found = database.run(lambda sql: accounts.config(sql, AccountId("fjord")))
    assert found is not None
    return found


def at_default(thing: msgspec.Struct) -> set[str]:
    """The fields of `thing` that have their default."""
    fields = [field for field in msgspec.structs.fields(type(thing)) if not field.required]
    defaults: dict[str, Any] = {
        field.name: field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        for field in fields
        if field.default is not msgspec.NODEFAULT or field.default_factory is not msgspec.NODEFAULT
    }
    return {name for name, default in defaults.items() if getattr(thing, name) == default}


def test_every_field_of_a_chatflow_can_be_set(config: AccountConfig) -> None:
    """All that has a default is otherwise, and so is all within it; of the kinds there is only one yet."""
    flow = config.chatflows[0]
    assert at_default(flow) == {"kind", "archived"}
    parts = (flow.consent, flow.storage, flow.email, flow.display, flow.availability, flow.targeting, flow.rollout)
    assert {field for part in parts for field in at_default(part)} == set()
    assert at_default(flow.heading) == set()
    assert flow.communicate == chatflow.Communicate("news", {"nb": "Ja til {subscription}"})
    assert (flow.priority, flow.enabled, flow.rule) == (3, False, "turns")


def test_every_field_of_those_who_answer_can_be_set(config: AccountConfig) -> None:
    """Agents, teams, inboxes and rules."""
    siri, eva = config.agents
    assert at_default(siri) == {"seat"}
    assert not eva.seat
    assert config.teams == [staff.Team("billing", "Billing", ["siri"])]
    assert at_default(config.inboxes[0]) == set()
    assert at_default(config.rules[1]) == set()
    assert config.rules[1].overflow == staff.Overflow(301, "billing")


def test_every_field_of_an_account_and_its_apps_can_be_set(config: AccountConfig) -> None:
    """Switches, texts, subscriptions, ready replies; environments and keys."""
    assert at_default(config) == {"past"}
    [app] = config.apps
    assert at_default(app) == set()
    assert (config.texts["nb"]["send"], config.max_open) == ("Send inn", 2)


def test_hours_are_read_in_order_with_their_holidays(config: AccountConfig) -> None:
    """Several intervals a day in whatever order; a day that is not named is closed; a holiday may be short."""
    [office] = config.hours
    assert office.week == [
        [hours.Interval(480, 690), hours.Interval(720, 1_440)], [], [], [], [], [], [hours.Interval(0, 60)],
    ]  # fmt: skip
    assert office.holidays == [
        hours.Holiday("2026-12-24", "Julaften", [hours.Interval(480, 720)]),
        hours.Holiday("2026-12-25"),
    ]


def test_a_chatflow_links_a_survey_or_makes_one(config: AccountConfig) -> None:
    """Either way the whole survey is part of the version."""
    linked, made = (flow.survey for flow in config.chatflows)
    assert linked is not None
    assert at_default(linked) == {"delivery"}
    assert made == chatflow.Survey("thumbs", "Thumbs", scale="thumbs")


@pytest.mark.parametrize("delivery", ["email", "link"])
def test_a_survey_that_is_not_asked_in_the_chat_cannot_be_linked(delivery: str) -> None:
    """Refused with that reason, whether it is the account's or made in the chatflow."""
    of_account = EVERYTHING.replace("        scale: stars", f"        scale: stars\n        delivery: {delivery}")
    made_here = EVERYTHING.replace("scale: thumbs }", f"scale: thumbs, delivery: {delivery} }}")
    for text in (of_account, made_here):
        with pytest.raises(BadWorkspace, match=f"is delivered by {delivery}; only surveys whose delivery is chat"):
            read(text)


def test_the_secrets_of_the_companys_servers_are_kept_as_hashes(config: AccountConfig) -> None:
    """Plain ones are hashed at once; a hash is taken as it is."""
    plain, hashed = config.apps[0].server_keys
    assert plain == hashlib.sha256(b"a-secret-of-the-servers-of-fjord").hexdigest()
    assert hashed == "0123456789abcdef" * 4


def test_production_and_test_have_keys_of_their_own() -> None:
    """An identity key of a production app cannot serve a test app, nor can one server key serve two apps."""
    production = """\
      - key: app_real
        name: Real
        server_keys: [a-secret-of-the-servers-of-fjord]
        identity_keys: [{ kid: k, algorithm: HS256, material: a-secret-that-is-long-enough-for-it }]
"""
    with pytest.raises(BadWorkspace) as refused:
        read(EVERYTHING.replace("    hours:\n", production + "    hours:\n", 1))
    reasons = [mistake.reason for mistake in refused.value.mistakes]
    assert reasons == [
        "k is a key of a production app: each environment has its own",
        "one of them is a key of app_fjord too: each app has keys of its own",
    ]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("kind: live_agent", "kind: customer_agent", "customer_agent is not in this version"),
        ("marketing: true", "knowledge_base: true", "the knowledge base is not in this version"),
        ("assignment: contact_owner", "assignment: bot", "bot is not in this version"),
        ("{ after_s: 301, team: billing }", "{ after_s: 301, bot: helper }", "overflow to a bot is not in this version"),
        ("fallback: turns", "fallback: owner", "owner goes by the contact's owner itself"),
        ("name: Turns }", "name: Turns, fallback: owner }", "is for assignment contact_owner only"),
        ("thanks: { any", "thanks: { '6': { nb: Seks }, any", "is no score of stars, nor any"),
        ("Hei {visitor}", "Hei {customer}", "{customer} is filled by nothing; there are {agent}, {conversation}"),
        ("Åpner {opens}", "Åpner {time}", "{time} is filled by nothing here"),
        ("send: Av sted", "send: 'Av {sted}'", "{sted} is filled by nothing here"),
        ("send: Av sted", "away_message: Av", "is no text of the catalogue"),
        ("{ day: 2026-12-25 }", "{ day: 2026-12-24 }", "2026-12-24 is there twice"),
        ('"00:00-01:00"', '"00:00-24:30"', "must end by 24:00"),
        ("{ nb: Hvordan gikk det? }", "{ en: How was it? }", "after has no question in nb"),
        ("ask_again_from: 1", "ask_again_from: 7", "is 7, and this is version 1: no consent would count"),
        ("heading: { kind: users_and_teams, name: Oss, image: https://fjord.example/us.gif, agents: [siri], teams: [billing] }",
         "heading: { kind: users_and_teams }", "users_and_teams needs agents or teams to show"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(database: DirectDatabase, before: str, after: str, says: str) -> None:
    """One mistake each, in words that help."""
    with pytest.raises(BadWorkspace) as refused:
        apply(EVERYTHING.replace(before, after, 1), database, Means(1, lambda count: b"k" * count, lambda: 0))
    [mistake] = refused.value.mistakes
    assert says in mistake.reason


def test_texts_that_no_frame_could_hold_are_refused(database: DirectDatabase) -> None:
    """Each text may be long; all of those of a language together fit into what a phone is sent at once."""
    long = "".join(f"{name}: {'x' * 9_900}, " for name in ("send", "retry", "back", "close", "end"))
    text = EVERYTHING.replace("{ send: Av sted }", f"{{ {long} }}")
    with pytest.raises(BadWorkspace) as refused:
        apply(text, database, Means(1, lambda count: b"k" * count, lambda: 0))
    [mistake] = refused.value.mistakes
    assert (mistake.path, "the texts in nb have" in mistake.reason) == ("accounts[1].chatflows[1].texts", True)


def test_a_default_app_is_for_production() -> None:
    """An environment is named only to test."""
    assert App("app", "App").environment == "production"
