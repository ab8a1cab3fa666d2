"""commit.lua: one batch, whole or not at all."""

import random
from dataclasses import dataclass, field

import pytest

from store.redis import scripts
from store.redis.connection import Connection, Refused
from store.redis.scripts import Check, Write, text
from tests.kit.cells import KEYS, cell_record, everything, fence, open_cell

CONV, LOG, VISITOR = "{c07}:conv:1", "{c07}:log:1", "{c07}:visitor:1"
WRITES: list[Write] = [
    ("HSET", CONV, "s", text(b"\x00\xffstate"), "q", 8, "c", 42),
    ("XADD", LOG, "8-0", "e", text(b"frame" * 20_000)),
    ("XDEL", LOG, "7-0"),
    ("ZADD", KEYS.timers, 1234, text(b"command")),
    ("ZREM", KEYS.timers, text(b"other")),
    ("HDEL", VISITOR, "gone"),
    ("RPUSH", "{c07}:quarantine", text(b"command")),
    ("XADD", KEYS.outbox(3), "42-0", "c", text(b"commit")),
    ("XTRIM", KEYS.inbox, "MINID", "6-0"),
    ("DEL", "{c07}:log:old"),
    ("SPUBLISH", "{c07}:v:1", text(b"hint")),
]
CHECKS: list[Check] = [("H", CONV, "c", "39"), ("H", VISITOR, "c", ""), ("S", LOG, "7-0"), ("S", KEYS.outbox(3), "")]


@pytest.fixture
def line(line_anywhere: Connection) -> Connection:
    return line_anywhere


async def prepare(line: Connection) -> None:
    await open_cell(line)
    await line.call("HSET", CONV, "c", 39, "q", 7)
    await line.call("XADD", LOG, "7-0", "e", "earlier")
    await line.call("XADD", KEYS.inbox, "5-0", "p", "decided")
    await line.call("XADD", KEYS.inbox, "7-0", "p", "undecided")
    await line.call("SET", "{c07}:log:old", "any type")


async def test_a_commit_writes_everything_and_moves_on(line: Connection) -> None:
    """State, log, a removed entry, timers, outbox, trim, cursor and commit_no change together."""
    await prepare(line)
    assert await scripts.commit(line, fence(), CHECKS, WRITES) == "ok"
    assert await line.call("HMGET", CONV, "s", "q", "c") == [b"\x00\xffstate", b"8", b"42"]
    assert await line.call("XRANGE", LOG, "-", "+") == [[b"8-0", [b"e", b"frame" * 20_000]]]
    assert await line.call("ZRANGE", KEYS.timers, 0, -1, "WITHSCORES") == [b"command", b"1234"]
    assert await line.call("XRANGE", KEYS.outbox(3), "-", "+") == [[b"42-0", [b"c", b"commit"]]]
    assert [entry[0] for entry in await line.call("XRANGE", KEYS.inbox, "-", "+")] == [b"7-0"]
    assert await line.call("EXISTS", "{c07}:log:old") == 0
    record = await cell_record(line)
    assert [record[name] for name in ("cursor", "commit_no", "attempts", "owner")] == ["6-0:2", "42", "0", "owner-1"]


async def test_what_was_removed_is_nowhere_in_the_log(line: Connection) -> None:
    """Not even in the bytes of its key, which files are made of; what stands around it stays, and so does the end."""
    await open_cell(line)
    for seq, said in ((1, "before"), (2, "canary-2"), (3, "after")):
        await line.call("XADD", LOG, f"{seq}-0", "e", said, "i", f"1.1.{seq}")
    writes: list[Write] = [("XADD", LOG, "4-0", "e", "redacted"), ("XDEL", LOG, "2-0")]
    assert await scripts.commit(line, fence(), [("S", LOG, "3-0")], writes) == "ok"
    assert [entry[0] for entry in await line.call("XRANGE", LOG, "-", "+")] == [b"1-0", b"3-0", b"4-0"]
    assert b"canary-2" not in await line.call("DUMP", LOG)


