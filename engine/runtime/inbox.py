"""A cell's inbox as commands in their places.

Invariant: a place (entry, index) names one command for ever, and places ascend in the order of deciding. A command that
cannot be read keeps its place as `Unreadable`, so that the cursor means the same to every version of the engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from protocol.bus.commands import COMMAND_DECODER, PACK_DECODER, AnyCommand

_RAW_PACK = msgspec.msgpack.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a cell has decided: `index` commands of `entry` and everything before it."""

    entry: str
    index: int

    def __str__(self) -> str:
        return f"{self.entry}:{self.index}"


START = Cursor("0-0", 0)


def parse_cursor(text: str) -> Cursor:
    """Return the cursor that `str` made `text` of."""
    entry, _, index = text.rpartition(":")
    return Cursor(entry, int(index))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes in the place of a command that are none: of a newer version, or damaged."""

    raw: bytes
    error: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One inbox entry. `first` is the index of the first of `commands`, above 0 when the rest was decided before."""

    id: str
    commands: list[AnyCommand | Unreadable]
    first: int = 0
    size_bytes: int = 0

    @property
    def at_ms(self) -> int:
        """The cell's clock at this entry: every command in it happens at this millisecond."""
        return int(self.id.partition("-")[0])

    @property
    def end(self) -> Cursor:
        """The cursor once the whole entry is decided."""
        return Cursor(self.id, self.first + len(self.commands))

    def after(self, index: int) -> "Entry":
        """The same entry without its first `index` commands."""
        return Entry(self.id, self.commands[index - self.first :], index)


def read_entry(entry_id: bytes, fields: Sequence[bytes]) -> Entry:
    """Return the commands of an entry: field `p` holds a pack, each field `t` one command that a deadline became."""
    commands: list[AnyCommand | Unreadable] = []
    for name, value in zip(fields[::2], fields[1::2], strict=True):
        if name == b"p":
            commands += _pack(value)
        elif name == b"t":
            commands.append(_one(value))
    return Entry(entry_id.decode(), commands, size_bytes=sum(map(len, fields)))


def _pack(value: bytes) -> Sequence[AnyCommand | Unreadable]:
    try:
        return PACK_DECODER.decode(value)
    except msgspec.DecodeError as error:
        return _one_by_one(value, str(error))


def _one_by_one(value: bytes, error: str) -> Sequence[AnyCommand | Unreadable]:
    try:
        return [_one(bytes(raw)) for raw in _RAW_PACK.decode(value)]
    except msgspec.DecodeError:
        return [Unreadable(value, error)]


def _one(raw: bytes) -> AnyCommand | Unreadable:
    try:
        return COMMAND_DECODER.decode(raw)
    except msgspec.DecodeError as error:
        return Unreadable(raw, str(error))
