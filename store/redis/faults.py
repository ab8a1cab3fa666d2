"""What can go wrong between us and Redis.

Invariant: `Away` leaves open whether the command was done; `Busy` and `Refused` mean that it was not (a script that
raises half-way is a bug of ours, see lua/commit.lua).
"""


class Away(Exception):
    """Redis cannot be reached, the line was lost, or no answer came in time: what was asked may have been done."""


class Busy(Away):
    """Too much is under way on this connection; the command was not sent."""


class Refused(Exception):
    """Redis answered with an error. `code` is its first word: WRONGTYPE, NOSCRIPT, MOVED, OOM, LOADING …"""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message.partition(" ")[0]