async def test_the_same_commit_again_is_already(line: Connection) -> None:
    """After a lost answer the same bytes are sent again: nothing more is written, and the sender learns it was done."""
    await prepare(line)
    await scripts.commit(line, fence(), CHECKS, WRITES)
    before = await everything(line)
    assert await scripts.commit(line, fence(), CHECKS, WRITES) == "already"
    assert await everything(line) == before


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"token": "owner-0"}, "owner"),
        ({"status": "rebuilding"}, "status"),
        ({"epoch": 2}, "epoch"),
        ({"cursor": "4-0:1"}, "cursor"),
        ({"commit_no": 40, "next_commit_no": 43}, "commit_no"),
    ],
)
async def test_a_wrong_fence_writes_nothing(line: Connection, changes: dict[str, object], answer: str) -> None:
    """Each part of the fence that does not hold is named, and no key changes."""
    await prepare(line)
    before = await everything(line)
    assert await scripts.commit(line, fence(**changes), CHECKS, WRITES) == answer
    assert await everything(line) == before


async def test_no_cell_is_nobodys(line: Connection) -> None:
    """On a server that lost the cell no commit is taken."""
    assert await scripts.commit(line, fence(), [], WRITES) == "owner"
    assert await everything(line) == {}


@pytest.mark.parametrize(
    ("check", "key"),
    [
        (("H", CONV, "c", "38"), CONV),
        (("H", CONV, "c", ""), CONV),
        (("H", CONV, "absent", "1"), CONV),
        (("H", "{c07}:conv:absent", "c", "39"), "{c07}:conv:absent"),
        (("S", LOG, "6-0"), LOG),
        (("S", LOG, ""), LOG),
    ],
)
async def test_a_moved_head_writes_nothing(line: Connection, check: Check, key: str) -> None:
    """One head that is not as decided upon refuses the whole batch, also if all others hold."""
    await prepare(line)
    before = await everything(line)
    assert await scripts.commit(line, fence(), [*CHECKS, check], WRITES) == f"head:{key}"
    assert await everything(line) == before


@pytest.mark.parametrize("write", WRITES[:9], ids=lambda write: f"{write[0]}-{write[1]}")
async def test_a_written_key_of_the_wrong_type_writes_nothing(line: Connection, write: Write) -> None:
    """Every key that is written is checked to be of its command's type before the first write."""
    await prepare(line)
    key = str(write[1])
    await line.call("DEL", key)
    wrong = ("SADD", key, "x")
    await line.call(*wrong)
    before = await everything(line)
    assert await scripts.commit(line, fence(), [], WRITES) == f"type:{key}"
    assert await everything(line) == before


@pytest.mark.parametrize("check", CHECKS[:3], ids=lambda check: f"{check[1]}")
async def test_a_checked_key_of_the_wrong_type_writes_nothing(line: Connection, check: Check) -> None:
    """A head that cannot even be read is an error before the first write."""
    await prepare(line)
    await line.call("DEL", check[1])
    await line.call("SADD", check[1], "x")
    before = await everything(line)
    with pytest.raises(Refused) as caught:
        await scripts.commit(line, fence(), CHECKS, WRITES)
    assert ("WRONGTYPE" in str(caught.value), await everything(line)) == (True, before)


async def test_an_unknown_command_writes_nothing(line: Connection) -> None:
    """Only commands known not to fail half-way may be in a batch, wherever in it they stand."""
    await prepare(line)
    before = await everything(line)
    assert await scripts.commit(line, fence(), CHECKS, [*WRITES, ("INCR", "{c07}:n")]) == "command:INCR"
    assert await everything(line) == before


async def test_a_rebuilding_cell_takes_only_its_restorer(line: Connection) -> None:
    """While a cell is being rebuilt, commits that expect it ready are refused, and those of the rebuilding are taken."""
    await prepare(line)
    await line.call("HSET", KEYS.cell, "status", "rebuilding")
    assert await scripts.commit(line, fence(), [], WRITES) == "status"
    standing = fence(status="rebuilding", next_cursor="5-0:1", next_commit_no=41)
    for _ in range(2):  # restoring is repeatable: the fence stands where it stood
        assert await scripts.commit(line, standing, [], [("HSET", VISITOR, "s", "record")]) == "ok"
    assert (await cell_record(line))["commit_no"] == "41"


async def test_pipelined_commits_build_on_each_other(line: Connection) -> None:
    """The next batch may be sent while the one before is in flight; on a server that knows no script yet too."""
    await open_cell(line)
    steps = [
        fence(cursor=f"{n}-0:1", next_cursor=f"{n + 1}-0:1", commit_no=36 + n, next_commit_no=37 + n)
        for n in range(5, 10)
    ]
    answers = [scripts.send_commit(line, step, [], [("RPUSH", "{c07}:list", n)]) for n, step in enumerate(steps)]
    assert [await answer for answer in answers] == ["ok"] * 5
    assert await line.call("LRANGE", "{c07}:list", 0, -1) == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_refused_commit_refuses_what_was_built_on_it(line: Connection) -> None:
    """When one batch is refused, the batch behind it in the pipeline is refused too."""
    await prepare(line)
    first = scripts.send_commit(line, fence(), [("H", CONV, "c", "1")], WRITES)
    second = scripts.send_commit(
        line, fence(cursor="6-0:2", next_cursor="7-0:1", commit_no=42, next_commit_no=43), [], WRITES
    )
    assert (await first, await second) == (f"head:{CONV}", "cursor")


