"""An allowance per address, or per whatever else somebody unknown might count.

Invariant: never more than `size` allowances are kept; the least recently used is forgotten first.
"""

from collections import OrderedDict
from collections.abc import Hashable

from gateway.core.limits import Bucket


class Buckets:
    """A bucket per key. Times are milliseconds of any clock that does not go back."""

    def __init__(self, per_minute: int, burst: int, size: int = 10_000) -> None:
        self._per_minute, self._burst, self._size = per_minute, burst, size
        self._of: OrderedDict[Hashable, Bucket] = OrderedDict()

    def wait_ms(self, key: Hashable, at_ms: int) -> int:
        """Take one for `key` and return 0, or return after how long to ask again, which takes nothing."""
        return self.of(key).wait_ms(at_ms)

    def of(self, key: Hashable) -> Bucket:
        """Return the allowance of `key`, who is thereby the last to be forgotten."""
        bucket = self._of.get(key)
        if bucket is None:
            bucket = self._of[key] = Bucket(self._per_minute, self._burst)
            if len(self._of) > self._size:
                self._of.popitem(last=False)
        else:
            self._of.move_to_end(key)
        return bucket

    def __len__(self) -> int:
        return len(self._of)
