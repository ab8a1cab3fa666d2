"""A cell's keys as tests see them: an open cell to commit into, and everything a server holds, to compare."""

from itertools import chain
from typing import Any

import msgspec

from protocol.ids import CellName
from store.redis.connection import Connection, Part
from store.redis.keys import Keys
from store.redis.scripts import Fence, Piece

CELL = CellName("c07")
KEYS = Keys(CELL)
TOKEN = "owner-1"


def fence(**changes: object) -> Fence:
    """The fence of the next commit of the cell that `open_cell` made, with `changes`."""
    return Fence(CELL, TOKEN, 3, "5-0:1", "6-0:2", 41, 42)._replace(**changes)  # type: ignore[arg-type]


async def open_cell(line: Connection, **changes: str | int) -> None:
    """Make the cell one that TOKEN owns, ready for `fence()`."""
    record: dict[str, Part] = {
        "owner": TOKEN,
        "status": "ready",
        "epoch": 3,
        "cursor": "5-0:1",
        "commit_no": 41,
        "stored": 40,
    }
    record |= {"run_id": "life-1", "attempts": 2} | changes
    await line.call("HSET", KEYS.cell, *chain(*record.items()))


async def everything(line: Connection) -> dict[bytes, bytes]:
    """Every key and its serialized value."""
    names = sorted(await line.call("KEYS", "*"))
    values = [await answer for answer in [line.send("DUMP", name) for name in names]]
    return dict(zip(names, values, strict=True))


async def cell_record(line: Connection) -> dict[str, str]:
    """The fields of the cell's record."""
    flat = [part.decode() for part in await line.call("HGETALL", KEYS.cell)]
    return dict(zip(flat[::2], flat[1::2], strict=True))


def plain(piece: Piece) -> Any:
    """A part of a write as it was before `scripts.text`."""
    if not isinstance(piece, msgspec.Raw):
        return piece
    packed = bytes(piece)
    return packed[3:] if packed[0] == 0xDA else packed[5:]
