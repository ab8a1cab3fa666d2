"""What is stored of a roster, by this version and by the one before."""

from typing import Any

import msgspec

from routing.core.log import decode
from routing.core.queue import Talking, Unassigned
from routing.core.roster import RosterDecider
from tests.kit.shift import INBOX, RULE, Shift, account, agent

SEATS = [["ann", "Ann", True, False, 2]]
INBOXES = [{"id": INBOX, "name": "Support", "agents": ["ann"]}]
RULES = [{"id": RULE, "inbox": INBOX, "name": "Everybody"}]
FIRST_VERSION: list[list[Any]] = [
    ["staffing", 1_000, [1, SEATS, INBOXES, RULES]],
    ["arrived", 1_001, "ann", "gw_1", "ses_1"],
    ["queued", 1_002, "c1", INBOX, RULE, 1_002, "started", None, None, 1, None],
    ["offered", 1_002, "off_1_c1", "c1", "ann", RULE, 31_002, True, "offer", [3, {"ready": 1}, [["ann", "chosen"]]]],
    ["assigned", 1_003, "c1", "ann", "offer", "off_1_c1", False, False, None],
    ["unrouted", 1_004, "c2", INBOX, 1_004, None],
    ["places", 1_005, RULE, [], False],
    ["queued", 1_006, "c3", INBOX, RULE, 1_006, "started", None, None, 1, None],
    ["released", 1_007, "c3", INBOX, RULE, None, None],
]


def test_a_log_of_the_first_version_is_replayed() -> None:
    """Fields that were appended since have their defaults; a snapshot of that version is rebuilt from it."""
    decider = RosterDecider()
    roster = decider.new(account([agent("ann")]))
    for stored in FIRST_VERSION:
        decider.evolve(roster, decode(msgspec.msgpack.encode(stored)))
    assert roster.held.keys() == {"c1", "c2"}
    assert isinstance(roster.held["c1"].phase, Talking)
    assert isinstance(roster.held["c2"].phase, Unassigned)
    assert roster.members["ann"].load == 1


def test_what_is_frozen_is_thawed_and_frozen_the_same() -> None:
    """Byte for byte, what was last told of timers and rows left out."""
    shift = Shift(account([agent("ann")], teams={"red": ["ann"]}))
    shift.arrive("ann")
    shift.seek("c1", "c2", "c3", language="nb", prefer="ann")
    frozen = shift.decider.freeze(shift.roster)
    assert shift.decider.freeze(shift.decider.thaw(frozen)) == frozen
    assert shift.roster.last.timers
