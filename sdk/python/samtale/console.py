"""An agent's console: the connection, the feeds, and what is followed (SPEC 8).

Invariant: `feeds` is what the server last said it is; conversations in the agent's own feed are followed.
"""

from typing import Any
from urllib.parse import urljoin

from samtale import events
from samtale.client import Client
from samtale.desk import NextAgent
from samtale.http import to_http
from samtale.line import LineLost
from samtale.outlet import Frame
from samtale.reading import read
from samtale.store import Store
from samtale.surroundings import Surroundings

MAX_POSITIONS = 256
SERIES = "desk"  # an agent's frames are numbered over all conversations

Row = dict[str, Any]


class Console(Client):
    """Logs in anew for every connection: tickets are good for one."""

    role = "agent"

    def __init__(
        self,
        url: str,
        *,
        email: str,
        password: str,
        store: Store | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.feeds: dict[str, dict[str, Row]] = {}
        self._feed_positions: dict[str, tuple[int, str]] = {}
        self._url = urljoin(to_http(url), "/")
        self._email, self._password = email, password
        self._resumed: set[str] = set()
        super().__init__(self._url, store, surroundings)
        self._takers |= {
            "feed_snapshot": self._on_feed_snapshot,
            "feed": self._on_feed,
            "who_next": self._on_who_next,
        }

    @property
    def offers(self) -> dict[str, Row]:
        """What is offered to this agent now: offer id → row."""
        return self._own("offer:")

    @property
    def conversations(self) -> dict[str, Row]:
        """What this agent has now: conversation id → row."""
        return self._own("conversation:")

    def follow(self, conversation: str) -> None:
        """Receive a conversation's log; those in the agent's own feed are followed by themselves."""
        self.reader.attach(conversation)

    def leave(self, conversation: str) -> None:
        """Receive it no longer."""
        self.reader.leave(conversation)

    # What the lifeline needs.

    async def hello(self) -> tuple[str, Frame]:
        ticket = await self.outlet.world.login(self._url, self._email, self._password)
        positions = self.reader.hello(MAX_POSITIONS)
        self._resumed = {position["conversation"] for position in positions}
        feeds = [{"feed": feed, "seq": seq, "id": id_} for feed, (seq, id_) in self._feed_positions.items()]
        return ticket.socket, {
            "t": "hello",
            "v": 1,
            "ticket": ticket.ticket,
            "device_key": self.device_key,
            "positions": positions,
            "feeds": feeds,
        }

    # What the server says.

    def _on_ready(self, frame: Frame) -> None:
        self._opened(frame, frame["agent"]["id"])
        self.asking.outbox.told(SERIES, frame["next_n"])
        for gone in set(self.feeds) - set(frame["feeds"]):
            del self.feeds[gone], self._feed_positions[gone]
        self.reader.opened(self._resumed)
        self.outlet.tell(read(events.Connected, {**frame, "who": self.who}))

    def _on_refused(self, frame: Frame) -> None:
        if frame["code"] == "ticket_invalid":
            raise LineLost(1006, "the ticket is gone; logs in again")  # its server may have lost it, or restarted
        super()._on_refused(frame)

    def _on_who_next(self, frame: Frame) -> None:
        self.questions.answered(frame["ref"], read(NextAgent, frame))

    def _on_feed_snapshot(self, frame: Frame) -> None:
        feed, rows = frame["feed"], {row["key"]: row for row in frame["rows"]}
        self.feeds[feed], self._feed_positions[feed] = rows, (frame["seq"], frame["id"])
        for row in rows.values():
            self._follow_own(feed, row)
        self.outlet.tell(events.FeedReset(feed, dict(rows)))

    def _on_feed(self, frame: Frame) -> None:
        feed, seq, key, row = frame["feed"], frame["seq"], frame["key"], frame.get("row")
        known, _ = self._feed_positions.get(feed, (0, ""))
        if seq <= known:
            return
        if seq > known + 1:
            self._feed_positions.pop(feed, None)
            raise KeyError(f"a gap in {feed}")  # the line is given up; the next one brings a snapshot
        self._feed_positions[feed] = (seq, frame["id"])
        rows = self.feeds.setdefault(feed, {})
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = {**row, "key": key}
            self._follow_own(feed, rows[key])
        self.outlet.tell(events.FeedChanged(feed, frame["what"], key, row))

    def _follow_own(self, feed: str, row: Row) -> None:
        if feed.startswith("agent:") and row["key"].startswith("conversation:"):
            self.reader.attach(row["conversation"])

    def _own(self, prefix: str) -> dict[str, Row]:
        own = (rows for feed, rows in self.feeds.items() if feed.startswith("agent:"))
        return {key.removeprefix(prefix): row for rows in own for key, row in rows.items() if key.startswith(prefix)}
