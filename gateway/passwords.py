"""Agents' passwords, checked against argon2 hashes.

Invariant: at most two are checked at a time, in threads (one costs 170 ms of a core), and a bounded number waits; an
unknown e-mail costs as long as a wrong password.
"""

import asyncio
import functools

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
MAX_WAITING = 32


class Busy(Exception):
    """Too many passwords wait to be checked."""


class Passwords:
    """The checking of one process."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def is_right(self, password: str, stored: str | None) -> bool:
        """Whether `password` is the one hashed in `stored`; None takes as long and is False. Raises Busy."""
        if self._waiting >= MAX_WAITING:
            raise Busy
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(_check, password, stored)
        finally:
            self._waiting -= 1


def _check(password: str, stored: str | None) -> bool:
    try:
        return PasswordHasher().verify(stored or _nobodys_hash(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@functools.cache
def _nobodys_hash() -> str:
    return PasswordHasher().hash("nobody's password")
