"""When to come back after a connection ended (SPEC 2.7, 11).

Invariant: pure; the chance comes from outside, so that thousands of clients that lose a server together do not return
together, and a simulation repeats itself.
"""

LONGEST_S = 30.0
SHORTEST_S = 0.5

_AT_LEAST_S = {4003: 5.0, 4429: 10.0}
_ONLY_IF_ASKED = 4005


def comes_back(code: int) -> bool:
    """Whether a client connects again by itself after a close with `code`."""
    return code != _ONLY_IF_ASKED and not 4500 <= code <= 4999


def delay_s(code: int, failures: int, chance: float, retry_after_ms: int = 0) -> float:
    """Return how long to wait after a close with `code`, `failures` attempts since the last `ready`, 0 ≤ chance < 1."""
    floor = max(_AT_LEAST_S.get(code, 0.0), retry_after_ms / 1000)
    return floor + chance * min(LONGEST_S, SHORTEST_S * 2.0 ** min(failures, 10))
