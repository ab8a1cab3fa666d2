"""Which steps a visitor has still to answer, and which address is one."""

from typing import Any

import pytest
from msgspec.structs import replace

from protocol.bus.chatflow import Communicate, Consent, EmailCapture, Rollout, Storage
from protocol.bus.config import AccountConfig, Chatflow, Subscription
from protocol.bus.records import ConsentRecord, ContactRef, VisitorRecord
from protocol.bus.steps import (
    VALID_MS,
    address_in,
    communicate_label,
    consent_text,
    current_flow,
    email_text,
    may_process,
    outstanding,
    storage_text,
)
from protocol.ids import ChatflowId, ContactId, SubscriptionId
from tests.kit.workplace import ASKS, IMPLIES, OPEN, chatflow, record, workplace

EVERY_STEP = chatflow(ASKS, storage=Storage("before_chat"), email=EmailCapture("before_chat", "never"))


def left(
    flow: Chatflow = EVERY_STEP,
    visitor: VisitorRecord | None = None,
    at_ms: int = 0,
    *,
    away: bool = False,
    **config: Any,
) -> list[str]:
    """What is outstanding, the account being as `config` says."""
    return list(outstanding(replace(workplace(), **config), flow, visitor, at_ms, away))


def answered(answer: str, purpose: str = "process", **changes: Any) -> VisitorRecord:
    """A visitor with one standing answer, given at 0."""
    known = replace(ConsentRecord(answer, 0, "hash", ASKS, 3, "en", "1.0"), **changes)
    return replace(record(), consents={purpose: known})


def test_order_of_the_screen() -> None:
    """Storage is asked first, the consent to process after it, the address last."""
    assert left() == ["storage_consent", "consent_to_process", "email"]


@pytest.mark.parametrize("answer", ["granted", "declined"])
def test_storage_yes_and_no(answer: str) -> None:
    """Yes and no both answer the storage consent."""
    assert "storage_consent" not in left(visitor=answered(answer, "storage"))


def test_storage_withdrawn() -> None:
    """A storage consent that was taken back is asked again."""
    assert "storage_consent" in left(visitor=answered("withdrawn", "storage"))


def test_storage_never_of_the_identified() -> None:
    """An identified visitor, who needs no secret, is never asked to keep one."""
    assert "storage_consent" not in left(visitor=replace(record(), identified=True))


@pytest.mark.parametrize("ask", ["never", "on_exit_intent"])
def test_storage_is_no_gate(ask: Any) -> None:
    """Asked never, or on the way out, the storage consent stands in nobody's way."""
    assert "storage_consent" not in left(replace(EVERY_STEP, storage=Storage(ask)))


def test_account_switches() -> None:
    """An account that switched a consent off asks for it in none of its chatflows."""
    assert left(storage_consent=False) == ["consent_to_process", "email"]
    assert left(data_privacy=False) == ["storage_consent", "email"]


@pytest.mark.parametrize("answer", ["declined", "implied", "withdrawn"])
def test_only_a_grant_opens(answer: str) -> None:
    """Under an explicit chatflow nothing but a grant answers the consent to process."""
    assert left(chatflow(ASKS), answered(answer)) == ["consent_to_process"]
    assert left(chatflow(ASKS), answered("granted")) == []


def test_grant_counts_everywhere() -> None:
    """A grant under one chatflow counts under every other."""
    assert left(chatflow(ASKS), answered("granted", chatflow=ChatflowId("flw_other"), version=1)) == []


def test_asked_again_after_a_year() -> None:
    """After twelve months a grant no longer counts, to the millisecond."""
    assert left(chatflow(ASKS), answered("granted"), VALID_MS - 1) == []
    assert left(chatflow(ASKS), answered("granted"), VALID_MS) == ["consent_to_process"]


def test_publish_marked_ask_again() -> None:
    """A grant under a version before the one that asks again no longer counts; one under another chatflow does."""
    again = chatflow(ASKS, version=4, consent=Consent(ask_again_from=4))
    assert left(again, answered("granted", version=3)) == ["consent_to_process"]
    assert left(again, answered("granted", version=4)) == []
    assert left(again, answered("granted", version=3, chatflow=OPEN)) == []


