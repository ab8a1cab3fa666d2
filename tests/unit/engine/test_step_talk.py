"""What conversations ask of the rest of the cell, decided to rest with the real roster."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from engine.core.phases import Closed, Talking, Waiting
from engine.core.searching import described
from protocol.bus import commands
from protocol.bus.chatflow import Availability
from protocol.bus.commands import AgentArrives
from protocol.bus.config import AccountConfig
from protocol.bus.effects import FeedUpdate, Seek
from protocol.bus.facts import SurveyChanged, TicketKept
from protocol.bus.hours import Hours
from protocol.bus.records import Profile
from protocol.ids import HoursId
from protocol.wire.content import Event
from tests.kit.desks import ALIAS, by, helpdesk, rates
from tests.kit.workplace import (
    ACCOUNT,
    ANN,
    ASKS,
    BO,
    IMPLIES,
    INBOX,
    KARI,
    OLA,
    OPEN,
    RULE,
    admits,
    conversation,
    hangs_up,
    origin,
    record,
    replies,
    sends,
    workplace,
)
from tests.kit.world import World

CHAT = conversation()


def world(*agents: Any, config: AccountConfig | None = None, **rule: Any) -> World:
    """A cell with Kari and Ola admitted and agents at work, who are assigned at once."""
    config = config or helpdesk()
    rules = [replace(config.rules[0], auto_accept=True, **rule)]
    cell = World(replace(config, rules=rules))
    for visitor in (KARI, OLA):
        assert cell.ask(admits(visitor)).code == ""
    for agent in agents:
        assert cell.ask(AgentArrives(ACCOUNT, origin(f"desk_{agent}", 0, "here", f"ses_{agent}"), agent)).code == ""
    return cell


def agent_of(cell: World, where: Any = CHAT) -> Any:
    """Who has a conversation."""
    phase = cell.conversation(where).phase
    return phase.agent.id if isinstance(phase, Talking) else None


def test_ticket_in_the_same_step() -> None:
    """In a help desk the first message, its ticket and the assignment are one step."""
    cell = world(ANN)
    cell.ask(sends())
    assert cell.kinds(CHAT) == ["Started", "Message", "Queued", "TicketOpened", "Assigned"]
    assert cell.conversation(CHAT).beside.ticket.number == 1
    cell.ask(sends(visitor=OLA))
    assert cell.conversation(conversation(visitor=OLA)).beside.ticket.number == 2


def test_agent_makes_a_ticket() -> None:
    """In an inbox of the other kind an agent makes one: numbered, and its status set, by one frame."""
    cell = world(ANN, config=workplace())
    cell.ask(sends())
    outcome = cell.ask(by(BO, commands.SetTicket, 1, CHAT, "waiting_us"))
    assert cell.kinds(CHAT)[-2:] == ["TicketOpened", "TicketChanged"]
    assert (outcome.code, outcome.seq) == ("", len(cell.log(CHAT)))
    assert [fact.status for fact in cell.facts if isinstance(fact, TicketKept)] == ["new", "waiting_us"]


def test_block_ends_all_they_have_open() -> None:
    """Blocking closes every open conversation of the visitor, asks nothing, and is taken back without opening any."""
    cell = world(ANN)
    chats = [conversation(flow) for flow in (OPEN, IMPLIES)]
    for flow in (OPEN, IMPLIES):
        cell.ask(sends(flow=flow))
    assert cell.ask(by(BO, commands.BlockVisitor, 1, CHAT, True)).code == ""
    for chat in chats:
        assert isinstance(cell.conversation(chat).phase, Closed)
        assert cell.log(chat)[-1].body.reason == "blocked"  # type: ignore[union-attr]
    assert cell.rosters[ACCOUNT].held == {}
    assert cell.ask(sends(2)).code == "blocked"
    cell.ask(by(BO, commands.BlockVisitor, 2, CHAT, False))
    assert isinstance(cell.conversation(CHAT).phase, Closed)
    assert cell.ask(sends(3)).code == ""


def test_no_reply_goes_to_the_next() -> None:
    """Who does not answer in time loses it to the next, and the other one's console says so."""
    cell = world(ANN, BO, first_reply_s=120)
    cell.ask(sends())
    assert agent_of(cell) == ANN
    cell.pass_time(119_000)
    assert agent_of(cell) == ANN
    cell.pass_time(2_000)
    assert agent_of(cell) == BO


def test_silent_makes_room() -> None:
    """A conversation whose visitor is silent after the agent's word leaves room for another, until they return."""
    config = helpdesk()
    config = replace(config, agents=[replace(agent, capacity=1) for agent in config.agents])
    cell = world(ANN, config=config, silent_s=600)
    cell.ask(sends())
    cell.ask(replies(ANN, 1, CHAT))
    cell.ask(sends(visitor=OLA))
    other = conversation(visitor=OLA)
    assert isinstance(cell.conversation(other).phase, Waiting)
    cell.pass_time(640_000)
    assert agent_of(cell, other) == ANN
    cell.ask(sends(2))
    assert agent_of(cell) == ANN, "it stays with the agent"


def test_snoozed_makes_room() -> None:
    """A snoozed conversation leaves room, and takes it back when it wakes."""
    config = helpdesk()
    config = replace(config, agents=[replace(agent, capacity=1) for agent in config.agents])
    cell = world(ANN, config=config)
    cell.ask(sends())
    cell.ask(by(ANN, commands.SnoozeConversation, 1, CHAT, cell.now_ms + 50_000))
    cell.ask(sends(visitor=OLA))
    assert agent_of(cell, conversation(visitor=OLA)) == ANN
    cell.pass_time(60_000)
    assert cell.kinds(CHAT)[-1] == "Woken"
    assert agent_of(cell) == ANN


