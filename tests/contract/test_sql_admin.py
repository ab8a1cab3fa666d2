"""What SQL keeps for those who administer, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import Connection, text

from protocol.ids import AccountId, AgentId, ChatflowId
from store.sql.database import Databases, DirectDatabase, StoreRefused
from store.sql.migrate import migrate
from store.sql.queries import access, answers, audit_log, drafts
from store.sql.queries.audit_log import Deed, Wanted

NORDVIK, FJORD = AccountId("nordvik"), AccountId("fjord")


@pytest.fixture
def database(sql_urls: tuple[str, str]) -> Iterator[DirectDatabase]:
    migrate(sql_urls[0], "config")
    opened = DirectDatabase(sql_urls[0])
    yield opened
    opened.engine.dispose()


def deeds(database: DirectDatabase, account: AccountId, count: int) -> None:
    for at in range(count):
        database.run(
            lambda sql, at=at: audit_log.add(sql, account, Deed(at, "key:k", "rule.changed", f"r{at}", ("a: 1 → 2",)))
        )


def test_an_audit_entry_cannot_be_changed_or_removed(database: DirectDatabase) -> None:
    """SQL refuses both, whoever asks."""
    deeds(database, NORDVIK, 1)
    for statement in ("UPDATE audit_entry SET actor = 'nobody'", "DELETE FROM audit_entry"):
        with pytest.raises(StoreRefused, match="never changed"):
            database.run(lambda sql, statement=statement: sql.execute(text(statement)))
    assert len(database.run(lambda sql: audit_log.after(sql, NORDVIK, 0, 10))) == 1


def test_an_audit_log_shows_who_tampered_with_it(database: DirectDatabase) -> None:
    """What was changed in a copy breaks the chain at that entry and not before it."""
    deeds(database, NORDVIK, 4)
    entries = database.run(lambda sql: audit_log.after(sql, NORDVIK, 0, 10))
    assert list(audit_log.broken(NORDVIK, entries)) == []
    forged = [*entries[:2], audit_log.Entry(3, Deed(2, "key:other", "rule.changed", "r2"), entries[2].hash), entries[3]]
    assert list(audit_log.broken(NORDVIK, forged)) == [3]


async def test_who_writes_at_once_writes_one_after_the_other(databases: Databases) -> None:
    """Nobody's entry is refused for another's."""
    deeds = [Deed(at, "key:k", "rule.changed", "r") for at in range(12)]
    writes = (databases.config.transact(partial(audit_log.add, account=NORDVIK, deed=deed)) for deed in deeds)
    assert sorted(entry.seq for entry in await asyncio.gather(*writes)) == list(range(1, 13))
    entries = await databases.config.read(partial(audit_log.after, account=NORDVIK, seq=0, limit=20))
    assert list(audit_log.broken(NORDVIK, entries)) == []


def test_audit_logs_are_each_accounts_own(database: DirectDatabase) -> None:
    """Numbers and pages of one do not know the other."""
    deeds(database, NORDVIK, 3)
    deeds(database, FJORD, 1)
    page = database.run(lambda sql: audit_log.page(sql, NORDVIK, Wanted(before=3), 10))
    assert [entry.seq for entry in page] == [2, 1]
    assert [entry.seq for entry in database.run(lambda sql: audit_log.page(sql, FJORD, Wanted(), 10))] == [1]


def test_a_draft_is_changed_only_by_who_saw_it_as_it_is(database: DirectDatabase) -> None:
    """Whoever comes second with what they saw before changes nothing."""
    flow = ChatflowId("flow")
    one, other = drafts.Draft(flow, b"{}", 1, "agent:a"), drafts.Draft(flow, b"[]", 2, "agent:b")
    assert database.run(lambda sql: drafts.swap(sql, NORDVIK, {}, {flow: one}))
    assert not database.run(lambda sql: drafts.swap(sql, NORDVIK, {}, {flow: other}))
    assert database.run(lambda sql: drafts.of_account(sql, NORDVIK)) == {flow: one}
    assert database.run(lambda sql: drafts.swap(sql, NORDVIK, {flow: one}, {flow: None}))
    assert database.run(lambda sql: drafts.of_account(sql, NORDVIK)) == {}


@pytest.mark.parametrize("ends", ["never", "expired", "revoked", "another secret"])
def test_a_key_lets_in_until_it_ends(database: DirectDatabase, ends: str) -> None:
    """By its hash, while it is neither expired nor revoked."""
    key = access.Key("k1", NORDVIK, "CI", ("reports.read",), 1, "agent:a", 100, None)
    database.run(lambda sql: access.add_key(sql, key, b"h" * 32))
    if ends == "revoked":
        assert database.run(lambda sql: access.revoke_key(sql, NORDVIK, "k1", 5))
    now_ms, hashed = (100 if ends == "expired" else 99), (b"x" if ends == "another secret" else b"h") * 32
    found = database.run(lambda sql: access.key_of(sql, hashed, now_ms))
    assert found == (key if ends == "never" else None)


def test_a_key_is_revoked_by_its_own_account_only(database: DirectDatabase) -> None:
    """Another's key is as if it were not there."""
    key = access.Key("k1", NORDVIK, "CI", (), 1, "agent:a", None, None)
    database.run(lambda sql: access.add_key(sql, key, b"h" * 32))
    assert not database.run(lambda sql: access.revoke_key(sql, FJORD, "k1", 5))
    assert database.run(lambda sql: access.keys(sql, NORDVIK)) == [key]
    assert database.run(lambda sql: access.keys(sql, FJORD)) == []


