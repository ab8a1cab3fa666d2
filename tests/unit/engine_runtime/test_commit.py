"""What one commit checks and writes."""

import msgspec

from engine.core.conversation import Conversation, Terms
from engine.core.phases import Waiting
from engine.core.result import Logged, StepResult
from engine.runtime.batch import Batch, RosterSnapshot
from engine.runtime.commit import LOG_TAIL, QUARANTINE_LENGTH, Plan, plan
from engine.runtime.heads import ConversationHead, Heads, RosterHead
from protocol.bus.commands import COMMAND_ENCODER, TimerFired
from protocol.bus.effects import CancelTimer, Do, FeedUpdate, SetTimer, TellPlace
from protocol.bus.records import Commit, Outcome
from protocol.bus.topics import Hint, Hints
from protocol.ids import CellName, ConversationId, DeviceId, EventId, Incarnation, SessionId
from protocol.wire.content import Author, Event, Message, Role, Transferred
from store.redis.scripts import MAX_WRITE_PARTS, Fence
from tests.kit.cells import plain
from tests.kit.workplace import ACCOUNT, ANN, INBOX, KARI, OPEN, RULE, record

WHERE = ConversationId("cnv_1")
FENCE = Fence(CellName("c00"), "me", 3, "5-0:2", "6-0:1", 41, 42)
PHONE = DeviceId("dev_1")
TIMER = TimerFired(ACCOUNT, WHERE, "gate", "", 1)


def said(seq: int, index: int = 0, *, to_staff: bool = False) -> Logged:
    kari, ann = Author(Role.VISITOR, KARI), Author(Role.AGENT, ANN)
    body = Transferred(ann, ANN, "psst") if to_staff else Message(kari, "Hei")
    event = Event(WHERE, seq, EventId(f"3.42.{index}"), 6, body)
    return Logged(event, PHONE, 7, "id-7", b"" if to_staff else None)


def state(seq: int) -> Conversation:
    terms = Terms(KARI, OPEN, 3, INBOX, RULE, 1, "en", 60, 60)
    return Conversation(WHERE, ACCOUNT, terms, seq, EventId("3.42.0"), Waiting(6), None)


def step(**changed: object) -> StepResult:
    nothing = StepResult({}, {}, {}, [], [], [], [], [], 0)
    for name, value in changed.items():
        setattr(nothing, name, value)
    return nothing


def batch(**changed: object) -> Batch:
    made = Batch(3, 42, at_ms=6)
    made.absorb(step(**changed), bytes)
    return made


def planned(made: Batch, heads: Heads, fence: Fence = FENCE) -> tuple[Plan, Commit]:
    found = plan(fence, made, heads)
    [outbox] = [write[4] for write in found.writes if write[1] == "{c00}:outbox:3"]
    return found, msgspec.msgpack.decode(plain(outbox), type=Commit)


def writes(found: Plan, command: str, key: str) -> list[tuple[object, ...]]:
    return [tuple(map(plain, write[2:])) for write in found.writes if tuple(write[:2]) == (command, key)]


def outcome(n: int = 7) -> Outcome:
    return Outcome(SessionId("ses_1"), PHONE, n, f"id-{n}", "", WHERE, 5, "3.42.0")


def test_a_conversation_is_checked_by_its_commit_and_its_log() -> None:
    """Nothing is written onto a hash or a log that is not as it was decided on."""
    heads = Heads(conversations={WHERE: ConversationHead(4, 40)})
    found, _ = planned(batch(conversations={WHERE: state(5)}, events=[said(5)]), heads)
    assert list(found.checks) == [("H", "{c00}:conv:cnv_1", "c", "40"), ("S", "{c00}:log:cnv_1", "4-0")]


