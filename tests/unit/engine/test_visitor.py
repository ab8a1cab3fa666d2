"""The visitor's record: current conversation, block, analytics, withdrawal, and what the app tells."""

import pytest

from engine.core.changed import Changed
from engine.core.context import MAX_BREADCRUMBS, MAX_DEVICE_PROPERTIES, MAX_PROPERTIES
from engine.core.visitor import decide
from protocol.bus.commands import SetAnalytics, VisitorWithdraws
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import End, NoteBlocked, NoteClosed, NoteStarted
from protocol.bus.facts import ConsentGiven
from protocol.bus.records import CurrentConversation
from protocol.wire.codes import Code
from tests.kit.visits import Visit
from tests.kit.workplace import ACCOUNT, ASKS, KARI, OPEN, conversation, origin, phone, record


def test_current_conversation() -> None:
    """The record follows the current conversation: started, closed, reopened."""
    started = decide(record(), NoteStarted(ACCOUNT, conversation(), KARI, OPEN, 1, 60), 10)
    assert isinstance(started, Changed)
    assert started.record.current == {OPEN: CurrentConversation(conversation(), 1, None, 60)}
    ended = decide(started.record, NoteClosed(ACCOUNT, conversation(), KARI, OPEN, True, 90), 20)
    assert isinstance(ended, Changed)
    assert (ended.record.current[OPEN].closed_at_ms, ended.record.current[OPEN].survey_until_ms) == (20, 90)
    assert decide(ended.record, NoteClosed(ACCOUNT, conversation(), KARI, OPEN, False), 30) == started


def test_note_about_an_old_conversation() -> None:
    """A note about a conversation that is not the current one changes nothing."""
    old = NoteClosed(ACCOUNT, conversation(ordinal=7), KARI, OPEN, True)
    assert decide(record(), old, 10) == Already()


def test_block_ends_what_is_open() -> None:
    """Blocking ends every open conversation, once; letting in again ends nothing."""
    busy = record(KARI, "", **{OPEN: CurrentConversation(conversation(), 1, None, 60)})
    blocked = decide(busy, NoteBlocked(ACCOUNT, conversation(), KARI, True), 10)
    assert isinstance(blocked, Changed)
    assert (blocked.record.blocked, blocked.asked) == (True, [End(ACCOUNT, conversation(), "blocked")])
    assert decide(blocked.record, NoteBlocked(ACCOUNT, conversation(), KARI, True), 20) == Already()
    free = decide(blocked.record, NoteBlocked(ACCOUNT, conversation(), KARI, False), 30)
    assert isinstance(free, Changed)
    assert (free.record.blocked, free.asked) == (False, [])


def test_analytics_answer() -> None:
    """The app's own analytics answer is kept with a ledger line each time it changes."""
    visit = Visit()
    assert [visit.analytics(granted=granted) for granted in (True, True, False)] == ["", "", ""]
    assert [(line.purpose, line.answer) for line in visit.kept(ConsentGiven)] == [
        ("analytics", "granted"), ("analytics", "declined"),
    ]  # fmt: skip
    assert visit.kept(ConsentGiven)[0].app_version == "1.0"


def test_device_needs_analytics() -> None:
    """Optional properties of the device are kept only with analytics consent, and go with it."""
    visit = Visit()
    visit.tell(device={"battery": "low"})
    assert visit.record.context.device == {}
    visit.analytics(granted=True)
    visit.tell(device={"battery": "low"})
    assert visit.record.context.device == {"battery": "low"}
    visit.withdraw("analytics")
    assert visit.record.context.device == {}
    visit.analytics(granted=True)
    visit.tell(device={"battery": "low"})
    visit.analytics(granted=False)
    assert visit.record.context.device == {}


def test_context_waits_for_consent() -> None:
    """Nothing that the app tells is kept while the consent to process is outstanding."""
    visit = Visit(ASKS)
    assert visit.tell(screen="Cart", properties={"plan": "pro"}) == "consent_required"
    assert (visit.record.context.screen, visit.record.context.properties) == ("", {})
    visit.answer("consent_to_process")
    assert visit.tell(screen="Cart") == ""
    assert visit.record.context.screen == "Cart"


def test_context_merges() -> None:
    """What is told is merged; an empty value removes a property; what is not told stays."""
    visit = Visit()
    visit.tell(screen="Cart", properties={"plan": "pro", "items": "3"})
    visit.tell(properties={"items": "", "city": "Oslo"})
    assert (visit.record.context.screen, visit.record.context.properties) == ("Cart", {"plan": "pro", "city": "Oslo"})


def test_context_is_bounded() -> None:
    """Of too much, what was told last is kept: 50 properties, 20 of the device, 20 breadcrumbs."""
    visit = Visit()
    visit.analytics(granted=True)
    for number in range(60):
        told = {f"p{number}": "x"}
        visit.tell(properties=told, device=told, breadcrumbs=[f"screen {number}"])
    context = visit.record.context
    assert [len(context.properties), len(context.device)] == [MAX_PROPERTIES, MAX_DEVICE_PROPERTIES]
    assert [crumb.text for crumb in context.breadcrumbs] == [f"screen {number}" for number in range(40, 60)]
    assert len(context.breadcrumbs) == MAX_BREADCRUMBS
    assert "p59" in context.properties


def test_context_is_bounded_in_all() -> None:
    """All properties together, their names included, are at most 8,192 characters: what was told last is kept."""
    visit = Visit()
    for number in range(20):
        visit.tell(properties={f"p{number:02}": "x" * 497})
    assert list(visit.record.context.properties) == [f"p{number:02}" for number in range(4, 20)]


def test_breadcrumbs_have_times() -> None:
    """A breadcrumb has the time at which it was told."""
    visit = Visit()
    visit.tell(breadcrumbs=["Home"])
    assert [(crumb.at_ms, crumb.text) for crumb in visit.record.context.breadcrumbs] == [(visit.world.now_ms, "Home")]


@pytest.mark.parametrize("purpose", ["storage", "process", "analytics"])
def test_withdrawn(purpose: str) -> None:
    """A consent taken back is so on record, with a ledger line, once."""
    visit = Visit()
    assert [visit.withdraw(purpose), visit.withdraw(purpose)] == ["", ""]
    assert visit.record.consents[purpose].answer == "withdrawn"
    assert [(line.purpose, line.answer) for line in visit.kept(ConsentGiven)] == [(purpose, "withdrawn")]


def test_nothing_to_untick() -> None:
    """Without a box ticked there is no consent to communicate to take back."""
    visit = Visit()
    assert visit.withdraw("communicate") == ""
    assert visit.kept(ConsentGiven) == []


def test_ledger_lines_have_ids_of_their_own() -> None:
    """No two lines of the ledger share an id, whoever wrote them."""
    visit = Visit(ASKS)
    visit.answer("consent_to_process")
    visit.analytics(granted=True)
    visit.analytics(granted=False)
    visit.withdraw("process")
    ids = [line.id for line in visit.kept(ConsentGiven)]
    assert len(ids) == len(set(ids)) == 4


def test_nobody_there() -> None:
    """Whoever the cell has never met can withdraw and set nothing."""
    asked = origin(phone(KARI), 0, "ref")
    for command in (
        VisitorWithdraws(ACCOUNT, asked, KARI, "process", phone(KARI), "en"),
        SetAnalytics(ACCOUNT, asked, KARI, True, phone(KARI), "en"),
    ):
        assert decide(None, command, 10) == Refusal(Code.VISITOR_UNKNOWN)
