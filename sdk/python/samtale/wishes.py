"""What is asked without a number, and is so once the server says `done` (SPEC 5.8).

Invariant: of one kind only the newest is said, and said again until it is done or refused for good; whoever asked for
one that it overtook hears the same.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from samtale.asked import Asked, Outcomes
from samtale.events import Acked, Done, Refused
from samtale.outlet import Frame, Outlet


@dataclass(slots=True)
class Wish:
    """`refs`: everybody who waits for it, the newest, under whose name it is said, last."""

    frame: Frame
    refs: list[str]


class Wishes:
    """`changed` is called when they are to be stored."""

    def __init__(self, outlet: Outlet, outcomes: Outcomes, changed: Callable[[], None]) -> None:
        self._outlet = outlet
        self._outcomes = outcomes
        self._changed = changed
        self._open: dict[str, Wish] = {}

    def ask(self, kind: str, frame: Frame) -> Asked:
        """Wish for `frame` in place of an older wish of that kind."""
        before = self._open.pop(kind, None)
        ref = self._outlet.world.new_id()
        self._open[kind] = Wish({**frame, "ref": ref}, [*(before.refs if before else []), ref])
        self._changed()
        self._outlet.put(self._open[kind].frame)
        return Asked(ref, self._outcomes)

    def say_again(self) -> None:
        """There is a new line."""
        for wish in self._open.values():
            self._outlet.put(wish.frame)

    def done(self, ref: str) -> Frame | None:
        """Settle what `ref` asked and return it; None if it was settled or overtaken."""
        wish = self._settle(ref, Acked)
        if wish is None:
            return None
        self._outlet.tell(Done(ref))
        return wish.frame

    def refused(self, refused: Refused) -> None:
        """Say it again in a while, or settle it."""
        kind = self._kind_of(refused.ref)
        if kind and refused.retryable:
            wait_s = (refused.retry_after_ms or 1_000) / 1000
            asyncio.get_running_loop().call_later(wait_s, self._retry, kind, refused.ref)
        elif kind:
            self._settle(refused.ref, lambda each: Refused(refused.code, refused.text, id=each))

    def forget(self) -> None:
        """Another visitor begins here."""
        gone = "This was asked by a visitor who is no more."
        for wish in list(self._open.values()):
            self._settle(wish.refs[-1], lambda each: Refused("visitor_unknown", gone, id=each))

    def freeze(self) -> dict[str, Frame]:
        return {kind: wish.frame for kind, wish in self._open.items()}

    def thaw(self, frozen: dict[str, Any]) -> None:
        self._open = {kind: Wish(frame, [frame["ref"]]) for kind, frame in frozen.items()}

    def _kind_of(self, ref: str) -> str:
        return next((kind for kind, wish in self._open.items() if wish.refs[-1] == ref), "")

    def _retry(self, kind: str, ref: str) -> None:
        if self._kind_of(ref) == kind != "":
            self._outlet.put(self._open[kind].frame)

    def _settle(self, ref: str, outcome: Callable[[str], Acked | Refused]) -> Wish | None:
        wish = self._open.pop(self._kind_of(ref), None)
        if wish is None:
            return None
        self._changed()
        for each in wish.refs:
            self._outcomes.tell(outcome(each))
        return wish
