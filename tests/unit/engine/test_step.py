"""One command to rest, with the real roster."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.core import phases
from engine.core.result import Stamp, StepFailed
from engine.core.settling import Settling
from engine.core.step import begin, needs, park
from protocol.bus.commands import (
    AcceptOffer,
    AgentArrives,
    ClaimConversation,
    GatewayLost,
    PublishConfig,
    SetAgentState,
    TransferConversation,
)
from protocol.bus.effects import AgentLost
from protocol.ids import AccountId
from tests.kit.workplace import (
    ACCOUNT,
    ANN,
    ASKS,
    BO,
    GATEWAY,
    KARI,
    OPEN,
    admits,
    answers,
    closes,
    conversation,
    hangs_up,
    origin,
    phone,
    replies,
    sends,
    workplace,
)
from tests.kit.world import Loaded, World

CHAT = conversation()


def arrives(agent: Any, session: str = "") -> AgentArrives:
    """An agent opens a console."""
    return AgentArrives(ACCOUNT, origin(f"desk_{agent}", 0, "here", session or f"ses_{agent}"), agent)


def world(*agents: Any, auto_accept: bool = True, **changes: Any) -> World:
    """A cell with Kari admitted and agents at work."""
    cell = World(workplace(auto_accept=auto_accept, **changes))
    assert cell.ask(admits()).code == ""
    for agent in agents:
        assert cell.ask(arrives(agent)).code == ""
    return cell


def test_message_to_assignment_in_one_step() -> None:
    """A message that needs an agent, the roster's choice and the assignment are one step."""
    cell = world(ANN)
    outcome = cell.ask(sends(text="Help"))
    assert (outcome.code, outcome.seq, outcome.event) == ("", 2, f"1.{cell.commit_no}.1")
    assert cell.kinds(CHAT) == ["Started", "Message", "Queued", "Assigned"]
    assert cell.conversation(CHAT).phase == phases.Talking(cell.log(CHAT)[-1].body.agent, cell.now_ms, cell.now_ms)


def test_event_ids_run_on() -> None:
    """Events of one commit are numbered on across its steps."""
    cell = world(ANN)
    first = cell.decide(sends(), Stamp(4, 9, 2, 5_000))
    assert [logged.event.id for logged in first.events] == ["4.9.2", "4.9.3", "4.9.4", "4.9.5"]
    assert first.next_index == 6


def test_sent_again() -> None:
    """A frame sent again gets the same outcome for the session that asks, and nothing happens."""
    cell = world(ANN)
    first = cell.ask(sends())
    again = cell.do(replace(sends(), origin=origin(phone(KARI), 1, session="ses_2")))
    assert again.outcomes == [(GATEWAY, replace(first, session="ses_2"))]
    assert (again.events, again.conversations, again.ledger) == ([], {}, [])


def test_known_id_under_another_n() -> None:
    """A known id is answered whatever its n: the client may have renumbered."""
    cell = world(ANN)
    first = cell.ask(sends())
    assert cell.ask(replace(sends(), origin=origin(phone(KARI), 7, f"{phone(KARI)}-1"))) == first


@pytest.mark.parametrize(("n", "code"), [(3, "out_of_order"), (1, "n_conflict")])
def test_wrong_number(n: int, code: str) -> None:
    """A wrong n is refused with the expected one, and consumes nothing."""
    cell = world(ANN)
    cell.ask(sends())
    outcome = cell.ask(sends(origin=origin(phone(KARI), n, "new")))
    assert (outcome.code, outcome.expected) == (code, 2)
    assert cell.next_n(CHAT, phone(KARI)) == 2


def test_refusal_takes_its_number() -> None:
    """A refusal by the decider consumes n and is remembered."""
    cell = world(ANN)
    cell.ask(sends())
    refused = cell.ask(sends(2, " "))
    assert (refused.code, refused.expected) == ("empty_text", 0)
    assert cell.ask(sends(2, " ")) == refused
    assert cell.next_n(CHAT, phone(KARI)) == 3


def test_refusal_without_state() -> None:
    """On an id without state a refusal consumes nothing, and names the n expected next."""
    cell = world(ANN)
    refused = cell.ask(sends(flow=ASKS))
    assert (refused.code, refused.expected) == ("consent_required", 1)
    assert not any(cell.ledgers.values())


def test_start_is_the_first_number() -> None:
    """A conversation starts with n 1."""
    cell = world(ANN)
    outcome = cell.ask(sends(2))
    assert (outcome.code, outcome.expected) == ("out_of_order", 1)
    assert cell.conversations == {}


def test_visitor_away() -> None:
    """A visitor whose record is not here is asked to try again, at no cost of n."""
    cell = world(ANN)
    cell.ask(sends())
    cell.visitors.clear()
    away = cell.ask(sends(2))
    assert (away.code, away.expected) == ("unavailable", 2)
    assert cell.ask(admits(presented=[b"fresh"])).code == "visitor_unknown"


