"""What gateways and recoveries read of SQL, on SQLite and on PostgreSQL."""

import pytest

from protocol.ids import AccountId, CellName, ConversationId, DeviceId, InboxId, VisitorId
from store.sql.database import Database, Databases
from store.sql.queries import cells, commits, history, rebuild, records
from tests.kit.commits import (
    ACCOUNT,
    NOW_MS,
    PHONE,
    VISITOR,
    commit,
    conversation,
    handed_on,
    outcome,
    said,
    state,
    visitor_state,
)

CELL = CellName("c00")
OTHER = AccountId("acc_other")
ONE, TWO, THREE = (conversation(number) for number in (1, 2, 3))


@pytest.fixture
async def record(databases: Databases) -> Database:
    """Conversation 1 with seven entries, the fourth for staff only."""
    log = [said(ONE, seq, f"line {seq}", commit_no=1, index=seq - 1) for seq in range(1, 8)]
    log[3] = handed_on(ONE, 4, commit_no=1, index=3)
    first = commit(1, events=log, states=[visitor_state()], ledger=[outcome(ONE, 9), outcome(ONE, 2)])

    def fill(connection):
        cells.begin_epoch(connection, CELL, 1)
        assert commits.apply(connection, CELL, [first])

    await databases.record.transact(fill)
    return databases.record


async def add(record: Database, *states) -> None:
    found = await record.read(lambda c: cells.position(c, CELL))
    more = commit(found.commit_no + 1, states=list(states))
    assert await record.transact(lambda c: commits.apply(c, CELL, [more]))


async def test_a_page_before_a_seq_is_ascending_and_ends_below_it(record: Database) -> None:
    """Scrolling up brings the nearest older entries, oldest first."""
    page = await record.read(lambda c: history.before(c, ACCOUNT, ONE, 6, 3, audience="staff"))
    assert [(hint.seq, hint.id) for hint in page] == [(3, "1.1.2"), (4, "1.1.3"), (5, "1.1.4")]


async def test_a_page_after_a_seq_begins_above_it(record: Database) -> None:
    """A resume from far back reads on, oldest first."""
    page = await record.read(lambda c: history.after(c, ACCOUNT, ONE, 5, 10, audience="staff"))
    assert [hint.seq for hint in page] == [6, 7]


async def test_what_is_for_staff_reaches_visitors_without_a_frame(record: Database) -> None:
    """The entry is there, so that the sequence is whole, and says nothing."""
    for_visitors = await record.read(lambda c: history.after(c, ACCOUNT, ONE, 0, 10, audience="visitor"))
    for_staff = await record.read(lambda c: history.after(c, ACCOUNT, ONE, 0, 10, audience="staff"))
    assert [hint.seq for hint in for_visitors if not hint.frame] == [4]
    assert all(hint.frame for hint in for_staff)


async def test_another_account_reads_nothing(record: Database) -> None:
    """With another account's credential every id is unknown."""
    assert await record.read(lambda c: history.before(c, OTHER, ONE, 99, 10, audience="staff")) == []
    assert await record.read(lambda c: history.after(c, OTHER, ONE, 0, 10, audience="staff")) == []
    assert await record.read(lambda c: records.visitor(c, OTHER, VISITOR)) is None
    assert await record.read(lambda c: records.conversation(c, OTHER, ONE)) is None
    assert await record.read(lambda c: records.conversations_of(c, OTHER, VISITOR)) == {}
    assert await record.read(lambda c: records.outcomes(c, OTHER, ONE, PHONE)) == []


async def test_a_visitor_comes_back_as_stored(record: Database) -> None:
    """A gateway can send the record along for a visitor whom Redis no longer holds."""
    found = await record.read(lambda c: records.visitor(c, ACCOUNT, VISITOR))
    assert found is not None
    assert (found.id, found.created_at_ms) == (VISITOR, NOW_MS)


async def test_a_conversations_snapshot_and_outcomes_come_back(record: Database) -> None:
    """Head and what is remembered of one device, words and other frames, ascending n."""
    found = await record.read(lambda c: records.conversation(c, ACCOUNT, ONE))
    assert found is not None
    assert (found.head.visitor, found.head.seq) == (VISITOR, 7)
    assert [known.n for known in await record.read(lambda c: records.outcomes(c, ACCOUNT, ONE, PHONE))] == [
        *(1, 2, 3),
        *(5, 6, 7, 9),
    ]


async def test_conversations_of_a_visitor_are_all_found(record: Database) -> None:
    """Also those that Redis forgot long ago."""
    await add(record, state(TWO, 1, status="closed"), state(THREE, 1, visitor=VisitorId("vis_2")))
    assert list(await record.read(lambda c: records.conversations_of(c, ACCOUNT, VISITOR))) == [ONE, TWO]


async def test_the_past_of_a_visitor_is_newest_first_and_of_the_inboxes_asked(record: Database) -> None:
    """Without what is behind its gate, and not more than asked."""
    await add(record, state(TWO, 1, status="closed"))
    await add(record, state(THREE, 1, status="gated"))

    async def past(*inboxes: str, limit: int = 9, account: AccountId = ACCOUNT) -> list[str]:
        asked = [InboxId(each) for each in inboxes]
        return list((await record.read(lambda c: records.past(c, account, [VISITOR], asked, limit)))[VISITOR])

    assert await past("inb_1", "inb_2") == [TWO, ONE]
    assert await past("inb_1", limit=1) == [TWO]
    assert await past("inb_2") == await past() == await past("inb_1", account=OTHER) == []


