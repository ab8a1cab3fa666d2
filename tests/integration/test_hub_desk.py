"""What a console does to a conversation and sees beside it, through a hub, an engine and a roster."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from protocol.bus.chatflow import Heading
from protocol.bus.config import Canned
from protocol.bus.staff import Team
from protocol.ids import TeamId
from protocol.wire.codes import CloseCode
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import bench
from tests.kit.hubs import DEVICE_KEY, Gateway, House, MemoryLine, again, house, office, position
from tests.kit.workplace import ANN, BO, CY, RULE

CANARY = "canary-9b40ee"
KARI = {"kind": "identified", "device_key": DEVICE_KEY, "token": "kari"}


@pytest.fixture
async def home(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[House]:
    crew, hours = Team(TeamId("tea_crew"), "Crew", [ANN, BO]), Canned("hours", {"en": "{visitor}, this is {agent}."})
    config = msgspec.structs.replace(
        office(heading=Heading("custom", "Nordvik")), version=2, teams=[crew], canned=[hours]
    )
    async with bench(valkey, sqlite_databases) as cell, house(cell, config) as made:
        yield made


@pytest.fixture
async def gateway(home: House) -> AsyncIterator[Gateway]:
    async with home.gateway() as made:
        yield made


class Talk:
    """Ann has Kari's conversation open, and it is hers."""

    def __init__(self, ann: MemoryLine, next_n: int, phone: MemoryLine, ready: dict[str, Any]) -> None:
        self.ann, self.phone, self.ready = ann, phone, ready
        self.chat: str = ready["conversation"]
        self._n = next_n - 1

    async def does(self, frame: str, **fields: Any) -> dict[str, Any]:
        """Let Ann say something numbered about the conversation."""
        self._n += 1
        return await self.ann.ask(t=frame, n=self._n, id=f"ann{self._n}", **{"conversation": self.chat, **fields})


async def talk(gateway: Gateway, **hello: Any) -> Talk:
    ann, desk = await gateway.agent(ANN)
    phone, ready = await gateway.visitor(**hello)
    made = Talk(ann, desk["next_n"], phone, ready)
    await phone.ask(t="send", n=1, id="a", conversation=made.chat, text=f"Hello {CANARY}")
    offered = await ann.get("feed", what="offered")
    assert (await made.does("accept", offer=offered["row"]["offer"]))["t"] == "ack"
    ann.put(t="resume", position=position(made.chat))
    await ann.get("caught_up")
    return made


def is_context(frame: dict[str, Any]) -> bool:
    return bool(frame["t"] == "context")


def message(frame: dict[str, Any]) -> bool:
    return bool(frame["t"] == "event" and frame["body"]["kind"] == "message")


async def test_ready_names_teams_ready_replies_and_who_supervises(gateway: Gateway) -> None:
    """What a console offers its agent."""
    _, ann = await gateway.agent(ANN)
    _, cy = await gateway.agent(CY)
    assert ann["teams"] == [{"id": "tea_crew", "name": "Crew", "members": [ANN, BO]}]
    assert ann["canned"] == [{"id": "hours", "text": {"en": "{visitor}, this is {agent}."}}]
    assert (ann.get("supervisor", False), cy["supervisor"]) == (False, True)


async def test_the_visitor_is_shown_and_shown_again_when_something_changes(gateway: Gateway) -> None:
    """On resume, and when the app tells something new."""
    made = await talk(gateway, credential=KARI)
    first = await made.ann.ever(is_context)
    assert (first["visitor"], first["identified"], first["platform"]) == (made.ready["visitor"], True, "python")
    made.phone.put(t="set_analytics_consent", ref="r", granted=True)
    await made.phone.get("done", ref="r")
    made.phone.put(t="set_context", screen="/cart", device={"model": "9"}, breadcrumb="came")
    seen = await made.ann.ever(lambda frame: is_context(frame) and frame.get("screen") == "/cart")
    assert (seen["device"], [each["text"] for each in seen["breadcrumbs"]]) == ({"model": "9"}, ["came"])


async def test_past_conversations_are_shown_newest_first(home: House, gateway: Gateway) -> None:
    """Under another chatflow, from SQL."""
    before, ready = await gateway.visitor("unrouted", credential=KARI)
    await before.ask(t="send", n=1, id="p", conversation=ready["conversation"], text="Earlier")
    await home.cell.copy_to_sql()
    made = await talk(gateway, credential=KARI)
    shown = await made.ann.ever(is_context)
    assert shown["past"] == [ready["conversation"]]


