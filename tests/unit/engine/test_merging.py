"""What becomes of the conversations that a phone began, once its user logs in there (SPEC 3.9)."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from engine.core.result import Need
from engine.core.step import needs
from protocol.bus.commands import (
    Begun,
    Emptied,
    EraseConversations,
    ErasePerson,
    Kept,
    LogOut,
    NoteContext,
    SetAnalytics,
    Uploaded,
    VisitorCloses,
    VisitorWithdraws,
)
from protocol.bus.facts import VisitorMerged
from protocol.bus.records import ConsentRecord, CurrentConversation, DeviceRecord
from protocol.ids import AttachmentId, ChatflowId, ErasureId, VisitorId, conversation_id
from protocol.wire import content
from protocol.wire.kinds import File
from tests.kit.logins import HERS, HIS, OWN, kari, logs_in, met, ola_says, record
from tests.kit.workplace import (
    ACCOUNT,
    ASKS,
    KARI,
    KEY,
    OLA,
    OPEN,
    UNROUTED,
    admits,
    answers,
    closes,
    conversation,
    origin,
    phone,
    sends,
)
from tests.kit.world import World


@pytest.fixture
def world() -> World:
    """Kari, anonymous, has said hello on her phone."""
    return kari()


def test_the_conversation_is_theirs(world: World) -> None:
    """An entry of its log says so, which visitors are not shown the name of; all before it stays as it was."""
    world.ask(sends())
    before = world.log(HERS)
    assert logs_in(world).code == ""
    *same, merged = world.log(HERS)
    assert same == before
    assert merged.body == content.Merged(OLA)
    assert b"vis_ola" not in world.shown[HERS][-1]
    assert record(world).current[OPEN].conversation == HERS
    assert world.conversation(HERS).terms.visitor == OLA


def test_who_they_were_is_nobody(world: World) -> None:
    """What is left is a name; the secret opens nothing, and what comes late under it is told to come again."""
    world.ask(sends())
    logs_in(world)
    left = record(world, KARI)
    assert (left.merged, left.current, left.consents) == (OLA, {}, {})
    assert left.devices == {phone(KARI): DeviceRecord("", "", "", 0, revoked=True)}
    assert world.ask(admits(presented=[b"fresh"])).code == "visitor_unknown"
    for late in (sends(2), closes(2), sends(1, flow=UNROUTED)):
        assert world.ask(late).code == "unavailable"
    here = (origin(phone(KARI), 0, "late"), KARI)
    for late_aside in (
        SetAnalytics(ACCOUNT, *here, True, phone(KARI), "en"),
        VisitorWithdraws(ACCOUNT, *here, "process", phone(KARI), "en"),
        NoteContext(ACCOUNT, *here, "/cart", {}, {}, []),
        LogOut(ACCOUNT, *here, phone(KARI)),
    ):
        assert world.ask(late_aside).code == "visitor_unknown"


def test_it_happens_once(world: World) -> None:
    """The same hello again finds it done; SQL hears of it once."""
    world.ask(sends())
    assert logs_in(world).code == logs_in(world).code == ""
    assert world.kinds(HERS).count("Merged") == 1
    assert [fact for fact in world.facts if isinstance(fact, VisitorMerged)] == [
        VisitorMerged(ACCOUNT, KARI, OLA, "", world.now_ms - 1)
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"presented": [b"guessed"]}, "visitor_unknown"),
        ({"presented": []}, "visitor_unknown"),
        ({"begun": {"device": phone(KARI, 2)}}, "visitor_unknown"),
        ({"begun": {"visitor": VisitorId("vis_nobody"), "known": False}}, "visitor_unknown"),
        ({"begun": {"visitor": VisitorId("vis_evicted")}}, "unavailable"),
        ({"app": "app_other"}, "visitor_unknown"),
    ],
)
def test_without_proof_nothing_moves(world: World, changes: dict[str, Any], code: str) -> None:
    """A wrong secret, another phone, somebody who never was, another app: refused, and nobody is let in."""
    world.ask(sends())
    assert logs_in(world, **changes).code == code
    assert world.visitor(OLA) is None
    assert world.conversation(HERS).terms.visitor == KARI


def test_another_user_gets_nothing_of_it(world: World) -> None:
    """What is Ola's already is not moved on to whoever shows the same secret."""
    world.ask(sends())
    logs_in(world)
    third = VisitorId("vis_third")
    begun = Begun(KARI, phone(KARI), None, True)
    again = admits(third, identified=True, presented=[b"fresh"], fresh=b"", begun=begun)
    assert world.ask(again).code == "subject_changed"
    elsewhere = replace(again, begun=replace(begun, device=phone(KARI, 2)))
    assert world.ask(elsewhere).code == "visitor_unknown", "only the phone itself is told"
    assert world.visitor(third) is None


