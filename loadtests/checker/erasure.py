"""Rules on who was erased: nothing of them stands anywhere, nothing brings it back, and every log keeps its places.

Invariant: each rule is a pure function of the history.
"""

from collections.abc import Iterator

from loadtests.checker.history import History, Violation

_SPEAKS = frozenset({"message", "note"})


def reappeared(history: History) -> Iterator[Violation]:
    """No store holds a word of who was erased, and a log that ends in `erased` says nothing any more."""
    for remain in history.remains:
        yield Violation("reappeared", remain.where, f"holds what was erased: {remain.text}")
    for conversation, log in history.logs().items():
        end = next((entry.seq for entry in log if entry.kind == "erased"), None)
        if end is None:
            continue
        for entry in log:
            if entry.seq > end:
                yield Violation("reappeared", conversation, f"{entry.kind} at {entry.seq}, behind its last entry")
            elif entry.kind in _SPEAKS and not entry.redacted:
                yield Violation("reappeared", conversation, f"the {entry.kind} at {entry.seq} still says something")