def test_gateway_that_is_over() -> None:
    """What came through a gateway that is over is not used up: the agent sends it again through another."""
    cell = world(ANN)
    cell.do(GatewayLost(GATEWAY))
    away = cell.ask(SetAgentState(ACCOUNT, origin("desk", 1), ANN, "away"))
    assert (away.code, away.expected) == ("unavailable", 1)


def test_reply_claims() -> None:
    """A reply to a waiting conversation claims it and is logged, under one n."""
    cell = world(BO, auto_accept=False)
    cell.ask(sends())
    outcome = cell.ask(replies(BO, 1, CHAT))
    assert cell.kinds(CHAT)[-2:] == ["Assigned", "Message"]
    assert (outcome.seq, cell.next_n("desk", f"desk_{BO}")) == (5, 2)


def test_reply_that_may_not_claim() -> None:
    """A reply whose claim is refused is refused as the claim was, and remembered."""
    cell = world(BO, auto_accept=False)
    cell.ask(sends())
    outcome = cell.ask(replies(ANN, 1, CHAT))  # Ann is not connected
    assert outcome.code == "not_available"
    assert cell.ask(replies(ANN, 1, CHAT)) == outcome


def test_accepting_names_the_entry() -> None:
    """The outcome of an accepted offer names the entry that assigned."""
    cell = world(ANN, auto_accept=False)
    result = cell.do(sends())
    (offer,) = [effect.row["offer"] for effect in result.effects if getattr(effect, "what", "") == "offered"]
    outcome = cell.ask(AcceptOffer(ACCOUNT, origin(f"desk_{ANN}", 1), ANN, offer))
    assert (outcome.code, outcome.conversation, outcome.seq) == ("", CHAT, 4)


def test_transfer() -> None:
    """A transfer is one entry for staff, and two for everybody."""
    cell = world(ANN)
    cell.ask(sends())
    cell.ask(arrives(BO))
    result = cell.do(TransferConversation(ACCOUNT, origin(f"desk_{ANN}", 1), ANN, CHAT, BO, "Knows more"))
    assert [logged.visitor_frame for logged in result.events] == [b"", None, None]
    assert cell.conversation(CHAT).phase.agent.id == BO


def test_entry_carries_its_frame() -> None:
    """Only the entry that stands for a frame carries who sent it."""
    result = world(ANN).do(sends())
    assert [(logged.device, logged.n, logged.id) for logged in result.events] == [
        ("", 0, ""),
        (phone(KARI), 1, f"{phone(KARI)}-1"),
        ("", 0, ""),
        ("", 0, ""),
    ]


def test_lost_gateway_reaches_every_account() -> None:
    """A lost gateway is decided by every roster of the cell."""
    cell = world(ANN)
    assert [account for account, _ in cell.do(GatewayLost(GATEWAY)).roster_events] == [ACCOUNT]


def test_lost_agent() -> None:
    """An agent whose grace is over loses what they owe a reply to, and it is sought for again in that step."""
    cell = world(ANN)
    cell.ask(sends())
    cell.ask(replace(arrives(BO), origin=origin("desk", 0, "here", "ses_bo", gateway="gw_2")))
    cell.do(GatewayLost(GATEWAY))
    cell.pass_time(60_000)
    assert cell.kinds(CHAT)[-3:] == ["Unassigned", "Queued", "Assigned"]
    assert cell.conversation(CHAT).phase.agent.id == BO


def test_close_serves_the_next() -> None:
    """Closing frees a slot, and who waits is assigned in the same step."""
    cell = world(ANN, capacity=1)
    cell.ask(sends())
    cell.ask(answers())
    cell.ask(sends(2, flow=ASKS))
    cell.ask(hangs_up(ANN, 1, CHAT))
    assert cell.kinds(conversation(ASKS))[-1] == "Assigned"
    assert cell.visitor(KARI).current[OPEN].closed_at_ms == cell.now_ms


def test_gate_timer() -> None:
    """A gated conversation is closed when its time is over."""
    cell = world()
    cell.ask(answers(value="declined"))
    cell.pass_time(600_000)
    assert cell.kinds(conversation(ASKS))[-1] == "Closed"
    assert cell.timers == {}


def test_configuration() -> None:
    """A published configuration reaches the roster; before there is one, nothing is to be told."""
    cell = world()
    assert cell.do(PublishConfig(ACCOUNT, 2)).roster_events == []
    cell.ask(arrives(ANN))
    cell.configs[ACCOUNT] = workplace(version=2)
    assert len(cell.do(PublishConfig(ACCOUNT, 2)).roster_events) == 1


