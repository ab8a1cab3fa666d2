"""The roster and conversations together, in one cell: what routing decides is what their logs say."""

from typing import Any

from msgspec.structs import replace

from protocol.bus import commands
from protocol.bus.chatflow import Availability
from protocol.bus.config import AccountConfig, Rule, Team
from protocol.bus.hours import Hours, Interval
from protocol.bus.records import NextInLine, Profile
from protocol.bus.staff import Overflow
from protocol.ids import AgentId, HoursId, RuleId, TeamId
from protocol.wire import content
from tests.kit.workplace import (
    ACCOUNT,
    ANN,
    BO,
    CY,
    INBOX,
    KARI,
    OLA,
    OPEN,
    RULE,
    admits,
    conversation,
    origin,
    phone,
    replies,
    sends,
    workplace,
)
from tests.kit.world import World

KARIS, OLAS = conversation(OPEN), conversation(OPEN, visitor=OLA)
RED = TeamId("tea_red")


def cell(*present: AgentId, config: AccountConfig | None = None, **rule: Any) -> World:
    """Return a cell of Ann, Bo and Cy (who supervises) under a rule as said, with Kari and Ola at their phones."""
    config = config or workplace(auto_accept=True)
    changed = replace(config, rules=[replace(one, **rule) for one in config.rules], teams=[Team(RED, "Red", [BO])])
    world = World(changed)
    for visitor in (KARI, OLA):
        world.ask(admits(visitor, identified=True))
    for agent in present:
        arrive(world, agent)
    return world


def arrive(world: World, agent: AgentId) -> None:
    world.ask(commands.AgentArrives(ACCOUNT, origin(f"desk_{agent}", 0, session=f"ses_{agent}"), agent))


def assigned(world: World, where: Any = KARIS) -> list[tuple[str, str]]:
    """Return who had a conversation, and why."""
    bodies = [event.body for event in world.log(where)]
    return [(body.agent.id, body.reason) for body in bodies if isinstance(body, content.Assigned)]


def ask(world: World, kind: Any, agent: AgentId, *fields: Any, **more: Any) -> Any:
    """Let an agent ask something, with the next number of their desk; return the outcome."""
    device = f"desk_{agent}"
    return world.ask(kind(ACCOUNT, origin(device, world.next_n("desk", device)), agent, *fields, **more))


def test_no_reply_in_time_goes_to_the_next() -> None:
    """After the deadline of the rule: freed, queued, and another agent has it."""
    world = cell(ANN, BO, first_reply_s=120)
    world.ask(sends(1))
    world.pass_time(120_000)
    assert assigned(world) == [(ANN, "auto"), (BO, "auto")]
    assert [body.reason for body in (event.body for event in world.log(KARIS)) if isinstance(body, content.Queued)] == [
        "started",
        "no_reply",
    ]


def test_a_silent_visitor_makes_room_and_their_return_takes_it() -> None:
    """Ten minutes after the agent's word it counts no more; a return lifts the count above the cap."""
    config = workplace(auto_accept=True, capacity=1)
    world = cell(ANN, config=config)
    world.ask(sends(1))
    world.ask(replies(ANN, 1, KARIS))
    world.ask(sends(1, visitor=OLA))
    assert assigned(world, OLAS) == []
    world.pass_time(700_000)
    assert assigned(world, OLAS) == [(ANN, "auto")]
    world.ask(sends(2))
    assert world.rosters[ACCOUNT].members[ANN].load == 2


def test_the_contact_s_owner_gets_it() -> None:
    """As the company's token says who looks after them."""
    config = workplace(auto_accept=True)
    rest = Rule(RuleId("rest"), INBOX, "Rest", auto_accept=True)
    rules = [replace(config.rules[0], assignment="contact_owner", fallback=rest.id), rest]
    world = cell(ANN, BO, config=replace(config, rules=rules))
    world.change_visitor(KARI, profile=Profile("Kari", owner=BO))
    world.ask(sends(1))
    world.ask(sends(1, visitor=OLA))
    assert (assigned(world), assigned(world, OLAS)) == ([(BO, "owner")], [(ANN, "auto")])