def test_frames_keep_their_numbers_and_outcomes(world: World) -> None:
    """What the phone has no answer of is answered as before under the new name, and the next number follows."""
    said = world.ask(sends(1, "Hello"))
    logs_in(world)
    here = phone(OLA)
    again = sends(visitor=OLA, conversation=HERS, origin=origin(here, 1, "dev_kari1-1"))
    assert world.ask(again) == replace(said, device=here)
    assert world.next_n(HERS, here) == 2
    assert world.kinds(HERS).count("Message") == 1


def test_what_did_not_come_about_is_sent_on(world: World) -> None:
    """A frame that began nothing leads to where the user talks now, from that phone alone and until the logout."""
    logs_in(world)
    asked = sends(visitor=OLA, conversation=HERS, origin=origin(phone(OLA), 1))
    refused = world.ask(asked)
    assert (refused.code, refused.instead) == ("continued", HIS)
    assert ola_says(world, where=HERS).code == "not_found"
    world.ask(LogOut(ACCOUNT, OWN, OLA, phone(OLA)))
    assert world.ask(asked).code == "not_found"


def test_the_one_that_is_talked_in_goes_on(world: World) -> None:
    """Of two under one chatflow the other ends for it, and no word brings it back; each names the other."""
    met(world)
    ola_says(world)
    world.ask(sends())
    logs_in(world)
    assert world.kinds(HIS)[-2:] == ["Closed", "Merged"]
    assert world.log(HIS)[-2].body == content.Closed(content.Author(content.Role.SYSTEM, ""), "merged")
    assert world.log(HIS)[-1].body == content.Merged(OLA, over=True, other=HERS)
    assert world.log(HERS)[-1].body == content.Merged(OLA, other=HIS)
    assert record(world).current[OPEN].conversation == HERS
    refused = ola_says(world, 2)
    assert (refused.code, refused.instead) == ("continued", HERS)


@pytest.mark.parametrize("hers", ["said first", "closed", "only a step"])
def test_the_users_own_goes_on(world: World, hers: str) -> None:
    """If something was said there later, or the phone's is over, or nobody waits there for anything."""
    met(world)
    flow = ASKS if hers == "only a step" else OPEN
    mine, theirs = conversation(flow, visitor=OLA), conversation(flow)
    if hers == "only a step":
        world.ask(answers(value="declined"))
        world.change_visitor(OLA, consents={"process": ConsentRecord("granted", 0, "hash", ASKS, 3, "en", "1.0")})
    else:
        world.ask(sends())
    if hers == "closed":
        world.ask(closes(2))
    assert ola_says(world, where=mine, flow=flow).code == ""
    logs_in(world)
    assert record(world).current[flow].conversation == mine
    assert world.log(mine)[-1].body == content.Merged(OLA, other=theirs)
    state = world.conversation(theirs)
    assert (type(state.phase).__name__, state.terms.reopen_window_s, state.terms.visitor) == ("Closed", 0, OLA)


def test_what_was_erased_has_had_its_last_entry(world: World) -> None:
    """Nothing is left of it to be anybody's; what is said next is the user's own first."""
    world.ask(sends())
    world.ask(closes(2))
    world.do(EraseConversations(ACCOUNT, [Emptied(HERS, b"")]))
    before = world.log(HERS)
    assert logs_in(world).code == ""
    assert world.log(HERS) == before
    assert record(world).current == {}