def test_a_new_conversation_must_not_be_there() -> None:
    """Absent is checked like anything else."""
    heads = Heads(conversations={WHERE: ConversationHead()})
    found, _ = planned(batch(conversations={WHERE: state(1)}, events=[said(1)]), heads)
    assert list(found.checks) == [("H", "{c00}:conv:cnv_1", "c", ""), ("S", "{c00}:log:cnv_1", "")]


def test_a_log_entry_says_what_visitors_see() -> None:
    """Its id is its seq; a staff entry is hidden from visitors, in the log, in SQL and in the hint."""
    heads = Heads(conversations={WHERE: ConversationHead(4, 40)})
    found, commit = planned(batch(conversations={WHERE: state(6)}, events=[said(5), said(6, 1, to_staff=True)]), heads)
    first, second = writes(found, "XADD", "{c00}:log:cnv_1")
    assert (first[0], first[3:]) == ("5-0", ("i", "3.42.0"))
    assert (second[0], second[5:]) == ("6-0", ("v", b""))
    assert [(row.seq, row.index, row.visitor_frame) for row in commit.log] == [(5, 0, None), (6, 1, b"")]
    [(payload,)] = writes(found, "SPUBLISH", "{c00}:h:cnv_1")
    hints = msgspec.msgpack.decode(payload, type=Hints)
    assert hints.visitors == [hints.staff[0], Hint(6, "3.42.1", b"")]


def test_what_all_see_alike_is_told_once() -> None:
    """Visitors' frames travel only where they differ."""
    heads = Heads(conversations={WHERE: ConversationHead(4, 40)})
    found, commit = planned(batch(conversations={WHERE: state(5)}, events=[said(5)]), heads)
    [(payload,)] = writes(found, "SPUBLISH", "{c00}:h:cnv_1")
    hints = msgspec.msgpack.decode(payload, type=Hints)
    assert hints == Hints([Hint(5, "3.42.0", commit.log[0].frame)])


def test_a_ledger_alone_moves_its_conversation_too() -> None:
    """Eviction must see that SQL has not got the outcome yet."""
    heads = Heads(conversations={WHERE: ConversationHead(4, 40)})
    found, commit = planned(batch(ledger=[(WHERE, PHONE, outcome())]), heads)
    [fields] = writes(found, "HSET", "{c00}:conv:cnv_1")
    assert fields[:3] == ("c", 42, "o:dev_1:7")
    assert commit.ledger[0].n == 7
    assert commit.states == []


def test_what_became_of_a_visitors_words_is_told_by_their_entry() -> None:
    """Their outcome lies in Redis and needs no row in SQL; one that the entry does not tell has its own."""
    heads = Heads(conversations={WHERE: ConversationHead(4, 40)})
    words = Outcome(SessionId("ses_1"), PHONE, 7, "id-7", "", WHERE, 5, "3.42.0")
    changed = {"conversations": {WHERE: state(5)}, "events": [said(5)]}
    found, commit = planned(batch(**changed, ledger=[(WHERE, PHONE, words)]), heads)
    [fields] = writes(found, "HSET", "{c00}:conv:cnv_1")
    assert "o:dev_1:7" in fields
    assert commit.ledger == []
    for other in ({"n": 8}, {"id": "id-8"}, {"code": "blocked"}, {"device": DeviceId("dev_2")}, {"event": "3.41.0"}):
        outcome = msgspec.structs.replace(words, **other)
        _, commit = planned(batch(**changed, ledger=[(WHERE, outcome.device, outcome)]), heads)
        assert len(commit.ledger) == 1
    _, commit = planned(batch(**changed, ledger=[("desk", PHONE, words)]), heads)
    assert len(commit.ledger) == 1


def test_an_agents_outcomes_lie_on_their_desk() -> None:
    """The slot is n modulo what is remembered; the conversation is untouched."""
    found, commit = planned(batch(ledger=[("desk", PHONE, outcome(39))]), Heads())
    [fields] = writes(found, "HSET", "{c00}:desk:dev_1")
    assert fields[0] == "o:7"
    assert (commit.ledger[0].owner, found.checks) == ("desk", [])