def closed_shop(**availability: Any) -> AccountConfig:
    """Return a workplace whose shop opens at one in the morning of the first day; tests begin before."""
    shop = Hours(HoursId("hrs_shop"), "Shop", "UTC", [[Interval(60, 1_440)]] * 7)
    there = Availability("office_hours", shop.id, **availability)
    return replace(workplace(auto_accept=True, availability=there), hours=[shop])


def test_outside_hours_it_is_queued_and_offered_at_the_opening() -> None:
    """And claimable meanwhile: nobody is asked before."""
    world = cell(ANN, config=closed_shop(), first_reply_s=0)
    world.ask(sends(1))
    assert assigned(world) == []
    world.pass_time(3_600_000)
    assert assigned(world) == [(ANN, "auto")]


def test_route_if_available_does_not_wait_for_the_opening() -> None:
    """Somebody is there anyway."""
    world = cell(ANN, config=closed_shop(route_if_available=True))
    world.ask(sends(1))
    assert assigned(world) == [(ANN, "auto")]


def test_a_transfer_to_a_team_is_told_and_routed() -> None:
    """Transferred, unassigned, queued, assigned to one of the team; in one commit."""
    world = cell(ANN, BO)
    world.ask(sends(1))
    ask(world, commands.TransferConversation, ANN, KARIS, AgentId(""), "yours", RED)
    assert world.kinds(KARIS)[-4:] == ["Transferred", "Unassigned", "Queued", "Assigned"]
    assert assigned(world)[-1] == (BO, "auto")


def test_an_overflow_asks_the_team_and_tells_the_conversation() -> None:
    """Nobody of the rule came in time."""
    world = cell(BO, agents=[ANN], overflow=Overflow(300, RED))
    world.ask(sends(1))
    world.pass_time(299_000)
    assert assigned(world) == []
    world.pass_time(2_000)
    assert assigned(world) == [(BO, "auto")]


def test_a_supervisor_takes_over_by_force() -> None:
    """The log says so, and the agent has it no longer."""
    world = cell(ANN, CY)
    world.ask(sends(1))
    assert ask(world, commands.ClaimConversation, CY, KARIS).code == "already_assigned"
    assert ask(world, commands.ClaimConversation, ANN, KARIS, True).code == "not_permitted"
    assert ask(world, commands.ClaimConversation, CY, KARIS, True).code == ""
    assert assigned(world) == [(ANN, "auto"), (CY, "forced")]
    assert world.rosters[ACCOUNT].members[ANN].load == 0


def test_a_priority_that_an_agent_sets_moves_the_queue() -> None:
    """Who matters more is next."""
    world = cell(CY, config=workplace(auto_accept=True, capacity=0))
    world.ask(sends(1))
    world.ask(sends(1, visitor=OLA))
    device = f"desk_{CY}"
    set_priority = commands.SetPriority(ACCOUNT, origin(device, world.next_n("desk", device)), OLAS, CY, "urgent")
    assert world.ask(set_priority).code == ""
    line = world.rosters[ACCOUNT].lines[RULE]
    assert [rank[3] for rank in line.waiting.ranks] == [OLAS, KARIS]


def test_who_would_be_next_is_answered_without_a_trace() -> None:
    """In the outcome alone."""
    world = cell(ANN, BO)
    before = len(world.roster_log[ACCOUNT])
    asked = commands.AskWhoNext(ACCOUNT, origin(f"desk_{ANN}", 0, "ref"), ANN, RULE)
    told = world.ask(asked).next_in_line
    assert told == NextInLine(
        ANN, [(ANN, "chosen"), (BO, "later_in_turn"), (CY, "offline")], {"ready": 2, "offline": 1}
    )
    assert len(world.roster_log[ACCOUNT]) == before


def test_a_phone_that_is_gone_keeps_the_place() -> None:
    """Only cancelling abandons: the roster knows nothing of phones."""
    world = cell(config=workplace(auto_accept=True))
    world.ask(sends(1))
    world.ask(sends(1, visitor=OLA))
    world.ask(commands.LogOut(ACCOUNT, origin(phone(KARI), 0, "bye"), KARI, phone(KARI)))
    line = world.rosters[ACCOUNT].lines[RULE]
    assert [rank[3] for rank in line.everyone.ranks] == [KARIS, OLAS]
    world.ask(commands.VisitorCloses(ACCOUNT, origin(phone(OLA), 2), OLAS, OLA))
    assert [rank[3] for rank in line.everyone.ranks] == [KARIS]
