"""The two ends of a conversation as raw lines: a phone that sends, and an agent's desk that reads along.

Invariant: both speak SPEC and nothing else; each remembers enough to come back, and to judge afterwards what it heard.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from time import perf_counter

from loadtests.lean import frames
from loadtests.lean.party import Party
from loadtests.lean.series import Series
from loadtests.lean.thread import KEY, Thread, nothing
from protocol.wire import client
from protocol.wire.limits import MAX_UNRESOLVED

_ACK = b"\x86\xa1t\xa3ack\xa1n"
_EVENT = b"\x86\xa1t\xa5event"
_N_AT = len(_ACK)


class Phone(Party):
    """A visitor with one conversation."""

    path = "/v1/mobile"

    def __init__(
        self, app_key: str, tag: str, device_key: str, *, chars: int = frames.TEXT_CHARS, window: int = MAX_UNRESOLVED
    ) -> None:
        super().__init__()
        self._app_key, self._tag, self._device_key, self._chars = app_key, tag, device_key, chars
        self._visitor: str | None = None
        self._secrets: list[str] = []
        self._view = ""
        self._told = 0  # how far receipts went
        self.thread: Thread = Thread("", chars)
        self.series = Series(self._frame, self.put, window)
        self._form: frames.Form | None = None

    @property
    def conversation(self) -> str:
        return self.thread.conversation

    async def begin(self, url: str) -> None:
        """Come in, and catch up with what there is. Raises LineEnded, OSError or TimeoutError."""
        positions = [self.thread.position()] if self._form is not None else []
        credential = client.Anonymous(self._device_key, self._visitor, self._secrets)
        await self.enter(url, frames.hello(self._app_key, self._tag, credential, positions, self._view))
        await self.caught_up()

    def send(self, due_s: float) -> None:
        """Send the next message, which was due at `due_s`."""
        self.series.ask(due_s)

    def leave(self) -> None:
        self.series.lost()
        super().leave()

    def acknowledge(self) -> None:
        """Say how far this end has read, as clients do, at most once a second."""
        if self.thread.seq > self._told and self.is_ready:
            self._told = self.thread.seq
            self.say(frames.receipt(self.conversation, self._told))

    def heard(self, frame: frames.Heard, message: bytes) -> None:
        match frame.t:
            case "event" | "hidden":
                self.thread.heard(frame, message)
            case "ack":
                self.series.acked(frame.n)
            case "refused":
                self.refusals[frame.code] += 1
                if frame.n:
                    self.series.refused(frame)
            case "ready":
                self._ready(frame)
            case "caught_up":
                self._live()

    def _hear(self, message: bytes) -> None:
        if message.startswith(_ACK):
            n = message[_N_AT]
            if n > 0x7F:  # 8, 16 or 32 bit follow
                n = int.from_bytes(message[_N_AT + 1 : _N_AT + 1 + (1 << (n - 0xCC))], "big")
            self.series.acked(n)
        elif message.startswith(_EVENT):
            self.thread.take(message)
        else:
            self.heard(frames.DECODER.decode(message), message)

    def _ready(self, frame: frames.Heard) -> None:
        self.ready_s, self.is_ready = perf_counter(), True
        self.limits = frame.limits
        self._visitor = frame.visitor
        if frame.secret is not None:
            self._secrets = [frame.secret, *self._secrets[:1]]
        if frame.chatflow is not None:
            self._view = frame.chatflow.etag
        if self._form is None and frame.conversation is not None:
            self.thread.name(frame.conversation)
            self._form = frames.Form(frame.conversation, self._chars)
        self.series.resumed()

    def _frame(self, n: int) -> bytes:
        assert self._form is not None, "not ready"
        return self._form.framed(n)


class Desk(Party):
    """An agent who takes what comes. `threads`: the conversations that were assigned here, by how events name them."""

    path = "/v1/agent"

    def __init__(
        self,
        ticket: Callable[[], Awaitable[str]],
        device_key: str,
        on_assigned: Callable[[Thread], None],
        chars: int = frames.TEXT_CHARS,
    ) -> None:
        super().__init__()
        self._ticket, self._device_key, self._on_assigned, self._chars = ticket, device_key, on_assigned, chars
        self.threads: dict[bytes, Thread] = {}
        self._words: list[bytes] = []
        self._said: Counter[bytes] = Counter()
        self._told: dict[bytes, int] = {}
        self._feeds: dict[str, client.FeedPosition] = {}
        self._behind: set[str] = set()  # conversations that are not live yet
        self.series = Series(lambda n: self._words[n - 1], self.put)

    async def begin(self, url: str) -> None:
        """Arrive; whoever came back has caught up with every conversation."""
        self._behind = {thread.conversation for thread in self.threads.values()}
        positions = [thread.position() for thread in self.threads.values()]
        await self.enter(
            url, frames.agent_hello(await self._ticket(), self._device_key, positions, [*self._feeds.values()])
        )
        await self.caught_up()

    def speak(self, thread: Thread, due_s: float) -> None:
        """Say the next word to the visitor of `thread`."""
        self._said[thread.key] += 1
        self._words.append(frames.agents_word(thread.conversation, len(self._words) + 1, self._said[thread.key]))
        self.series.ask(due_s)

    def said_in(self, thread: Thread) -> int:
        """Return how many words were said to the visitor of `thread`."""
        return self._said[thread.key]

    def leave(self) -> None:
        self.series.lost()
        super().leave()

    def acknowledge(self) -> None:
        """Say how far everything was read, as clients do, at most once a second."""
        for key, thread in self.threads.items() if self.is_ready else ():
            if thread.seq > self._told.get(key, 0):
                self._told[key] = thread.seq
                self.say(frames.receipt(thread.conversation, thread.seq))

    def heard(self, frame: frames.Heard, message: bytes) -> None:
        match frame.t:
            case "event" | "hidden":
                self.threads[frames.encode(frame.conversation)].heard(frame, message)
            case "ack":
                self.series.acked(frame.n)
            case "refused":
                self.refusals[frame.code] += 1
                if frame.n:
                    self.series.refused(frame)
            case "feed" | "feed_snapshot":
                self._feeds[frame.feed] = client.FeedPosition(frame.feed, frame.seq, frame.id)
                if frame.what == "assigned" and frame.row is not None:
                    self._assigned(frame.row.conversation)
            case "ready":
                self.ready_s, self.is_ready = perf_counter(), True
                self.limits = frame.limits
                self.series.resumed()
                if not self._behind:
                    self._live()
            case "caught_up":
                self._behind.discard(frame.conversation or "")
                if not self._behind:
                    self._live()

    def _hear(self, message: bytes) -> None:
        thread = self.threads.get(message[KEY])
        if thread is not None and message.startswith(_EVENT):
            thread.take(message)
        else:
            self.heard(frames.DECODER.decode(message), message)

    def _assigned(self, conversation: str) -> None:
        thread = Thread(conversation, self._chars, nothing)
        if thread.key not in self.threads:
            thread.taken_s = perf_counter()
            self.threads[thread.key] = thread
            self._on_assigned(thread)
            self.say(frames.resume(conversation))
