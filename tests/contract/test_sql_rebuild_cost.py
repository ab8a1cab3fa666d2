"""What a recovery's reading costs SQLite, in steps of its own machine: exact, the same on every computer."""

from pathlib import Path

from sqlalchemy import Connection

from protocol.ids import CellName, VisitorId
from store.sql.database import DirectDatabase
from store.sql.migrate import migrate
from store.sql.queries import cells, commits, rebuild
from tests.kit.commits import commit, conversation, state, visitor_state

CELL = CellName("c00")
PAGE = 50
STEPS = 100


def steps(directory: Path, people: int) -> int:
    """Return in how many hundreds of steps a cell of so many people, one conversation each, is read."""
    directory.mkdir()
    url = f"sqlite:///{directory / 'record.db'}"
    migrate(url, "record")
    database = DirectDatabase(url)
    database.run(lambda sql: fill(sql, people))
    count = 0

    def counted() -> int:
        nonlocal count
        count += 1
        return 0

    def read(sql: Connection) -> None:
        sql.connection.driver_connection.set_progress_handler(counted, STEPS)  # type: ignore[union-attr]
        alive = rebuild.alive(sql, CELL, 0, 0)
        assert len(alive) == people
        conversations, visitors = list(alive), sorted(alive.values())
        for start in range(0, people, PAGE):
            assert len(rebuild.visitors(sql, visitors[start : start + PAGE])) == PAGE
            assert len(rebuild.conversations(sql, conversations[start : start + PAGE])) == PAGE

    database.run(read)
    database.engine.dispose()
    return count


def fill(sql: Connection, people: int) -> None:
    visitors = [VisitorId(f"vis_{number}") for number in range(people)]
    states = [state(conversation(number), 1, visitor=visitor) for number, visitor in enumerate(visitors)]
    cells.begin_epoch(sql, CELL, 1)
    assert commits.apply(sql, CELL, [commit(1, states=[*states, *map(visitor_state, visitors)])])


def test_reading_a_cell_costs_in_proportion_to_its_people(tmp_path: Path) -> None:
    """Four times the people cost about four times as much, not sixteen times."""
    few, many = steps(tmp_path / "few", 500), steps(tmp_path / "many", 2_000)
    assert many < few * 6