def test_of_one_value_changed_twice_the_last_is_written() -> None:
    """A batch is one moment."""
    made = batch(conversations={WHERE: state(5)}, events=[said(5)], visitors={KARI: record()})
    made.absorb(step(conversations={WHERE: state(6)}, events=[said(6, 1)], next_index=2), bytes)
    heads = Heads(conversations={WHERE: ConversationHead(4, 40)}, visitors={KARI: 12})
    found, commit = planned(made, heads)
    assert [(row.kind, row.seq) for row in commit.states] == [("conversation", 6), ("visitor", 0)]
    assert len(writes(found, "XADD", "{c00}:log:cnv_1")) == 2
    assert made.next_index == 2


def test_a_roster_writes_its_events_and_its_snapshot_when_due() -> None:
    """A new roster is named as one the cell has; its log keeps the entry of the snapshot."""
    made = batch(roster_events=[(ACCOUNT, b"a"), (ACCOUNT, b"b")])
    made.snapshots[ACCOUNT] = RosterSnapshot(2, b"whole")
    found, commit = planned(made, Heads(rosters={ACCOUNT: RosterHead()}))
    assert writes(found, "XADD", "{c00}:rlog:acc_nordvik") == [("1-0", "e", b"a"), ("2-0", "e", b"b")]
    assert writes(found, "XTRIM", "{c00}:rlog:acc_nordvik") == [("MINID", "2-0")]
    assert writes(found, "HSET", "{c00}:roster:acc_nordvik") == [("c", 42, "s", b"whole", "q", 2)]
    assert writes(found, "HSET", "{c00}:rosters") == [(ACCOUNT, 42)]
    assert [row.seq for row in commit.roster] == [1, 2]


def test_a_feed_goes_on_from_where_it_stood() -> None:
    """Changes are contiguous; rows and position follow them; None removes a row."""
    changes = [FeedUpdate("f", "new", "a", {"x": 1}), FeedUpdate("f", "closed", "a", None)]
    found, _ = planned(batch(effects=changes), Heads(feeds={"f": "8 3.40.0"}))
    assert list(found.checks) == [("H", "{c00}:rows:f", "#", "8 3.40.0"), ("S", "{c00}:feed:f", "8-0")]
    assert [entry[0] for entry in writes(found, "XADD", "{c00}:feed:f")] == ["9-0", "10-0"]
    assert writes(found, "HDEL", "{c00}:rows:f") == [("a",)]
    assert writes(found, "HSET", "{c00}:rows:f")[-1] == ("#", "10 3.42.1")
    assert found.feeds == {"f": "10 3.42.1"}


def test_a_timer_set_and_cancelled_in_one_batch_is_cancelled() -> None:
    """The last word counts."""
    found, _ = planned(batch(effects=[SetTimer(9, TIMER), CancelTimer(TIMER)]), Heads())
    assert writes(found, "ZADD", "{c00}:timers") == []
    assert writes(found, "ZREM", "{c00}:timers") == [(COMMAND_ENCODER.encode(TIMER),)]


def test_jobs_go_out_and_places_are_only_said() -> None:
    """A job is in the outbox and nowhere else; a place is a hint and nothing more."""
    effects = [Do("job-1", ACCOUNT, "ring", {"a": 1}), TellPlace(WHERE, 3, True)]
    found, commit = planned(batch(effects=effects), Heads())
    assert [(job.id, job.kind) for job in commit.jobs] == [("job-1", "ring")]
    assert len(writes(found, "SPUBLISH", "{c00}:e:cnv_1")) == 1


