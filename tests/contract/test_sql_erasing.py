"""What an erasure leaves in SQL, on SQLite and on PostgreSQL."""

from functools import partial
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from protocol.bus.facts import ConsentGiven, ContactKnown, ConversationErased, PersonErased, Subscribed, SurveyChanged
from protocol.bus.records import LogRow, Outcome
from protocol.ids import AccountId, AgentId, AppKey, CellName, ContactId, DeviceId, ErasureId, VisitorId
from protocol.wire import content
from protocol.wire.content import Author, Event, Message, Note, Role
from store.sql import tables
from store.sql.database import Database, Databases
from store.sql.queries import cells, commits, erasures, merging, records, search, whom
from store.sql.queries.erasures import Counts, Erasure
from tests.kit.commits import ACCOUNT, NOW_MS, VISITOR, commit, conversation, state

CELL = CellName("c00")
ONE = conversation(1)
CANARY = "canary-0815"
CONTACT = ContactId("con_1")
ERASURE = ErasureId("era_1")
KARI = Author(Role.VISITOR, VISITOR)
ANN = Author(Role.AGENT, AgentId("agt_ann"), "Ann")
SAID: list[Any] = [
    Message(KARI, CANARY),
    Message(ANN, CANARY),
    Note(ANN, CANARY),
    content.FieldsSet(ANN, {"order": CANARY}),
    content.TagsChanged(ANN, [CANARY], []),
    content.EmailGiven(f"{CANARY}@example.org", CONTACT),
    content.Transferred(ANN, AgentId("agt_bo"), CANARY),
    content.SurveyCommented(1, CANARY),
]
KNOWN = ContactKnown(
    ACCOUNT, CONTACT, VISITOR, f"{CANARY}@example.org", "", CANARY, verified=False, marketing=True, owner="", at_ms=1
)
CONSENT = ConsentGiven(
    ACCOUNT, "1.1.1", VISITOR, AppKey("app"), "help", ONE, "process", "granted", CANARY, 3, "nb", "1.2", NOW_MS
)
SURVEY = SurveyChanged(
    ACCOUNT, ONE, 1, "csat", 3, "help", "faces", "production", "ios", "1.2", NOW_MS, score=2, comment=CANARY
)  # fmt: skip


def row(seq: int, body: Any) -> LogRow:
    frame = msgspec.msgpack.encode(Event(ONE, seq, f"1.1.{seq}", NOW_MS, body))
    hidden = b"" if isinstance(body, content.STAFF_ONLY) else None
    return LogRow(ONE, seq, seq, frame, hidden, "dev_1", seq, f"send-{CANARY}-{seq}")


@pytest.fixture
async def record(databases: Databases) -> Database:
    """SQL has what was said to and of somebody."""
    await databases.record.transact(lambda connection: cells.begin_epoch(connection, CELL, 1))
    log = [row(seq, body) for seq, body in enumerate(SAID, 1)]
    news = Subscribed(ACCOUNT, CONTACT, "news", wants=True, verified=False, at_ms=1)
    batch = commit(1, events=log, facts=[KNOWN, CONSENT, SURVEY, news])
    assert await databases.record.transact(lambda connection: commits.apply(connection, CELL, [batch]))
    return databases.record


async def apply(record: Database, number: int, *facts: Any, **rows: Any) -> None:
    batch = commit(number, facts=list(facts), **rows)
    assert await record.transact(lambda connection: commits.apply(connection, CELL, [batch]))


async def holding(record: Database) -> list[str]:
    return await record.read(lambda sql: search.holding(sql, "record", CANARY))


async def test_no_row_holds_a_word(record: Database) -> None:
    """Of every entry there are seq, kind, role, device, n and time; of the person, no row."""
    columns = [
        tables.event.c[name] for name in ("seq", "kind", "role", "device", "n", "at_ms", "epoch", "commit_no", "idx")
    ]
    query = select(*columns).order_by(tables.event.c.seq)
    before = await record.read(lambda sql: sql.execute(query).all())
    assert {
        "event.frame",
        "contact.name",
        "survey_ask.comment",
        "consent_entry.text_hash",
        "conversation_tag.tag",
    } <= set(await holding(record))
    erased = ConversationErased(ACCOUNT, ONE, len(SAID) + 1)
    await apply(record, 2, erased, PersonErased(ACCOUNT, VISITOR, ERASURE, CONTACT))
    assert await holding(record) == []
    assert await record.read(lambda sql: sql.execute(query).all()) == before
    await record.scrub()


async def test_visitors_stay_blind_to_what_was_hidden(record: Database) -> None:
    """A tombstone of a note is hidden from visitors as the note was."""
    await apply(record, 2, ConversationErased(ACCOUNT, ONE, len(SAID) + 1))
    column = tables.event.c.visitor_frame
    shown = await record.read(lambda sql: list(sql.scalars(select(column).order_by(tables.event.c.seq))))
    assert [frame == b"" for frame in shown] == [isinstance(body, content.STAFF_ONLY) for body in SAID]


async def test_a_frame_that_comes_again_is_known_by_its_id(record: Database) -> None:
    """Its words are gone: it is answered as it was, on whatever phone, and nothing is stored anew."""
    await apply(record, 2, ConversationErased(ACCOUNT, ONE, len(SAID) + 1), states=[state(ONE, len(SAID))])

    async def known(send_id: str) -> Outcome | None:
        return await record.read(lambda sql: records.outcome(sql, ACCOUNT, ONE, DeviceId("dev_2"), send_id))

    outcome = await known(f"send-{CANARY}-2")
    assert outcome is not None
    assert (outcome.id, outcome.seq, outcome.code) == (f"send-{CANARY}-2", 2, "")
    assert await known("send-of-another") is None
    assert await known("") is None


