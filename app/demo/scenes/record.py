"""What is on record after all of it."""

from app.demo.cast import Cast
from app.demo.facts import require


async def replay(cast: Cast) -> str:
    """Each conversation's log, played again, gives the stored state byte for byte."""
    conversations, entries, size = await _all_equal(cast)
    cast.narrator.sees("replay", f"{conversations} conversations, {entries} entries")
    return f"{conversations} conversations, {entries} entries replayed: {size} bytes of state, all equal"


async def desk_replay(cast: Cast) -> str:
    """The same of the help desk's conversations: with tickets, surveys, notes, and what was redacted."""
    conversations, entries, size = await _all_equal(cast)
    cast.narrator.sees("replay", f"{conversations} samtaler, {entries} innslag")
    return f"{conversations} samtaler, {entries} innslag spilt om igjen: {size} byte tilstand, alle like"


async def _all_equal(cast: Cast) -> tuple[int, int, int]:
    """Return how many conversations, entries and bytes of state there are; NotSo if one differs."""
    await cast.clear()
    found = await cast.record.replayed()
    require(bool(found), "the record holds no conversation of the demo")
    why = ", ".join(f"{each.conversation} at byte {each.differs_at}" for each in found if each.differs_at is not None)
    require(not why, f"replayed and stored state differ: {why}")
    return len(found), sum(each.entries for each in found), sum(len(each.stored) for each in found)