def test_outcomes_are_told_per_gateway() -> None:
    """One message for all that a gateway asked in the batch."""
    made = batch(outcomes=[(Incarnation("gw_1"), outcome(1))])
    made.absorb(step(outcomes=[(Incarnation("gw_1"), outcome(2))]), bytes)
    found, _ = planned(made, Heads())
    [(told,)] = writes(found, "SPUBLISH", "{c00}:r:gw_1")
    assert [one.n for one in msgspec.msgpack.decode(told, type=list[Outcome])]  # type: ignore[call-overload]  # bytes == [1, 2]


def test_a_long_log_is_trimmed_only_below_what_sql_has() -> None:
    """As long as SQL lacks the entries before this commit, all of them stay."""
    made = batch(conversations={WHERE: state(501)}, events=[said(501)])
    behind, there = (Heads(stored, {WHERE: ConversationHead(500, 40)}) for stored in (39, 40))
    assert writes(plan(FENCE, made, behind), "XTRIM", "{c00}:log:cnv_1") == []
    assert writes(plan(FENCE, made, there), "XTRIM", "{c00}:log:cnv_1") == [("MINID", f"{500 - LOG_TAIL}-0")]


def test_the_inbox_is_trimmed_up_to_the_cursors_own_entry() -> None:
    """An entry that is half decided must stay; a commit that moves no cursor trims nothing."""
    found = plan(FENCE, batch(), Heads())
    assert writes(found, "XTRIM", "{c00}:inbox") == [("MINID", "6-0")]
    assert writes(plan(FENCE._replace(next_cursor="5-0:2"), batch(), Heads()), "XTRIM", "{c00}:inbox") == []


def test_a_lively_conversation_is_called_active_once_a_minute() -> None:
    """Idle is told by the hour: what `active` says may be a minute old, unless nothing but a ledger is there."""
    for head, told in (
        (ConversationHead(4, 40, 6), False),
        (ConversationHead(4, 40), True),
        (ConversationHead(), True),
    ):
        made = batch(conversations={WHERE: state(5)})
        made.at_ms = 60_005
        found = plan(FENCE, made, Heads(conversations={WHERE: head}))
        assert (writes(found, "ZADD", "{c00}:active") == [(60_005, "conversation:cnv_1")]) is told


def test_an_eviction_deletes_what_it_has_checked() -> None:
    """All keys of the value, its place among the idle, and a word to SQL that it is gone from here."""
    made = batch()
    made.evicted.append(("conversation", WHERE, ACCOUNT))
    found, commit = planned(made, Heads(conversations={WHERE: ConversationHead(5, 40)}))
    assert [write[1] for write in found.writes if write[0] == "DEL"] == [
        f"{{c00}}:{kind}:cnv_1" for kind in ("conv", "log", "rcpt")
    ]
    assert ("H", "{c00}:conv:cnv_1", "c", "40") in found.checks
    assert writes(found, "ZREM", "{c00}:active") == [("conversation:cnv_1",)]
    assert [(row.kind, row.state) for row in commit.states] == [("conversation", b"")]


def test_no_write_is_longer_than_a_script_can_pass_on() -> None:
    """Thousands of timers are several writes."""
    timers = [SetTimer(number, TimerFired(ACCOUNT, WHERE, "wake", str(number), 1)) for number in range(5_000)]
    found, _ = planned(batch(effects=timers), Heads())
    assert max(len(write) for write in found.writes) <= MAX_WRITE_PARTS
    assert sum((len(write) - 2) // 2 for write in found.writes if write[:2] == ("ZADD", "{c00}:timers")) == 5_000


def test_what_is_set_aside_is_bounded() -> None:
    """An operator finds the newest; a flood of unreadable commands does not fill Redis."""
    made = batch()
    made.quarantined += [b"one", b"two"]
    found, _ = planned(made, Heads())
    key = "{c00}:quarantine"
    assert [tuple(map(plain, write)) for write in found.writes if write[1] == key] == [
        ("RPUSH", key, b"one"),
        ("RPUSH", key, b"two"),
        ("LTRIM", key, -QUARANTINE_LENGTH, -1),
    ]
