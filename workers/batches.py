"""How many commits a scribe reads at once.

Invariant: one transaction for as many as have gathered, within 512 commits and about 8 MiB of memory.
"""

FIRST_COUNT = 16
MAX_COUNT = 512
_MAX_BYTES = 8 * 1024 * 1024


def next_count(count: int, received: int, size_bytes: int) -> int:
    """Return how many to ask for after `received` of `count` asked were `size_bytes` together."""
    if size_bytes > _MAX_BYTES:
        return max(1, count // 2)
    if received == count and size_bytes < _MAX_BYTES // 4:
        return min(MAX_COUNT, count * 2)
    return count
