"""How long to wait after something went wrong."""

BACKOFF_MAX_S = 3.0


def pause_s(failures: int) -> float:
    """Return how long to wait after the `failures`-th failure in a row (1, 2 …): 0.1 s, doubling up to 3 s."""
    return float(min(0.1 * 2 ** min(failures - 1, 10), BACKOFF_MAX_S))