async def test_colleagues_see_who_looks_and_who_types(gateway: Gateway) -> None:
    """Both ways, and until they look away."""
    made = await talk(gateway)
    bo, _ = await gateway.agent(BO)
    bo.put(t="resume", position=position(made.chat))
    assert (await made.ann.get("looking", agent=BO))["on"] is True
    assert (await bo.get("looking", agent=ANN))["name"] == "Ann"
    made.ann.put(t="typing", conversation=made.chat, on=True)
    assert (await bo.get("typing"))["name"] == "Ann"
    assert (await made.phone.get("typing"))["name"] == "Nordvik"
    bo.put(t="leave", conversation=made.chat)
    assert (await made.ann.get("looking", agent=BO))["on"] is False


async def test_a_word_among_colleagues_reaches_no_visitor(gateway: Gateway) -> None:
    """Notes and a supervisor's whispers: the visitor finds hidden in their place."""
    made = await talk(gateway)
    cy, desk = await gateway.agent(CY)
    cy.put(t="resume", position=position(made.chat))
    await cy.get("caught_up")
    noted = await made.does("note", text=f"note {CANARY}1", mentions=[BO])
    whisper = {"t": "note", "conversation": made.chat, "text": f"whisper {CANARY}2", "whisper": True}
    whispered = await cy.ask(n=desk["next_n"], id="w", **whisper)
    assert (noted["t"], whispered["t"]) == ("ack", "ack")
    await made.ann.until(lambda frame: frame.get("seq") == whispered["seq"])
    await made.phone.until(lambda frame: frame["t"] == "hidden" and frame["to"] >= whispered["seq"])
    made.phone.put(t="history", ref="h", conversation=made.chat, before=whispered["seq"] + 1)
    await made.phone.get("history")
    kept = msgspec.msgpack.encode(made.phone.frames)
    assert f"{CANARY}1".encode() not in kept
    assert f"{CANARY}2".encode() not in kept


async def test_nothing_that_a_visitor_is_sent_names_an_agent(gateway: Gateway) -> None:
    """Behind the heading's name: events, typing, places, history, and a ready reply filled in."""
    made = await talk(gateway)
    await made.does("send", text="Hello!")
    await made.does("send", canned="hours")
    made.ann.put(t="typing", conversation=made.chat, on=True)
    await made.phone.get("typing")
    await made.does("close")
    await made.phone.event("closed")
    made.phone.put(t="history", ref="h", conversation=made.chat, before=100)
    await made.phone.get("history")
    _, later = await gateway.visitor(credential=again(made.ready))
    told = msgspec.msgpack.encode([*made.phone.frames, later])
    assert b"agt_" not in told
    assert b"Ann" not in told
    said = [frame["body"]["text"] for frame in made.phone.frames if message(frame)]
    assert "this is Nordvik" in said[-1]


async def test_a_redacted_message_leaves_its_place_and_nothing_else(home: House, gateway: Gateway) -> None:
    """Live readers are told; who resumes, from wherever, and who reads history finds the tombstone."""
    made = await talk(gateway)
    spoken = await made.ann.ever(message)
    after = await made.does("send", text="That was your password!")
    position_after = {"conversation": made.chat, "seq": spoken["seq"], "id": spoken["id"]}
    assert (await made.does("redact", seq=spoken["seq"]))["t"] == "ack"
    assert (await made.phone.event("redacted"))["body"]["of"] == spoken["seq"]
    streams = (home.cell.keys.log(made.chat), home.cell.keys.inbox)
    kept = [entry for stream in streams for entry in await home.cell.call("XRANGE", stream, "-", "+")]
    assert all(CANARY.encode() not in part for _, fields in kept for part in fields)
    for credential, start in ((again(made.ready), None), (None, None)):
        line = (await gateway.visitor(credential=credential))[0] if credential else (await gateway.agent(BO))[0]
        line.put(t="resume", position=position(made.chat, start))
        caught = await line.get("caught_up", conversation=made.chat)
        seqs = [frame["seq"] for frame in line.frames if frame["t"] == "event"]
        assert spoken["seq"] in seqs
        assert caught["seq"] > after["seq"]
        assert CANARY.encode() not in msgspec.msgpack.encode(line.frames)
        tombstone = await line.ever(lambda frame: message(frame) and frame["seq"] == spoken["seq"])
        assert (tombstone["id"], tombstone["body"]["redacted"]) == (spoken["id"], True)
        line.put(t="history", ref="h", conversation=made.chat, before=spoken["seq"] + 1, limit=1)
        page = await line.get("history")
        assert [event["seq"] for event in page["events"]] == [spoken["seq"]]
    line, _ = await gateway.visitor(credential=again(made.ready), positions=[position_after])
    await line.get("caught_up", conversation=made.chat)
    assert not any(frame["t"] == "resync" for frame in line.frames)