def test_isolation() -> None:
    """Another account's agent or visitor finds nothing, and leaves nothing."""
    cell = world(ANN)
    cell.configs[AccountId("acc_other")] = replace(workplace(), account=AccountId("acc_other"))
    cell.ask(sends())
    before = dict(cell.conversations)
    for command in (sends(2), closes(2), replies(ANN, 1, CHAT), hangs_up(ANN, 2, CHAT)):
        outcome = cell.ask(replace(command, account=AccountId("acc_other")))
        assert outcome.code in ("not_found", "unavailable")
    claim = ClaimConversation(AccountId("acc_other"), origin("desk", 1), ANN, CHAT)
    assert cell.ask(claim).code == "not_found"
    assert (cell.conversations, cell.next_n(CHAT, phone(KARI))) == (before, 2)


def test_failure_is_parked() -> None:
    """A decider that raises names its conversation; parked, it refuses, and its agent is free."""
    cell = world(ANN, capacity=1)
    cell.ask(sends())
    impossible = replace(sends(2), text=7)  # no gateway lets this through
    with pytest.raises(StepFailed) as failed:
        cell.decide(impossible, Stamp(1, 50, 0, 5_000))
    assert (failed.value.conversation, failed.value.roster_touched) == (CHAT, frozenset())
    values = Loaded(cell)
    parking = Settling(Stamp(1, 50, 0, cell.now_ms), cell.port, values)
    park(parking, failed.value)
    cell.commit(values.settle(parking))
    assert cell.kinds(CHAT)[-2:] == ["Unassigned", "Parked"]
    assert cell.ask(sends(2)).code == "parked"
    cell.ask(answers())
    cell.ask(sends(2, flow=ASKS))
    assert cell.kinds(conversation(ASKS))[-1] == "Assigned"


def test_loaded_ahead() -> None:
    """Everything that is loaded ahead is asked for by the step."""
    cell = world(ANN)
    cell.ask(sends())
    for command in (sends(2), closes(2), replies(ANN, 1, CHAT), admits(), arrives(BO), GatewayLost(GATEWAY)):
        values = Loaded(cell)
        settling = Settling(Stamp(1, 1, 0, 1), cell.port, values)
        begin(settling, command)
        values.settle(settling)
        assert set(needs(command)) <= set(values.asked), command


def test_interrupted_or_not() -> None:
    """A step that is interrupted for each value that it needs comes to the same as one that has them all at hand."""
    cells = [World(workplace(auto_accept=False), at_hand=at_hand) for at_hand in (True, False)]
    asked = (
        admits(),
        arrives(ANN),
        arrives(BO),
        sends(),
        replies(BO, 1, CHAT),
        closes(2),
        sends(3),
        hangs_up(BO, 2, CHAT),
    )
    whole, interrupted = ([cell.do(command) for command in (*asked, GatewayLost(GATEWAY))] for cell in cells)
    assert whole == interrupted


def test_a_conversation_that_left_early_is_continued() -> None:
    """A closed conversation that the cell let go of within its window is followed by the next one, on any phone."""
    cell = world(ANN)
    cell.ask(sends())
    cell.ask(closes(2))
    del cell.conversations[CHAT]
    assert cell.ask(sends(3)).instead == conversation(ordinal=2)
    assert cell.ask(sends(1, conversation=conversation(ordinal=2))).code == ""
    assert cell.kinds(conversation(ordinal=2))[:2] == ["Started", "Message"]
    assert cell.ask(sends(3)).instead == conversation(ordinal=2)


def test_a_step_as_large_as_an_account() -> None:
    """Thousands of agents who leave at once, each with conversations, are no sign of a cell that never rests."""
    cell = world(ANN)
    values = Loaded(cell)
    settling = Settling(Stamp(1, 9, 0, 5_000), cell.port, values)
    settling.inner.extend(AgentLost(ACCOUNT, CHAT, ANN) for _ in range(50_000))
    values.settle(settling)
    assert not settling.inner


def test_several_steps_in_a_row() -> None:
    """Commands that are decided in a row come to the same as one by one: each sees what the ones before changed."""
    row, single = world(ANN), world(ANN)
    commands = [sends(), sends(2), replies(ANN, 1, CHAT), sends(2), sends(4), closes(3)]
    values = Loaded(row)
    settling = Settling(Stamp(1, 9, 0, row.now_ms), row.port, values)
    for command in commands:
        begin(settling, command)
        values.settle(settling)
    row.commit(settling.result)
    told = [single.do(command, after_ms=0).outcomes[0][1] for command in commands]
    assert [outcome.code for outcome in told] == ["", "", "", "", "out_of_order", ""]
    assert [replace(outcome, event="") for _, outcome in settling.result.outcomes] == [
        replace(outcome, event="") for outcome in told
    ]
    assert settling.result.repeated == 1
    assert [event.body for event in row.log(CHAT)] == [event.body for event in single.log(CHAT)]
    assert row.roster_log == single.roster_log
