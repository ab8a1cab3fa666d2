"""What a visitor's and an agent's client have in common.

Invariant: between two awaits of the app nothing is half done; every frame from the server is taken whole, in order.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, Self

from samtale import events, journal
from samtale.asking import Asking
from samtale.events import HistoryPage, LogEvent
from samtale.files import Files
from samtale.lifeline import Lifeline
from samtale.line import LineLost
from samtale.outbox import Moved
from samtale.outlet import Frame, Outlet
from samtale.questions import Questions
from samtale.reader import Reader, log_event
from samtale.reading import read
from samtale.series import Item
from samtale.store import MemoryStore, Store
from samtale.surroundings import Surroundings

_PASSING: dict[str, type[events.Event]] = {
    "receipts": events.Receipts,
    "typing": events.Typing,
    "presence": events.Presence,
    "place": events.Place,
    "accepted": events.Accepted,
    "context": events.Context,
    "looking": events.Looking,
}


class Client:
    """An `async` context: connected from entering to leaving, through every lost connection."""

    role = ""  # the author's role in what this client sends

    def __init__(self, url: str, store: Store | None, surroundings: Surroundings | None) -> None:
        self.who = ""
        self.outlet = Outlet(surroundings or Surroundings())
        self.asking = Asking(self.outlet, self._keep, self._moved, self._acked)
        self.reader = Reader(self.outlet, self.role, self._seen)
        self.questions = Questions(self.outlet)
        self.files = Files(url, self.outlet, self.questions)
        self._store = store or MemoryStore()
        self._keeping = False
        self._task: asyncio.Task[None] | None = None
        self._takers: dict[str, Callable[[Frame], None]] = {
            "ready": self._on_ready,
            "ack": self.asking.on_ack,
            "refused": self._on_refused,
            "event": self.reader.on_event,
            "hidden": self.reader.on_hidden,
            "caught_up": self._on_caught_up,
            "resync": self._on_resync,
            "history": self._on_history,
            "upload": self.files.allowed,
            "download": self.files.allowed,
        }
        kept = self._store.load() or {}
        self.device_key: str = kept.get("device_key") or self.outlet.world.entropy(24).hex()
        self._thaw(kept)

    # What the app does.

    async def __aenter__(self) -> Self:
        lifeline = Lifeline(self, self.outlet.world)
        self.outlet.wake, self.outlet.renew = lifeline.wake, lifeline.renew
        self.outlet.is_ready = lambda: lifeline.ready
        self.outlet.stream.reopen()
        self._task = asyncio.create_task(self._run(lifeline))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._keep_now()

    async def events(self) -> AsyncIterator[events.Event]:
        """Yield what happens, until the server says not to come back. Raises what a hook of the app raised."""
        while (event := await self.outlet.stream.next()) is not None:
            yield event
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.result()

    async def history(self, conversation: str, before: int, limit: int = 50) -> HistoryPage:
        """Return up to `limit` (1–100) events below seq `before`. Raises RefusedError; LineLost if not connected."""
        asked = {"t": "history", "conversation": conversation, "before": before, "limit": limit}
        page: HistoryPage = await self.questions.ask(asked)
        return page

    async def download(self, conversation: str, attachment: str) -> bytes:
        """Return a file that a message names, by its id. Raises RefusedError; LineLost if not connected."""
        return await self.files.download(conversation, attachment)

    def read(self, conversation: str, seq: int) -> None:
        """Say that a person has seen everything up to `seq`."""
        self.reader.horizons.read(conversation, seq)
        self.outlet.wake()

    # What the lifeline needs.

    async def hello(self) -> tuple[str, Frame]:
        raise NotImplementedError

    def due(self) -> Iterator[Frame]:
        yield from self.outlet.due()
        yield from self.asking.due_frames()
        yield from self.reader.horizons.due(self.outlet.world.clock())

    def due_in_s(self) -> float | None:
        dues_s = (self.asking.due_in_s(), self.reader.horizons.due_in_s(self.outlet.world.clock()))
        return min((due_s for due_s in dues_s if due_s is not None), default=None)

    async def room(self) -> None:
        await self.outlet.stream.room()

    def ended(self, lost: LineLost, again_in_s: float | None) -> None:
        """What has no outcome waits for the next line; what passes by has passed."""
        self.asking.outbox.lost()
        self.questions.lost(lost)
        self.outlet.lost()
        self.outlet.note(lambda t: journal.Closed(t, lost.code))
        self.outlet.tell(events.Disconnected(lost.code, lost.reason, again_in_s))

    def take(self, frame: Frame) -> None:
        """Take one frame from the server; one that we do not know is ignored (SPEC 2.2)."""
        kind = frame["t"]
        try:
            if kind in self._takers:
                self._takers[kind](frame)
            elif kind in _PASSING:
                self.outlet.tell(read(_PASSING[kind], frame))
        except (KeyError, TypeError, AttributeError) as error:
            raise LineLost(1007, f"a {kind} that is none: {error!r}") from error

    # What the server says.

    def _on_ready(self, frame: Frame) -> None:
        raise NotImplementedError

    def _opened(self, frame: Frame, who: str) -> None:
        self.who, self.outlet.device, epoch = who, frame["device"], frame["epoch"]
        self.outlet.note(lambda t: journal.Opened(t, who, self.outlet.device, epoch))
        limits = frame.get("limits", {})
        self.asking.pace.stated(limits.get("messages_per_minute", 0), limits.get("message_burst", 0))
        self.asking.see_epoch(epoch)

    def _on_refused(self, frame: Frame) -> None:
        if frame.get("id"):
            self.asking.on_refused(frame)
            return
        refused = read(events.Refused, frame)
        self.questions.refused(refused)
        if not refused.ref:
            self.reader.on_refused(refused)
        self.outlet.tell(refused)

    def _on_caught_up(self, frame: Frame) -> None:
        if frame.get("next_n"):
            self.asking.outbox.told(frame["conversation"], frame["next_n"])
        self.reader.on_caught_up(frame)

    def _on_history(self, frame: Frame) -> None:
        seen = [log_event(event) for event in frame["events"] if event["t"] == "event"]
        self.questions.answered(frame["ref"], HistoryPage(seen, frame["more"]))

    def _on_resync(self, frame: Frame) -> None:
        self.reader.on_resync(frame)
        self.asking.see_epoch(frame.get("epoch", 0))

    def _seen(self, event: LogEvent) -> None:
        """Take an entry of a log before the app does."""

    def _acked(self, item: Item) -> None:
        """Take it that what `item` asked was done."""

    def _moved(self, moved: Moved) -> None:
        self.reader.attach(moved.to)
        self.outlet.tell(events.Moved(moved.conversation, moved.to))

    async def _run(self, lifeline: Lifeline) -> None:
        try:
            await lifeline.run()
        finally:
            self.outlet.stream.end()

    # What outlives the client.

    def _keep(self) -> None:
        """Have the state kept before anything else goes on the line; once per turn of the loop."""
        if not self._keeping:
            self._keeping = True
            asyncio.get_running_loop().call_soon(self._keep_now)

    def _keep_now(self) -> None:
        self._keeping = False
        self._store.keep(self._freeze)

    def _freeze(self) -> dict[str, Any]:
        return {"device_key": self.device_key, "epoch": self.asking.epoch, "outbox": self.asking.outbox.freeze()}

    def _thaw(self, kept: dict[str, Any]) -> None:
        self.asking.epoch = kept.get("epoch", 0)
        self.asking.outbox.thaw(kept.get("outbox", []))