def test_a_browser_session_ends(database: DirectDatabase) -> None:
    """At its time, or when somebody logs out."""
    session = access.BrowserSession(NORDVIK, AgentId("kari"), b"c" * 32, 100)
    database.run(lambda sql: access.begin_session(sql, session, b"s" * 32, 1))
    assert database.run(lambda sql: access.session_of(sql, b"s" * 32, 99)) == session
    assert database.run(lambda sql: access.session_of(sql, b"s" * 32, 100)) is None
    database.run(lambda sql: access.end_session(sql, b"s" * 32))
    assert database.run(lambda sql: access.session_of(sql, b"s" * 32, 99)) is None


def test_an_answer_is_kept_for_a_day(database: DirectDatabase) -> None:
    """The same key of another account is another."""
    kept = answers.KeptAnswer(b"r", 201, b"{}")
    database.run(lambda sql: answers.keep(sql, NORDVIK, "once", kept, 0))
    assert database.run(lambda sql: answers.find(sql, NORDVIK, "once")) == kept
    assert database.run(lambda sql: answers.find(sql, FJORD, "once")) is None
    assert not database.run(lambda sql: answers.is_any_old(sql, "config", answers.KEPT_MS - 1))
    assert database.run(lambda sql: answers.forget(sql, "config", answers.KEPT_MS - 1)) == 0
    assert database.run(lambda sql: answers.is_any_old(sql, "config", answers.KEPT_MS))
    assert database.run(lambda sql: answers.forget(sql, "config", answers.KEPT_MS)) == 1
    assert database.run(lambda sql: answers.find(sql, NORDVIK, "once")) is None


def test_what_was_answered_meanwhile_undoes_the_second(database: DirectDatabase) -> None:
    """All that it did in the same transaction, too: the first answer stands."""
    first = answers.KeptAnswer(b"r", 201, b"first")
    database.run(lambda sql: answers.keep(sql, NORDVIK, "once", first, 0))

    def second(sql: Connection) -> None:
        audit_log.add(sql, NORDVIK, Deed(1, "key:k", "key.created", "keys/k"))
        answers.keep(sql, NORDVIK, "once", answers.KeptAnswer(b"r", 201, b"second"), 0)

    with pytest.raises(answers.AnsweredBefore) as before:
        database.run(second)
    assert before.value.kept == first
    assert database.run(lambda sql: audit_log.after(sql, NORDVIK, 0, 10)) == []
