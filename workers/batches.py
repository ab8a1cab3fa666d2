"""How many commits a scribe reads at once, and how long it lets them gather.

Invariant: one transaction for as many as have gathered, within 512 commits and about 8 MiB of memory; who is behind
never waits.
"""

FIRST_COUNT = 16
MAX_COUNT = 512
# SQL is so much later at most. A transaction costs 2 ms of CPU whatever is in it, and each row less, the more of its
# neighbours come with it (docs/performance.md).
GATHER_S = 0.25
_MAX_BYTES = 8 * 1024 * 1024


def next_count(count: int, received: int, size_bytes: int) -> int:
    """Return how many to ask for after `received` of `count` asked were `size_bytes` together."""
    if size_bytes > _MAX_BYTES:
        return max(1, count // 2)
    if received == count and size_bytes < _MAX_BYTES // 4:
        return min(MAX_COUNT, count * 2)
    return count


def gather_s(count: int, received: int) -> float:
    """Return how long to let commits gather after `received` of `count` asked: no time if there may be more."""
    return 0.0 if received == count else GATHER_S