async def test_what_is_not_there_is_not_redacted(gateway: Gateway) -> None:
    """No such entry, and an entry of another kind."""
    made = await talk(gateway)
    missing = await made.does("redact", seq=4_000)
    assert missing["code"] == "not_found"
    again_ = await made.ann.ask(t="redact", n=missing["expected"], id="x", conversation=made.chat, seq=1)
    assert again_["code"] == "not_found"


async def test_a_blocked_visitor_is_sent_away_and_comes_back_to_read(gateway: Gateway) -> None:
    """4504; hello lets them in, and what they write is refused until they are let write again."""
    made = await talk(gateway)
    assert (await made.does("block"))["t"] == "ack"
    assert await made.phone.ended() is CloseCode.REVOKED
    line, ready = await gateway.visitor(credential=again(made.ready))
    assert ready["steps"]["blocked"] is True
    refusal = await line.ask(t="send", n=2, id="b", conversation=made.chat, text="please")
    assert refusal["code"] == "blocked"
    assert (await made.does("block", on=False))["t"] == "ack"
    told = await line.get("chatflow")
    assert not told.get("steps", {}).get("blocked", False)
    assert (await line.ask(t="send", n=refusal["expected"], id="c", conversation=made.chat, text="hi"))["t"] == "ack"


async def test_the_rest_of_the_desk_is_acknowledged_and_logged_for_staff(gateway: Gateway) -> None:
    """Tags, fields, priority, snooze and waking: each one entry, hidden from the visitor."""
    made = await talk(gateway)
    frames: list[tuple[str, dict[str, Any], str]] = [
        ("tag", {"add": ["vip"]}, "tags"),
        ("set_fields", {"fields": {"order": "7"}}, "fields"),
        ("set_priority", {"priority": "urgent"}, "priority"),
        ("snooze", {"until_ms": made.ready["at"] + 3_600_000}, "snoozed"),
    ]
    for frame, fields, kind in frames:
        assert (await made.does(frame, **fields))["t"] == "ack", frame
        await made.ann.event(kind)
    _, later = await gateway.visitor(credential=again(made.ready))
    assert later["conversations"][0]["status"] == "snoozed"
    assert (await made.does("snooze", until_ms=0))["t"] == "ack"
    await made.ann.event("woken")


async def test_who_would_be_next_is_told(gateway: Gateway) -> None:
    """And a rule that is not there is refused by the ref."""
    ann, _ = await gateway.agent(ANN)
    ann.put(t="who_next", ref="r1", rule=RULE)
    told = await ann.get("who_next", ref="r1")
    assert (told["agent"], told["rule"]) == (ANN, RULE)
    assert ANN in [each["agent"] for each in told["candidates"]]
    ann.put(t="who_next", ref="r2", rule="rul_none")
    assert (await ann.get("refused", ref="r2"))["code"] == "not_found"


async def test_what_needs_a_supervisor_is_refused_to_others(gateway: Gateway) -> None:
    """And done for one who is."""
    ann, desk = await gateway.agent(ANN)
    frame = {"t": "set_state", "state": "away", "agent": BO}
    await gateway.agent(BO)
    refusal = await ann.ask(n=desk["next_n"], id="x", **frame)
    assert refusal["code"] == "not_permitted"
    cy, supervisor = await gateway.agent(CY)
    assert (await cy.ask(n=supervisor["next_n"], id="x", **frame))["t"] == "ack"


async def test_cards_reach_the_visitor_with_their_plain_form(gateway: Gateway) -> None:
    """And a choice among quick replies comes back."""
    made = await talk(gateway)
    options = [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}]
    sent = await made.does("send", text="Agreed?", content={"kind": "quick_replies", "options": options})
    shown = await made.phone.until(lambda frame: message(frame) and frame["seq"] == sent["seq"])
    assert shown["body"]["content"]["kind"] == "quick_replies"
    assert "Yes" in shown["body"]["text"]
    choice = {"kind": "choice", "of": sent["seq"], "option": "yes"}
    chosen = {"t": "send", "conversation": made.chat, "text": "Yes"}
    assert (await made.phone.ask(n=2, id="c", content=choice, **chosen))["t"] == "ack"
    wrong = await made.phone.ask(n=3, id="d", content={**choice, "option": "maybe"}, **chosen)
    assert wrong["code"] == "bad_content"
