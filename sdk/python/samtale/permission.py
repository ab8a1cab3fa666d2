"""Whether this phone may remember its user (SPEC 4.4).

Invariant: where the company asks, nothing is added to what is kept before the user said yes, and nothing stays once
they said no.
"""

from enum import Enum, auto

from samtale.served import STORAGE, Storage


class Keep(Enum):
    ALL = auto()
    AS_IT_IS = auto()  # what an earlier life of the app was allowed to keep
    NOTHING = auto()


class Permission:
    """`answer`: granted, declined, or "" if the user was not asked yet. Whoever `is_identified` is not asked."""

    def __init__(self, is_identified: bool) -> None:
        self.answer = ""
        self._found = False
        self._asked: Storage | None = None
        self.is_identified = is_identified

    def thaw(self, answer: str, found: bool) -> None:
        """Take up what an earlier life of the app left, if it did."""
        self.answer, self._found = answer, found

    def serve(self, asked: Storage | None, outstanding: list[str]) -> None:
        """Take what the server asks now."""
        self._asked = asked
        if STORAGE in outstanding:
            self.answer = ""
        elif asked is not None and asked.ask == "before_chat" and self._found:
            self.answer = self.answer or "granted"  # it was answered, and what it was about is here

    def answered(self, answer: str) -> None:
        """The user said so, and the server has it."""
        self.answer = answer
        self._found = self._found and answer == "granted"

    @property
    def on_exit(self) -> Storage | None:
        """What to ask a user who is about to leave, if anything."""
        asks = self._asked is not None and self._asked.ask == "on_exit_intent"
        return self._asked if asks and not self.answer and not self.is_identified else None

    @property
    def allows(self) -> Keep:
        if self.is_identified or self._asked is None or self.answer == "granted":
            return Keep.ALL
        return Keep.AS_IT_IS if self._found and not self.answer else Keep.NOTHING