def test_legitimate_interest_until_withdrawn() -> None:
    """Under legitimate interest nothing is outstanding, unless the visitor took their consent back."""
    assert left(chatflow(IMPLIES)) == []
    assert left(chatflow(IMPLIES), answered("withdrawn")) == ["consent_to_process"]
    assert left(chatflow(IMPLIES), answered("withdrawn"), 2 * VALID_MS) == ["consent_to_process"]


@pytest.mark.parametrize(("away", "asked"), [(False, ["email"]), (True, [])])
def test_address_by_present_state(away: bool, asked: list[str]) -> None:
    """Whether an address comes before the chat is what the setting for the present state says."""
    assert left(chatflow(OPEN, email=EmailCapture("before_chat", "never")), away=away) == asked


def test_address_is_known() -> None:
    """Of a contact with an address none is asked."""
    known = replace(record(), contact=ContactRef(ContactId("con_1"), "kari@example.no"))
    assert left(chatflow(OPEN, email=EmailCapture("before_chat", "before_chat")), known) == []


def test_address_not_in_mid_chat() -> None:
    """Once the visitor has spoken, before the chat is over, and no address is waited for."""
    assert outstanding(workplace(), EVERY_STEP, answered("granted"), 0, False, spoken=True) == ["storage_consent"]


@pytest.mark.parametrize("rollout", [Rollout(share=50), Rollout(min_version="2.0")])
def test_staged_rollout_asks_what_was_served(rollout: Rollout) -> None:
    """In a staged rollout a device answers to the version it was served; once it goes to all, to the newest."""
    before, newest = chatflow(ASKS), chatflow(ASKS, version=4, rollout=rollout)
    config = replace(workplace(), chatflows=[newest], past=[before])
    assert current_flow(config, ASKS, 3) is before
    assert current_flow(config, ASKS, 4) is newest
    everywhere = replace(newest, rollout=Rollout())
    assert current_flow(replace(config, chatflows=[everywhere]), ASKS, 3) is everywhere


def test_nothing_kept_without_chatflow() -> None:
    """Where no chatflow is served, what an app tells is kept by a standing consent only."""
    config = workplace()
    assert not may_process(config, None, 0, record(), 0)
    assert may_process(config, None, 0, answered("implied"), 0)
    assert may_process(replace(config, data_privacy=False), None, 0, record(), 0)


@pytest.mark.parametrize(
    "text", ["kari@example.no", " Kari.N+shop@mail.example.no\n", "k@1.no", "kåre@blåbær.no", "o'brien@example.com"]
)
def test_addresses(text: str) -> None:
    """One local part, one @, and a dotted domain make an address."""
    assert address_in(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "", "kari", "kari@", "@example.no", "kari@example", "kari@@example.no", "kari@example..no", "kari@.no",
        "kari@example.no.", "my address is kari@example.no", "kari@example.no, ola@example.no",
        "<kari@example.no>", "kari@example.no\nBcc: all@example.no", f"{'k' * 65}@example.no",
        f"k@{'e.' * 126}no",
    ],
)  # fmt: skip
def test_no_addresses(text: str) -> None:
    """Anything else is none: a sentence around it, two of them, a line smuggled in, more than 254 characters."""
    assert address_in(text) is None


def test_default_texts() -> None:
    """Every step has words in every language, without a chatflow giving any."""
    config = replace(workplace(), subscriptions=[Subscription(SubscriptionId("sub_news"), "news")])
    plain = replace(EVERY_STEP, consent=Consent(), communicate=Communicate(SubscriptionId("sub_news")))
    shown = [words(config, plain, "nb-NO") for words in (storage_text, consent_text, communicate_label)]
    shown += [email_text(config, plain, "nb-NO", away) for away in (False, True)]
    assert all(shown)
    assert len(set(shown)) == 5
    assert "news" in shown[2]
    assert consent_text(config, plain, "nb-NO") != consent_text(config, plain, "en")


def test_own_texts() -> None:
    """A text that the chatflow gives is used, along the fallback chain."""
    config: AccountConfig = workplace()
    asked = replace(EVERY_STEP, email=EmailCapture(text={"nb": "E-post?"}, away_text={"nb": "Vi er borte. E-post?"}))
    assert email_text(config, asked, "nb-NO", away=False) == "E-post?"
    assert email_text(config, asked, "nb-NO", away=True) == "Vi er borte. E-post?"
    assert consent_text(config, chatflow(ASKS), "nb-NO") == "Kan vi?"
