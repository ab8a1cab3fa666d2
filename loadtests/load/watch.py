"""One SDK client looked at from outside: what it says in its journal, and what its lines carry.

Invariant: the client does not know; every fact reaches the notebook, and every latency is counted from when a person
asked, not from when a frame went out.
"""

import time
from functools import partial

import samtale
import samtale.journal as told
from samtale.line import Connect, decode

from loadtests.chaos.journal import Notebook
from loadtests.chaos.wire import Wire
from loadtests.checker.history import Resynced
from loadtests.load.recorder import ACK, ASSIGNED, CAUGHT_UP, READY, Recorder


class Watch:
    """What is known of one client so far."""

    def __init__(self, name: str, account: str, notebook: Notebook, recorder: Recorder) -> None:
        self._name, self._recorder, self._notebook = name, recorder, notebook
        self._account = account
        self._keep = notebook.for_client(name, account)
        self._asked_s: dict[str, float] = {}
        self._first: set[str] = set()  # words without outcome that were on a line
        self._waits_s: dict[str, float] = {}  # since when a conversation wants an agent
        self._has_agent: set[str] = set()
        self._dialled_s: float | None = None
        self._resumed_s: dict[str, float] = {}
        self._left: set[str] = set()

    def connect(self, inner: Connect) -> Connect:
        """Return what opens lines as `inner` does, each of them looked at."""

        async def connect(url: str) -> samtale.Line:
            self._dialled_s = time.monotonic()
            self._resumed_s.clear()
            line = await inner(url)
            return _Line(line, self, Wire(partial(self._notebook.broke, self._name)))

        return connect

    def note(self, fact: told.Fact) -> None:
        """Take the next line of the client's journal."""
        self._keep(fact)
        match fact:
            case told.Asked(t, id_):
                self._asked_s[id_] = t
            case told.Sent(t=t, conversation=conversation, id=id_, kind="send", digest=digest):
                if id_ in self._asked_s and id_ not in self._first:
                    self._first.add(id_)  # again on another line it is no news
                    self._recorder.said(self._name, digest, self._asked_s[id_])
                if conversation not in self._has_agent:
                    self._waits_s.setdefault(conversation, self._asked_s.get(id_, t))
            case told.Acked(t=t, id=id_):
                self._first.discard(id_)
                if (asked_s := self._asked_s.pop(id_, None)) is not None:
                    self._recorder.add(ACK, asked_s, t)
            case told.Resumed(t, conversation, seq=0) if conversation in self._left:
                # It has read the log before and put it away: from here on it reads it anew.
                self._left.discard(conversation)
                self._notebook.facts.append(Resynced(t, self._name, self._account, conversation, 1))
            case told.Refused(code=code):
                self._recorder.refused(code)
            case told.Opened(t=t) if self._dialled_s is not None:
                self._recorder.add(READY, self._dialled_s, t)
                self._dialled_s = None
            case told.Seen(t=t, kind="message", digest=digest):
                self._recorder.heard(self._name, digest, t)
            case told.Seen(t=t, conversation=conversation, kind=kind):
                self._saw(t, conversation, kind)
            case _:
                pass

    def resumes(self, conversation: str) -> None:
        """Take that the client asked to go on where it was."""
        self._resumed_s.setdefault(conversation, self._dialled_s or time.monotonic())

    def leaves(self, conversation: str) -> None:
        """Take that the client puts a conversation away."""
        self._left.add(conversation)

    def caught_up(self, conversation: str) -> None:
        """Take that it was told everything it had missed."""
        if (resumed_s := self._resumed_s.pop(conversation, None)) is not None:
            self._recorder.add(CAUGHT_UP, resumed_s, time.monotonic())

    def _saw(self, t: float, conversation: str, kind: str) -> None:
        if kind == "assigned":
            self._has_agent.add(conversation)
            if (waits_s := self._waits_s.pop(conversation, None)) is not None:
                self._recorder.add(ASSIGNED, waits_s, t)
        elif kind in ("unassigned", "closed"):
            self._has_agent.discard(conversation)


class _Line:
    """A line that is looked at as frames pass."""

    def __init__(self, line: samtale.Line, watch: Watch, wire: Wire) -> None:
        self._line, self._watch, self._wire = line, watch, wire

    async def send(self, raw: bytes | str) -> None:
        frame = decode(raw)
        self._wire.sent(frame)
        match frame:
            case {"t": "hello", "positions": [*positions]}:
                for position in positions:
                    self._watch.resumes(position["conversation"])
            case {"t": "resume", "position": {"conversation": conversation}}:
                self._watch.resumes(conversation)
            case {"t": "leave", "conversation": conversation}:
                self._watch.leaves(conversation)
            case _:
                pass
        await self._line.send(raw)

    async def receive(self) -> bytes | str:
        raw = await self._line.receive()
        frame = decode(raw)
        self._wire.received(frame)
        if frame["t"] == "caught_up":
            self._watch.caught_up(frame["conversation"])
        return raw

    async def close(self, code: int = 1000) -> None:
        await self._line.close(code)