async def test_scripts_flushed_between_two_commits(line: Connection) -> None:
    """A server that forgot its scripts is given them again, and the commit is done once."""
    await prepare(line)
    assert await scripts.commit(line, fence(), CHECKS, WRITES) == "ok"
    await line.call("SCRIPT", "FLUSH")
    following = fence(cursor="6-0:2", next_cursor="7-0:1", commit_no=42, next_commit_no=43)
    assert await scripts.commit(line, following, [], [("RPUSH", "{c07}:list", "once")]) == "ok"
    assert await line.call("LLEN", "{c07}:list") == 1


async def test_a_batch_of_thousands_of_writes(line: Connection) -> None:
    """The number of writes is not bound by what Lua can unpack."""
    await open_cell(line)
    writes: list[Write] = [("HSET", f"{{c07}}:conv:{n}", "c", 42) for n in range(5_000)]
    writes.append(("HSET", "{c07}:wide", *(n // 2 for n in range(3_998))))
    assert await scripts.commit(line, fence(), [], writes) == "ok"
    assert await line.call("DBSIZE") == 5_002


async def test_a_write_too_wide_is_a_bug(line: Connection) -> None:
    """A write that Lua could not unpack would fail half-way, so it is not sent."""
    with pytest.raises(AssertionError, match="would fail half-way"):
        await scripts.commit(line, fence(), [], [("ZREM", KEYS.timers, *("x" * 5_000))])


@dataclass
class Model:
    """What a cell with one conversation should be."""

    owner: str = "a"
    cursor: int = 0
    commit_no: int = 0
    head: int = 0
    log: list[int] = field(default_factory=list)


@pytest.mark.parametrize("seed", range(8))
async def test_random_commits_do_what_the_model_does(line: Connection, seed: int) -> None:
    """Over two owners' right, stale and repeated commits, answers and contents are those of a small model."""
    chance, model = random.Random(seed), Model()
    await open_cell(line, owner="a", cursor="0-0:0", commit_no=0)
    for _ in range(60):
        if chance.random() < 0.1:
            model.owner = chance.choice("ab")
            await line.call("HSET", KEYS.cell, "owner", model.owner)
        token, cursor = chance.choice("aab"), model.cursor - chance.choice((0, 0, 0, 1))
        commit_no, head = model.commit_no - chance.choice((0, 0, 0, 1)), model.head - chance.choice((0, 0, 0, 0, 1))
        step = fence(
            token=token, cursor=f"{cursor}-0:0", next_cursor=f"{cursor + 1}-0:0",
            commit_no=commit_no, next_commit_no=commit_no + 1,
        )  # fmt: skip
        checks: list[Check] = [("H", CONV, "q", str(head or "")), ("S", LOG, f"{head}-0" if head else "")]
        writes: list[Write] = [("HSET", CONV, "q", head + 1), ("XADD", LOG, f"{head + 1}-0", "e", commit_no)]
        expected = judge(model, token, cursor, commit_no, head)
        assert await scripts.commit(line, step, checks, writes) == expected
    log = [int(entry[1][1]) for entry in await line.call("XRANGE", LOG, "-", "+")]
    record = await cell_record(line)
    assert (log, record["cursor"], record["commit_no"]) == (model.log, f"{model.cursor}-0:0", str(model.commit_no))
    assert model.log, "no commit was taken: this seed proves nothing"


def judge(model: Model, token: str, cursor: int, commit_no: int, head: int) -> str:
    """Return commit.lua's answer, and do to `model` what it does."""
    if token != model.owner:
        return "owner"
    if (cursor + 1, commit_no + 1) == (model.cursor, model.commit_no):
        return "already"
    if cursor != model.cursor:
        return "cursor"
    if commit_no != model.commit_no:
        return "commit_no"
    if head != model.head:
        return f"head:{CONV}"
    model.cursor, model.commit_no, model.head = cursor + 1, commit_no + 1, head + 1
    model.log.append(commit_no)
    return "ok"
