"""Builds that were heard of, on SQLite and on PostgreSQL."""

from collections.abc import Mapping
from functools import partial

from protocol.ids import AccountId, AppKey
from store.sql.database import Database, Databases
from store.sql.queries import builds
from store.sql.queries.builds import MOST, Build, Heard

ACCOUNT, APP = AccountId("acc_nordvik"), AppKey("app_nordvik")
PHONE = Build(ACCOUNT, APP, "ios", "2.3.1", "samtale-swift/1.0", "support")


async def told(record: Database, heard: Mapping[Build, Heard]) -> dict[Build, Heard]:
    """Add what was heard, and return what is known of the app then."""
    await record.transact(partial(builds.add, heard=heard))
    return await record.read(partial(builds.of_app, account=ACCOUNT, app=APP))


async def test_what_two_gateways_heard_adds_up(databases: Databases) -> None:
    """In whichever order they tell it: the first time is the earliest, the last the latest."""
    await told(databases.record, {PHONE: Heard(3, 500, 900)})
    known = await told(databases.record, {PHONE: Heard(2, 100, 700)})
    assert known == {PHONE: Heard(5, 100, 900)}


async def test_a_build_is_told_apart_by_all_that_it_says(databases: Databases) -> None:
    """Platform, version, SDK and tag."""
    others = [
        Build(ACCOUNT, APP, "android", "2.3.1", "samtale-swift/1.0", "support"),
        Build(ACCOUNT, APP, "ios", "2.3.2", "samtale-swift/1.0", "support"),
        Build(ACCOUNT, APP, "ios", "2.3.1", "samtale-swift/1.1", "support"),
        Build(ACCOUNT, APP, "ios", "2.3.1", "samtale-swift/1.0", "sales"),
    ]
    heard = {build: Heard(1, 100, 100) for build in (PHONE, *others)}
    assert await told(databases.record, heard) == heard


async def test_no_more_are_kept_apart_than_there_is_room_for(databases: Databases) -> None:
    """Made-up builds push out one another and no real one, and every session stays counted."""
    made_up = {
        Build(ACCOUNT, APP, "other", f"{number}", "", "x"): Heard(1, number, number) for number in range(MOST + 5)
    }
    known = await told(databases.record, {PHONE: Heard(40, 1, 2)})
    known = await told(databases.record, made_up)
    assert (len(known), known[PHONE]) == (MOST + 1, Heard(40, 1, 2))
    assert known[PHONE.others] == Heard(6, 0, 5)
    assert sum(each.sessions for each in known.values()) == 40 + MOST + 5


async def test_apps_and_accounts_are_apart(databases: Databases) -> None:
    """A full table of one pushes nobody out of another's."""
    elsewhere = Build(AccountId("acc_fjell"), APP, "ios", "1", "", "x")
    crowd = {Build(ACCOUNT, APP, "other", f"{number}"): Heard(1, 1, 1) for number in range(MOST + 1)}
    await told(databases.record, {elsewhere: Heard(1, 1, 1)})
    assert elsewhere not in await told(databases.record, crowd)
    found = await databases.record.read(partial(builds.of_app, account=elsewhere.account, app=APP))
    assert found == {elsewhere: Heard(1, 1, 1)}