def test_report_names_the_phone() -> None:
    """Facts of a survey carry the platform and app version of the phone that was heard last."""
    cell = world(ANN)
    cell.ask(sends())
    cell.ask(replies(ANN, 1, CHAT))
    cell.ask(hangs_up(ANN, 2, CHAT))
    cell.ask(rates(2, CHAT, "answer", score=2))
    facts = [fact for fact in cell.facts if isinstance(fact, SurveyChanged)]
    assert [(fact.platform, fact.app_version, fact.score) for fact in facts] == [
        ("ios", "1.0", None),
        ("ios", "1.0", 2),
    ]


def test_answered_from_another_phone_once() -> None:
    """A survey is answered from any phone, exactly once; the same frame again changes nothing."""
    cell = world(ANN)
    cell.ask(sends())
    cell.ask(replies(ANN, 1, CHAT))
    cell.ask(hangs_up(ANN, 2, CHAT))
    answer = rates(1, CHAT, "answer", number=2, score=2)
    first = cell.ask(answer)
    assert (first.code, cell.log(CHAT)[first.seq - 1].body.score) == ("", 2)  # type: ignore[union-attr]
    assert cell.ask(answer) == first
    assert cell.ask(rates(2, CHAT, "answer", number=1, score=0)).code == "survey_over"


def test_alias_in_every_frame() -> None:
    """What visitors are sent of an assignment and a reply names the alias, and a note is hidden from them."""
    cell = world(ANN)
    cell.ask(sends())
    cell.ask(replies(ANN, 1, CHAT))
    cell.ask(by(ANN, commands.AddNote, 2, CHAT, "Psst", [BO], False))
    *_, assigned, said, noted = cell.shown[CHAT]
    for frame, field in ((assigned, "agent"), (said, "by")):
        author = getattr(msgspec.msgpack.decode(frame, type=Event).body, field)
        assert (author.id, author.name) == ("", ALIAS)
    assert noted == b""


def test_mention_reaches_the_feed() -> None:
    """A mention is a change of the mentioned agent's feed, and the note's outcome names its entry."""
    cell = world(ANN)
    cell.ask(sends())
    result = cell.do(by(ANN, commands.AddNote, 1, CHAT, "Psst", [BO], False))
    assert result.outcomes[0][1].seq == len(cell.log(CHAT))
    assert [e.what for e in result.effects if isinstance(e, FeedUpdate)] == ["mentioned"]


def test_redaction_replaces_what_is_stored() -> None:
    """Redacted, the entry is its tombstone in the log, for visitors under the alias."""
    cell = world(ANN)
    cell.ask(sends())
    said = cell.ask(replies(ANN, 1, CHAT, "secret"))
    frame = cell.logs[CHAT][said.seq - 1]
    assert cell.ask(by(BO, commands.RedactMessage, 1, CHAT, said.seq, frame)).code == ""
    assert not any(b"secret" in stored for stored in (*cell.logs[CHAT], *cell.shown[CHAT], cell.conversations[CHAT]))
    assert cell.ask(by(BO, commands.RedactMessage, 2, CHAT, said.seq, cell.logs[CHAT][said.seq - 1])).code == ""


def test_nothing_known_of_it() -> None:
    """Of a conversation that is not here an agent's command is refused, and the refusal remembered."""
    cell = world(ANN)
    outcome = cell.ask(by(ANN, commands.AddNote, 1, conversation(ASKS), "Psst", [], False))
    assert outcome.code == "not_found"
    assert cell.ask(by(ANN, commands.AddNote, 1, conversation(ASKS), "Psst", [], False)) == outcome


def test_search_waits_for_the_hours() -> None:
    """A search names the hours of the version that the conversation goes on under, and whether to try outside."""
    hours = HoursId("hrs")
    there = Availability("office_hours", hours, route_if_available=True)
    config = replace(helpdesk(availability=there), hours=[Hours(hours, "Shop", "UTC", [[]] * 7)])
    cell = world(ANN, config=config)
    cell.ask(sends())
    seek = Seek(ACCOUNT, CHAT, INBOX, RULE, 0, "started")
    described_ = described(seek, cell.conversation(CHAT), config, None)
    assert (described_.hours, described_.available_anyway, described_.owner) == (hours, True, None)
    always = replace(there, kind="always")
    flows = [replace(flow, version=4, availability=always) for flow in config.chatflows]
    later = replace(config, chatflows=flows, past=config.chatflows)
    assert described(seek, cell.conversation(CHAT), later, None).hours == hours


@pytest.mark.parametrize("owner", [None, BO])
def test_search_names_the_owner(owner: Any) -> None:
    """A search names the contact's owner, if the company vouched for one."""
    cell = world()
    cell.ask(sends())
    visitor = replace(record(), profile=Profile("Kari", owner=owner))
    seek = Seek(ACCOUNT, CHAT, INBOX, RULE, 0, "started")
    assert described(seek, cell.conversation(CHAT), cell.configs[ACCOUNT], visitor).owner == owner


def test_owner_is_asked_for() -> None:
    """Under a rule of that assignment the owner gets it though it is another's turn."""
    config = helpdesk()
    owned = replace(config.rules[0], assignment="contact_owner", fallback=RULE)
    cell = world(ANN, BO, config=replace(config, rules=[owned]))
    before = cell.visitor(KARI)
    assert before is not None
    cell.visitors[KARI] = msgspec.msgpack.encode(replace(before, profile=Profile("Kari", owner=BO)))
    cell.ask(sends())
    assert agent_of(cell) == BO