async def test_what_comes_after_is_not_touched(record: Database) -> None:
    """An entry above the erased ones, in the same batch or later, is as it was written."""
    later = row(len(SAID) + 1, Message(KARI, "new"))
    await apply(record, 2, ConversationErased(ACCOUNT, ONE, len(SAID) + 1), log=[later])
    frames = await record.read(lambda sql: list(sql.scalars(select(tables.event.c.frame).order_by(tables.event.c.seq))))
    assert frames[-1] == later.frame


async def test_a_score_stays_without_its_person(record: Database) -> None:
    """Figures keep that it was answered and commented; nobody's words."""
    await apply(record, 2, ConversationErased(ACCOUNT, ONE, len(SAID) + 1))
    asks = tables.survey_ask.c
    assert await record.read(lambda sql: tuple(sql.execute(select(asks.score, asks.comment)).one())) == (2, "")


async def test_a_contact_stays_while_somebody_else_is_known_as_it(record: Database) -> None:
    """It goes with the last of them."""
    other = VisitorId("vis_other")
    await apply(record, 2, replace(KNOWN, visitor=other))
    await apply(record, 3, PersonErased(ACCOUNT, VISITOR, ERASURE, CONTACT))
    assert await record.read(lambda sql: whom.known_as(sql, ACCOUNT, CONTACT)) == [other]
    assert "contact.name" in await holding(record)
    await apply(record, 4, PersonErased(ACCOUNT, other, ERASURE, CONTACT))
    assert "contact.name" not in await holding(record)


async def test_who_is_met_by_a_merged_name_is_the_survivor(record: Database) -> None:
    """Facts that name the other contact are the survivor's."""
    survivor = ContactId("con_2")
    await apply(record, 2, replace(KNOWN, id=survivor, visitor=VisitorId("vis_2"), email="b@example.org"))
    assert await record.transact(lambda sql: merging.merge(sql, ACCOUNT, survivor, CONTACT, NOW_MS))
    await apply(record, 3, replace(KNOWN, visitor=VisitorId("vis_3")))
    known = await record.read(lambda sql: whom.known_as(sql, ACCOUNT, survivor))
    assert known == sorted([VISITOR, VisitorId("vis_2"), VisitorId("vis_3")])
    assert await record.read(lambda sql: sql.scalar(select(tables.contact.c.id))) == survivor


async def test_an_erasure_tells_the_most_it_found(databases: Databases) -> None:
    """Begun again, a job finds less than there was."""
    asked = Erasure(ERASURE, ACCOUNT, CELL, "asked", CONTACT, None, NOW_MS, None, Counts())
    await databases.config.transact(lambda sql: erasures.ask(sql, asked))
    for counts in (Counts(visitors=1, entries=8), Counts(visitors=1)):
        await databases.config.transact(partial(erasures.count, erasure=ERASURE, counts=counts))
    await databases.config.transact(lambda sql: erasures.done(sql, ERASURE, NOW_MS + 5))
    found = await databases.config.read(lambda sql: erasures.of_id(sql, ERASURE))
    assert found is not None
    assert (found.counts.entries, found.done_at_ms) == (8, NOW_MS + 5)


async def test_retention_looks_once_an_hour(databases: Databases) -> None:
    """However many workers ask; and not at all where nothing is set."""
    config = databases.config
    await config.transact(lambda sql: erasures.look_again(sql, NOW_MS, 3_600_000))
    assert not await config.read(erasures.retains)
    await config.transact(lambda sql: erasures.keep_days(sql, ACCOUNT, 30))
    for at_ms in (NOW_MS, NOW_MS + 1, NOW_MS + 3_600_000):
        await config.transact(partial(erasures.look_again, now_ms=at_ms, every_ms=3_600_000))
    rows = tables.config_job.c
    found = await config.read(lambda sql: list(sql.scalars(select(rows.id).where(rows.kind == erasures.RETAIN))))
    assert len(found) == 2


async def test_days_are_each_accounts_own(databases: Databases) -> None:
    """They are set, changed and taken back."""
    other = AccountId("acc_other")
    for days in (30, 7, None):
        await databases.config.transact(partial(erasures.keep_days, account=ACCOUNT, days=days))
        assert await databases.config.read(partial(erasures.days_kept, account=ACCOUNT)) == days
        assert await databases.config.read(partial(erasures.days_kept, account=other)) is None


async def test_what_was_kept_for_too_long_is_what_closed_before_then(databases: Databases) -> None:
    """Of this account, closed and not erased yet; the oldest first, and no more at once than asked for."""
    record, other = databases.record, AccountId("acc_other")
    await record.transact(lambda sql: cells.begin_epoch(sql, CELL, 1))
    begun = [("closed", ACCOUNT), ("closed", ACCOUNT), ("open", ACCOUNT), ("erased", ACCOUNT), ("closed", other)]
    for number, (status, account) in enumerate(begun, 1):
        await apply(record, number, states=[state(conversation(number), 1, status=status, account=account)])
    await apply(record, 6, states=[state(conversation(6), 1, status="closed")])
    before_ms = NOW_MS + 6  # each commit is made a millisecond after the one before it
    for limit in (1, 10):
        found = await record.read(partial(erasures.over, account=ACCOUNT, before_ms=before_ms, limit=limit))
        assert found == [conversation(1), conversation(2)][:limit]
    all_of_them = [conversation(number) for number in range(1, 7)]
    kept = await record.read(lambda sql: erasures.still_kept(sql, all_of_them))
    assert sorted(kept) == [each for each in all_of_them if each != conversation(4)]
