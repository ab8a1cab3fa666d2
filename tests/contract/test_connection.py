"""The connection against real servers."""

from store.redis.connection import Connection


async def test_answers_come_in_the_order_asked(line: Connection) -> None:
    """Pipelined commands are answered in order."""
    answers = [line.send("ECHO", f"{n}") for n in range(100)]
    assert [await answer for answer in answers] == [b"%d" % n for n in range(100)]
