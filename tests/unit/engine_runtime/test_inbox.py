"""Entries of the inbox, and how much of them is one batch."""

import msgspec

from engine.runtime.inbox import Cursor, Unreadable, parse_cursor, read_entry
from engine.runtime.reading import Reading
from engine.runtime.surroundings import EngineSettings
from protocol.bus.commands import COMMAND_ENCODER, GatewayLost, PublishConfig
from protocol.ids import AccountId, CellName, Incarnation
from tests.kit.workplace import admits, sends

LOST = GatewayLost(Incarnation("gw_1"))


def pack(*commands: object) -> bytes:
    return msgspec.msgpack.encode(commands)


def test_a_pack_and_fired_timers_are_commands_in_their_order() -> None:
    """Fields are read from left to right, whatever their kind."""
    entry = read_entry(b"7-0", [b"t", COMMAND_ENCODER.encode(LOST), b"p", pack(sends(1), admits())])
    assert entry.commands == [LOST, sends(1), admits()]
    assert (entry.at_ms, entry.end) == (7, Cursor("7-0", 3))


def test_an_unknown_field_is_no_command() -> None:
    """A newer version may say more in an entry."""
    assert read_entry(b"7-0", [b"x", b"?", b"p", pack(LOST)]).commands == [LOST]


def test_an_unreadable_command_keeps_its_place() -> None:
    """The cursor means the same to whoever can read it."""
    newer = msgspec.Raw(msgspec.msgpack.encode(["sings", "la"]))
    entry = read_entry(b"7-0", [b"p", msgspec.msgpack.encode([LOST, newer, LOST])])
    assert entry.commands[0] == entry.commands[2] == LOST
    assert isinstance(entry.commands[1], Unreadable)
    assert entry.commands[1].raw == bytes(newer)


def test_damaged_bytes_are_one_unreadable_command() -> None:
    """Nothing can be told of a pack that is none."""
    [command] = read_entry(b"7-0", [b"p", b"\xc1"]).commands
    assert isinstance(command, Unreadable)


def test_the_rest_of_an_entry_ends_where_the_entry_ends() -> None:
    """A careful owner stops inside; the next one counts from the same beginning."""
    entry = read_entry(b"7-0", [b"p", pack(sends(1), sends(2), sends(3))])
    rest = entry.after(1)
    assert rest.commands == [sends(2), sends(3)]
    assert rest.after(2).commands == [sends(3)]
    assert rest.end == entry.end


def test_a_cursor_is_its_text() -> None:
    """Written and read back it is the same."""
    assert parse_cursor(str(Cursor("1700000000000-12", 3))) == Cursor("1700000000000-12", 3)


def reading(batch_commands: int, *sizes: int) -> Reading:
    found = Reading(None, "inbox", EngineSettings([CellName("c00")], batch_commands=batch_commands))  # type: ignore[arg-type]  # nothing is read
    for number, size in enumerate(sizes, 1):
        commands = [PublishConfig(AccountId("acc"), index) for index in range(size)]
        found.entries.append(read_entry(f"{number}-0".encode(), [b"p", pack(*commands)]))
    return found


def test_a_batch_ends_at_a_whole_entry_and_within_its_size() -> None:
    """What does not fit waits; what alone is too big is a batch of its own."""
    waiting = reading(10, 4, 6, 1, 30, 2)
    batches = [[len(entry.commands) for entry in waiting.batch()] for _ in range(4)]
    assert batches == [[4, 6], [1], [30], [2]]


def test_single_commands_are_taken_one_by_one() -> None:
    """Each is an entry of its own, with the place it has in the whole one."""
    waiting = reading(10, 2, 1)
    taken = [waiting.one() for _ in range(3)]
    assert [(entry.id, entry.first, len(entry.commands), str(entry.end)) for entry in taken] == [
        ("1-0", 0, 1, "1-0:1"),
        ("1-0", 1, 1, "1-0:2"),
        ("2-0", 0, 1, "2-0:1"),
    ]
    assert not waiting.entries