async def test_the_pasts_of_several_visitors_are_told_apart(record: Database) -> None:
    """As many of each as asked, and nothing of somebody who has none, or whom nobody asked about."""
    other, stranger, nobody = VisitorId("vis_2"), VisitorId("vis_3"), VisitorId("vis_4")
    four, five = ConversationId("cnv_4"), ConversationId("cnv_5")
    await add(record, state(TWO, 1, visitor=other), state(THREE, 1, visitor=other), state(four, 1, visitor=other))
    await add(record, state(five, 1, visitor=stranger))
    inboxes = [InboxId("inb_1")]
    found = await record.read(lambda c: records.past(c, ACCOUNT, [VISITOR, other, nobody], inboxes, 2))
    assert {who: len(theirs) for who, theirs in found.items()} == {VISITOR: 1, other: 2, nobody: 0}
    assert found[VISITOR] == [ONE]


async def test_visitors_are_found_together(record: Database) -> None:
    """Those of the account who are known, each under their name."""
    nobody = VisitorId("vis_9")
    assert list(await record.read(lambda c: records.visitors(c, ACCOUNT, [nobody, VISITOR]))) == [VISITOR]
    assert await record.read(lambda c: records.visitors(c, OTHER, [VISITOR])) == {}


async def test_recovery_leaves_out_what_closed_long_ago(record: Database) -> None:
    """Open ones come whatever their age, closed ones since the given time."""
    await add(record, state(TWO, 1, status="closed"), state(THREE, 1, status="gated"))
    closed_at_ms = NOW_MS + 2
    recent = await record.read(lambda c: rebuild.alive(c, CELL, closed_at_ms, NOW_MS))
    assert list(recent) == [ONE, TWO, THREE]
    late = await record.read(lambda c: rebuild.alive(c, CELL, closed_at_ms + 1, NOW_MS))
    assert list(late) == [ONE, THREE]


async def test_recovery_reads_what_it_names(record: Database) -> None:
    """Those conversations, ascending, and nothing of others; one that is not there is left out."""
    await add(record, state(TWO, 1), state(THREE, 1))
    found = await record.read(lambda c: rebuild.conversations(c, [THREE, ONE, conversation(9)]))
    assert [one.id for one in found] == [ONE, THREE]


async def test_recovery_leaves_other_cells_alone(record: Database) -> None:
    """A cell's hot state is made of its own rows only."""
    elsewhere = CellName("c01")
    assert await record.read(lambda c: rebuild.alive(c, elsewhere, 0, NOW_MS)) == {}
    assert await record.read(lambda c: rebuild.changed(c, elsewhere, 0)) == []
    assert await record.read(lambda c: rebuild.rosters(c, elsewhere)) == []


async def test_a_long_silent_visitor_comes_back_with_an_open_conversation(record: Database) -> None:
    """Whoever has a conversation that is rebuilt is rebuilt; who has none and was silent is not."""
    silent = VisitorId("vis_2")
    await add(record, visitor_state(silent))
    far_ahead_ms = NOW_MS + 10_000
    assert set((await record.read(lambda c: rebuild.alive(c, CELL, far_ahead_ms, NOW_MS))).values()) == {VISITOR}
    assert await record.read(lambda c: rebuild.changed(c, CELL, far_ahead_ms)) == []
    assert set(await record.read(lambda c: rebuild.changed(c, CELL, NOW_MS))) == {VISITOR, silent}
    found = await record.read(lambda c: rebuild.visitors(c, [silent, VISITOR]))
    assert [known.id for known in found] == [VISITOR, silent]


async def test_log_tails_are_the_last_entries_with_their_origin(record: Database) -> None:
    """The log in Redis can be made again entry by entry, hidden frames and all."""
    tail = await record.read(lambda c: rebuild.log_tails(c, [ONE], 4))
    assert [(found.entry.seq, found.entry.id) for found in tail] == [
        (4, "1.1.3"), (5, "1.1.4"), (6, "1.1.5"), (7, "1.1.6"),
    ]  # fmt: skip
    assert [found.visitor_frame for found in tail] == [b"", None, None, None]
    assert (tail[1].device, tail[1].n, tail[1].send_id) == (PHONE, 5, "id-5")


async def test_desks_come_by_device(record: Database) -> None:
    """Agents' devices have ledgers of their own, read in pages of devices."""
    devices = [DeviceId(f"dev_{number}") for number in range(3)]
    rows = [outcome(rebuild.DESK, n, device=device) for device in devices for n in (1, 2)]
    assert await record.transact(lambda c: commits.apply(c, CELL, [commit(2, ledger=rows)]))
    first = await record.read(lambda c: rebuild.desks(c, CELL, "", 2))
    rest = await record.read(lambda c: rebuild.desks(c, CELL, "dev_1", 2))
    assert [(row.device, row.n) for row in first] == [("dev_0", 1), ("dev_0", 2), ("dev_1", 1), ("dev_1", 2)]
    assert [(row.device, row.n) for row in rest] == [("dev_2", 1), ("dev_2", 2)]
