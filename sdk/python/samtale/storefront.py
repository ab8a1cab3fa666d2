"""What a phone is served now (SPEC 4).

Invariant: `view` is the last whole view; what is sent short is taken into it, another one takes its place. What is
outstanding shrinks as it is answered, and grows only by the server's word.
"""

from samtale.body import Body, ConsentAnswered, EmailGiven
from samtale.outlet import Frame
from samtale.reading import read
from samtale.served import EMAIL, PROCESS, STORAGE, Availability, Chatflow, Steps


class Storefront:
    """As `ready` and `chatflow` said it; `view` may come from an earlier life of the app."""

    def __init__(self) -> None:
        self.view: Frame = {}
        self.chatflow: Chatflow | None = None
        self.steps = Steps()
        self.availability: Availability | None = None

    @property
    def etag(self) -> str:
        """The name of the view that is held; "" if none is."""
        etag: str = self.view.get("etag", "")
        return etag

    @property
    def shown(self) -> Frame | None:
        """The whole view of what is served; None if nothing is."""
        return self.view if self.chatflow is not None else None

    def take(self, frame: Frame) -> None:
        """Take what is served; of a view that we said we hold, only what may differ was sent (SPEC 4.1)."""
        view = frame["chatflow"]
        if view is not None and view.get("etag", "") == self.etag != "":
            view = {**self.view, **view}
        self.view = view or self.view  # while nothing is served the last view is still held
        self.chatflow = read(Chatflow, view) if view is not None else None
        there = frame.get("availability")
        self.availability = read(Availability, there) if there is not None else None
        self.steps = read(Steps, frame.get("steps", {}))

    def answered(self, step: str) -> bool:
        """Take a step off the list, and return whether it was there."""
        left = [each for each in self.steps.outstanding if each != step]
        shorter = len(left) < len(self.steps.outstanding)
        if shorter:
            self.steps = Steps(left, self.steps.blocked)
        return shorter


def step_of(body: Body) -> str:
    """Return the step that an entry of the log settles; "" for none. It may come before the `ack` does."""
    match body:
        case ConsentAnswered("storage"):
            return STORAGE
        case ConsentAnswered("process", "granted"):
            return PROCESS
        case EmailGiven():
            return EMAIL
        case _:
            return ""
