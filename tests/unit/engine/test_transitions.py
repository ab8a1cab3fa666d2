"""The table of transitions is the law, and the drawing of it is current."""

from pathlib import Path

import pytest

from engine.core import phases
from engine.core.beside import Beside, OpenSurvey, Ticket
from engine.core.conversation import Conversation, not_started
from engine.core.evolve import evolve
from engine.core.phases import AnyPhase
from engine.core.transitions import TABLE, mermaid, page
from protocol.ids import ContactId, EventId, SurveyId, VisitorId, event_id
from protocol.wire import content
from protocol.wire.content import AnyBody, Author, Body, Event, Role
from tests.kit.workplace import ACCOUNT, ANN, BO, INBOX, KARI, OPEN, RULE, author, conversation

PAGE = Path(__file__).parents[3] / "docs" / "architecture" / "conversation-states.md"

PHASES: list[AnyPhase] = [
    phases.NotStarted(),
    phases.Opening(),
    phases.Opening(None, ("consent_to_process", "email")),
    phases.Opening(100),
    phases.Gated(9_000),
    phases.Gated(9_000, ("email",)),
    phases.Gated(9_000, ("consent_to_process", "email")),
    phases.Ready(9_000),
    phases.Waiting(100),
    phases.Unassigned(None),
    phases.Talking(author(ANN), 100, 90),
    phases.Closed(200, 7, EventId("1.1.0")),
    phases.Parked("KeyError"),
]
KARI_SAYS = Author(Role.VISITOR, KARI)
BODIES: list[AnyBody] = [
    content.Started(OPEN, 3, INBOX, RULE, KARI, 1, "en", None, 60, 60),
    content.ConsentAnswered("process", "granted", "hash", "en"),
    content.ConsentAnswered("process", "declined", "hash", "en"),
    content.ConsentAnswered("process", "implied", "hash", "en"),
    content.EmailAsked("before_chat", "Your address?"),
    content.EmailGiven("kari@nordvik.example", ContactId("con_1")),
    content.EmailGivenUp(),
    content.Message(KARI_SAYS, "Hello"),
    content.Message(author(ANN), "Hi"),
    content.Note(author(ANN), "Nice"),
    content.Redacted(author(ANN), 2),
    content.TagsChanged(author(ANN), ["vip"], []),
    content.FieldsSet(author(ANN), {"order": "7"}),
    content.PrioritySet(author(ANN), "high"),
    content.Snoozed(author(ANN), 5_000),
    content.Woken("due"),
    content.TicketOpened(7),
    content.TicketChanged(author(ANN), "closed"),
    content.Queued("started"),
    content.Unrouted(),
    content.Assigned(author(BO), "offer"),
    content.Unassigned(author(ANN), "lost"),
    content.Transferred(author(ANN), BO, ""),
    content.Closed(author(ANN), "agent"),
    content.Reopened(KARI_SAYS),
    content.SurveyAsked(1, SurveyId("srv_1"), 3, "faces", "How?", 9_000),
    content.SurveySeen(1),
    content.SurveyAnswered(1, 2),
    content.SurveyCommented(1, "Good"),
    content.SurveyExpired(1),
    content.Parked("KeyError"),
    content.Erased(),
    content.Merged(VisitorId("vis_ola"), over=True, other="cnv_2"),
]
BESIDE = Beside(ticket=Ticket(7, "new", 100, 100), asks=1, surveys=(OpenSurvey(1, "srv_1", 3, "faces", 100, 9_000),))


def after(phase: AnyPhase, body: AnyBody) -> AnyPhase:
    """The phase that `body` leads to from `phase`."""
    state = not_started(ACCOUNT, conversation())
    state = Conversation(state.id, ACCOUNT, state.terms, 7, EventId("1.1.0"), phase, None, beside=BESIDE)
    return evolve(state, Event(state.id, 8, event_id(1, 2, 0), 300, body)).phase


def test_samples_are_complete() -> None:
    """Every phase and every body is tried below."""
    assert {type(phase) for phase in PHASES} == set(phases.Phase.__subclasses__()) == set(TABLE)
    assert {type(body) for body in BODIES} == set(Body.__subclasses__())


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_conduct_is_the_table(kind: type[phases.Phase]) -> None:
    """What `evolve` takes in a phase, and where it leads, is exactly what the table says."""
    conduct: dict[type[Body], set[type[phases.Phase]]] = {}
    for phase in PHASES:
        for body in BODIES if type(phase) is kind else []:
            try:
                conduct.setdefault(type(body), set()).add(type(after(phase, body)))
            except AssertionError:
                continue
    taken = {body: then for body, then in conduct.items() if then}
    assert taken == {body: set(then) for body, then in TABLE[kind].items()}


def test_every_phase_but_the_first_is_reached() -> None:
    """No phase stands in the table that nothing leads to."""
    reached = {then for row in TABLE.values() for thens in row.values() for then in thens}
    assert reached == set(TABLE) - {phases.NotStarted}


def test_log_is_contiguous() -> None:
    """An event that is not the next one is a bug."""
    state = not_started(ACCOUNT, conversation())
    with pytest.raises(AssertionError):
        evolve(state, Event(state.id, 2, event_id(1, 2, 0), 300, BODIES[0]))


def test_page_is_current() -> None:
    """The page in docs is what the table draws."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_arrow_in_the_drawing() -> None:
    """An arrow carries the entries that lead along it, and what stands beside the phase is no arrow."""
    assert "    Waiting --> Talking: Assigned" in mermaid().splitlines()
    assert "Note" not in mermaid()