def test_who_was_erased_is_who_they_became(world: World) -> None:
    """An erasure of the name that was leaves who has what was theirs: that leads it to the rest."""
    logs_in(world)
    world.do(ErasePerson(ACCOUNT, KARI, ErasureId("era_1"), None, [], None))
    assert (record(world, KARI).erased, record(world, KARI).merged) == ("era_1", OLA)


def test_what_is_long_over_is_no_rival(world: World) -> None:
    """What the user had before can not be reopened any more, and stays as it is."""
    met(world)
    ola_says(world)
    world.ask(VisitorCloses(ACCOUNT, origin(phone(OLA, 2), 2), HIS, OLA))
    world.pass_time(4_000_000)
    before = world.log(HIS)
    world.ask(sends())
    logs_in(world)
    assert world.log(HIS) == before
    assert world.log(HERS)[-1].body == content.Merged(OLA)


def test_the_next_one_has_a_name_of_its_own(world: World) -> None:
    """Under a chatflow where both had some: what is begun then is begun under a name that nobody has."""
    met(world)
    ola_says(world)
    world.ask(VisitorCloses(ACCOUNT, origin(phone(OLA, 2), 2), HIS, OLA))
    world.pass_time(4_000_000)
    second = conversation_id(KEY, OLA, OPEN, 2)
    ola_says(world, where=second)
    world.ask(sends())
    logs_in(world)
    assert record(world).current[OPEN] == CurrentConversation(HERS, 3, None, 3_600)


def test_all_conversations_come_along(world: World) -> None:
    """Under every chatflow, those that are long over too: from the cell, or as SQL kept them with their outcomes."""
    world.ask(sends())
    world.ask(sends(flow=UNROUTED))
    world.ask(closes(2, UNROUTED))
    over = conversation(UNROUTED)
    world.pass_time(4_000_000)
    cold, ledger = world.conversations.pop(over), world.ledgers.pop((over, phone(KARI)))
    kept = Kept(over, cold, [msgspec.msgpack.encode(outcome) for outcome in ledger.values()])
    assert logs_in(world).code == "unavailable", "what nobody has at hand is not left behind"
    assert logs_in(world, begun={"conversations": [kept]}).code == ""
    assert {world.conversation(where).terms.visitor for where in (HERS, over)} == {OLA}
    assert world.next_n(over, phone(OLA)) == 3


def test_all_that_comes_along_is_loaded_at_once(world: World) -> None:
    """However many conversations there are, the cell is not kept waiting for one after the other."""
    kept = [Kept(conversation_id(KEY, KARI, UNROUTED, ordinal), b"") for ordinal in range(1, 4)]
    command = admits(OLA, identified=True, begun=Begun(KARI, phone(KARI), None, True, kept))
    wanted = {Need("conversation", each.conversation) for each in kept}
    assert wanted | {Need("visitor", OLA), Need("visitor", KARI)} == set(needs(command))


def test_a_file_that_was_put_before_may_still_be_sent(world: World) -> None:
    """By the phone that put it."""
    world.ask(sends())
    logs_in(world)
    file = File(AttachmentId("att_1"), "file", "a.txt", "text/plain", 3)
    put = Uploaded(HERS, KARI, world.now_ms, file)
    asked = sends(text="", visitor=OLA, conversation=HERS, origin=origin(phone(OLA), 2), uploads=[put])
    assert world.ask(asked).code == ""


def test_flows_of_either_stay_apart(world: World) -> None:
    """What each had under a chatflow of their own goes on side by side."""
    met(world)
    ola_says(world, where=conversation(UNROUTED, visitor=OLA), flow=UNROUTED)
    world.ask(sends())
    logs_in(world)
    current = {ChatflowId(flow): each.conversation for flow, each in record(world).current.items()}
    assert current == {UNROUTED: conversation(UNROUTED, visitor=OLA), OPEN: HERS}
