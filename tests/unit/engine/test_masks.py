"""What visitors are shown of an entry under an alias."""

from typing import Any

import msgspec
import pytest

from engine.core.masks import masked, visitor_frame
from protocol.ids import EventId
from protocol.wire import content
from protocol.wire.content import STAFF_ONLY, Author, Event, Role
from tests.kit.desks import ALIAS
from tests.kit.workplace import ANN, BO, KARI, author, conversation
from tests.unit.engine.test_transitions import BODIES

SHOWN = [body for body in BODIES if not isinstance(body, STAFF_ONLY)]
BEHIND = Author(Role.AGENT, "", ALIAS)


def event(body: Any) -> Event:
    """An entry with that body."""
    return Event(conversation(), 8, EventId("1.2.0"), 300, body)


def seen(body: Any, alias: str) -> bytes:
    """The bytes that a visitor is sent."""
    shown = visitor_frame(event(body), alias)
    return msgspec.msgpack.encode(event(body)) if shown is None else shown


@pytest.mark.parametrize("body", SHOWN, ids=lambda body: type(body).__name__)
def test_alias_leaks_nothing(body: Any) -> None:
    """No entry that visitors see holds an agent's id or name under an alias."""
    raw = seen(body, ALIAS)
    for agent in (ANN, BO):
        assert agent.encode() not in raw
        assert author(agent).name.encode() not in raw


@pytest.mark.parametrize("kind", STAFF_ONLY, ids=lambda kind: kind.__name__)
def test_hidden_from_visitors(kind: type[content.Body]) -> None:
    """What is for staff only has no bytes for visitors, alias or none."""
    (body,) = [body for body in BODIES if type(body) is kind]
    assert (visitor_frame(event(body), ALIAS), visitor_frame(event(body), "")) == (b"", b"")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (content.Message(author(ANN), "Hi"), content.Message(BEHIND, "Hi")),
        (content.Assigned(author(ANN), "offer"), content.Assigned(BEHIND, "offer")),
        (content.Unassigned(author(ANN), "lost"), content.Unassigned(BEHIND, "lost")),
        (content.Closed(author(ANN), "agent"), content.Closed(BEHIND, "agent")),
        (content.Redacted(author(ANN), 2), content.Redacted(BEHIND, 2)),
        (
            content.Message(Author(Role.SYSTEM, "", "Ann of Nordvik"), "Your skis are here"),
            content.Message(Author(Role.SYSTEM, "", ALIAS), "Your skis are here"),
        ),
    ],
    ids=lambda body: type(body).__name__,
)
def test_masked(body: Any, shown: Any) -> None:
    """Whoever speaks for the company goes by its alias."""
    assert masked(body, ALIAS) == shown
    assert masked(body, "") is None


def test_nothing_to_mask() -> None:
    """What names no agent is sent as it is stored: once encoded, for all."""
    visitor, system = Author(Role.VISITOR, KARI), Author(Role.SYSTEM, "")
    for body in (content.Message(visitor, "Hi"), content.Closed(system, "inactivity"), content.Unrouted()):
        assert visitor_frame(event(body), ALIAS) is None


def test_teams_are_not_told() -> None:
    """A visitor is not told to which team a conversation went, alias or none."""
    queued = content.Queued("transfer", away=True, team="tea_ski")
    assert masked(queued, "") == masked(queued, ALIAS) == content.Queued("transfer", away=True)
