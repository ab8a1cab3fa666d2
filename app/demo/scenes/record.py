"""What is on record after all of it."""

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.records import replayed, until_stored


async def replay(cast: Cast) -> str:
    """Each conversation's log, played again, gives the stored state byte for byte."""
    await cast.clear()
    await until_stored(cast.stage.settings)
    found = await replayed(cast.stage.settings)
    require(bool(found), "the record holds no conversation of the demo")
    different = [each for each in found if each.differs_at is not None]
    entries, size = sum(each.entries for each in found), sum(len(each.stored) for each in found)
    cast.narrator.sees("replay", f"{len(found)} conversations, {entries} entries")
    why = ", ".join(f"{each.conversation} at byte {each.differs_at}" for each in different)
    require(not different, f"replayed and stored state differ: {why}")
    return f"{len(found)} conversations, {entries} entries replayed: {size} bytes of state, all equal"
