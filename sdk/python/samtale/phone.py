"""A visitor's phone: who it is, what it is served, and what it may remember (SPEC 3, 4).

Invariant: without a token hook the visitor is anonymous and the two newest secrets are kept; with one, a failed token
is never replaced by anonymity, and what was begun before is shown with it, to become the user's. A conversation that
goes on is not left because another chatflow is served.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import urljoin

from samtale import events
from samtale.body import Closed, Reopened, Started
from samtale.client import Client
from samtale.device import SDK, Device
from samtale.http import to_http, to_socket
from samtale.line import LineLost
from samtale.outbox import Moved
from samtale.outlet import Frame
from samtale.permission import Keep, Permission
from samtale.reading import read
from samtale.series import Item
from samtale.served import EMAIL, PROCESS, STORAGE, Availability, Chatflow, Steps
from samtale.store import Store
from samtale.storefront import Storefront, step_of
from samtale.surroundings import Surroundings
from samtale.told import Told
from samtale.unread import UnreadCounts
from samtale.wishes import Wishes

MAX_POSITIONS = 32

TokenHook = Callable[[], Awaitable[str]]


class Phone(Client):
    """`token`: returns a fresh JWT of the visitor, called for each connection and before it expires.

    `preview`: a preview token; the chatflow that it stands for is shown, whatever `app_key` and `tag` are (SPEC 3.1).
    """

    role = "visitor"

    def __init__(  # noqa: PLR0913 - all by name, most with a default
        self,
        url: str,
        *,
        app_key: str,
        tag: str,
        token: TokenHook | None = None,
        preview: str = "",
        device: Device | None = None,
        store: Store | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.conversation = ""  # the one that the user talks in; "" before the first `ready`
        self.going_on: set[str] = set()  # the conversations that were begun and are not closed
        self.told = Told()
        self.permission = Permission(token is not None)
        self._url = to_socket(urljoin(to_http(url), "/v1/mobile"))
        named = {"app_key": app_key, "tag": tag, **({"preview": preview} if preview else {})}
        self._app = named | {"device": asdict(device or Device()) | {"sdk": SDK}}
        self._token, self._until_logout = token, False
        self._renewing: asyncio.Task[None] | None = None
        self._secrets: list[str] = []
        self._began: dict[str, Any] = {}  # who the user was on this phone before: shown with tokens until the logout
        self._resumed: set[str] = set()
        self._leaving = False
        self._storefront = Storefront()
        self._ready_at = 0
        super().__init__(url, store, surroundings)
        self._takers |= {
            "token_expiring": self._on_token_expiring,
            "logged_out": lambda _: self._forget(),
            "chatflow": self._on_serving,
            "done": self._on_done,
        }

    @property
    def chatflow(self) -> Chatflow | None:
        """What to show; None if nobody serves the tag."""
        return self._storefront.chatflow

    @property
    def steps(self) -> Steps:
        """What must be answered before anything may be said."""
        return self._storefront.steps

    @property
    def availability(self) -> Availability | None:
        """Whether somebody is there, and what to say if not."""
        return self._storefront.availability

    # What the lifeline needs.

    async def hello(self) -> tuple[str, Frame]:
        positions = self.reader.hello(MAX_POSITIONS)
        self._resumed = {position["conversation"] for position in positions}
        credential: dict[str, Any] = {"kind": "anonymous", "device_key": self.device_key}
        if self._token is not None:
            if self._secrets:
                self._began = {"visitor": self.who, "secrets": self._secrets}
            credential |= {"kind": "identified", "token": await self._token(), **self._began}
        elif self.who:
            credential |= {"visitor": self.who, "secrets": self._secrets}
        etag = self._storefront.etag
        more = {"credential": credential, "positions": positions, **({"view": etag} if etag else {})}
        return self._url, {"t": "hello", "v": 1, **self._app, **more}

    def ended(self, lost: LineLost, again_in_s: float | None) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
        super().ended(lost, again_in_s)

    # What the server says.

    def _on_ready(self, frame: Frame) -> None:
        if self._began and self._secrets and not frame.get("secret"):
            self._secrets = []  # they are this user, and what was begun is theirs (SPEC 3.9)
        elif self.who not in ("", frame["visitor"]):
            self._forget()  # another person's words are not to be said in this one's name
        if frame.get("secret"):
            self._secrets = [frame["secret"], *self._secrets][:2]
        self._ready_at = frame["at"]
        self._opened(frame, frame["visitor"])
        self._serve(frame)
        self._settle(frame)
        self.outlet.tell(read(events.Connected, {**frame, "who": self.who, "chatflow": self._storefront.shown}))
        if self._leaving:
            self.outlet.put({"t": "logout"})
        self.wishes.say_again()
        for said in self.told.again():
            self.outlet.put(said)
        self._gate_moved()

    def _serve(self, frame: Frame) -> None:
        self._storefront.take(frame)
        flow = self.chatflow
        self.permission.serve(flow.storage if flow else None, self.steps.outstanding)
        self._keep()

    def _settle(self, frame: Frame) -> None:
        """Follow the visitor's conversations, and let what was said before we knew where go to the present one."""
        for view in frame["conversations"]:
            self.asking.outbox.told(view["id"], view["next_n"])
            self.reader.expect(view["id"])
        open_now = {view["id"] for view in frame["conversations"] if view["status"] not in ("new", "closed")}
        if self.conversation not in self.going_on & open_now:
            self._front(frame.get("conversation"))
        self._refuse_homeless()
        self.reader.opened(self._resumed | {frame.get("conversation") or ""})

    def _front(self, conversation: str | None) -> None:
        self.conversation = conversation or ""
        if self.conversation:
            self.reader.expect(self.conversation)
            self.asking.outbox.move("", self.conversation)

    def _on_serving(self, frame: Frame) -> None:
        self._serve(frame)
        if self.conversation not in self.going_on and frame.get("conversation"):
            self._front(frame["conversation"])
        self.outlet.tell(read(events.Serving, {**frame, "chatflow": self._storefront.shown}))
        self._gate_moved()

    def _on_done(self, frame: Frame) -> None:
        wished = self.wishes.done(frame["ref"])
        if wished is not None and wished.get("purpose") == "storage":
            self.permission.answered("declined")
            self._keep()

    def _on_refused(self, frame: Frame) -> None:
        if frame["code"] == "visitor_unknown" and self._began and not self._secrets:
            self._began = {}  # it was taken over, and the server has lost it since
            raise LineLost(1006, "comes with the token alone")
        if frame["code"] == "visitor_unknown":
            self._forget()
            raise LineLost(1006, "begins anew as another visitor")
        if frame.get("ref"):
            self.wishes.refused(read(events.Refused, frame))
        super()._on_refused(frame)

    def _on_caught_up(self, frame: Frame) -> None:
        super()._on_caught_up(frame)
        self.unread_counts.settle(frame["conversation"])

    def _on_resync(self, frame: Frame) -> None:
        self.unread_counts.void(frame["conversation"], frame.get("from", 1))
        super()._on_resync(frame)

    def _seen(self, event: events.LogEvent) -> None:
        match event.body:
            case Started() | Reopened():
                self.going_on.add(event.conversation)
            case Closed():
                self.going_on.discard(event.conversation)
        self.unread_counts.saw(event)
        if event.at_ms >= self._ready_at:  # live; what the log tells of earlier times is told by `ready`
            self.unread_counts.settle(event.conversation)
            self._step_done(step_of(event.body))

    def _acked(self, item: Item) -> None:
        """A step that was answered is outstanding no longer (SPEC 4.2)."""
        step, value = item.fields.get("step", ""), item.fields.get("value", "")
        if step == STORAGE:
            self.permission.answered(value)
            self._keep()
        if step in (STORAGE, EMAIL) or (step == PROCESS and value == "granted"):
            self._step_done(step)

    def _step_done(self, step: str) -> None:
        if self._storefront.answered(step):
            shown = (self.chatflow, self.conversation or None, self.steps, self.availability)
            self.outlet.tell(events.Serving(*shown))
            self._gate_moved()

    def _gate_moved(self) -> None:
        if not self.steps.outstanding:
            self.told.taken()

    def _on_token_expiring(self, frame: Frame) -> None:
        if self._token is not None:
            self._renewing = asyncio.create_task(self._renew(self._token))
        self.outlet.tell(events.TokenExpiring(frame["in_ms"]))

    async def _renew(self, token: TokenHook) -> None:
        self.outlet.put({"t": "refresh", "token": await token()})

    def _moved(self, moved: Moved) -> None:
        if moved.conversation == self.conversation:
            self.conversation = moved.to
        super()._moved(moved)

    def _refuse_homeless(self) -> None:
        """What was said where the server serves no chatflow will never be sent."""
        if not self.conversation:
            self.asking.refuse("no_chatflow", "Nothing new can be started under this tag.")

    # What outlives the client.

    def _identify(self, token: TokenHook | None) -> None:
        self._token, self._until_logout = token, token is not None
        self.permission.is_identified = token is not None

    def _forget(self) -> None:
        if self._until_logout and self._leaving:
            self._identify(None)
        self.who, self.conversation, self._secrets, self._leaving = "", "", [], False
        self.device_key, self._began = self.outlet.world.entropy(24).hex(), {}
        self.going_on.clear()
        self.told = Told()
        self.reader.forget()
        self.unread_counts.forget()
        self.asking.forget()
        self.wishes.forget()
        self.permission.thaw("", found=False)
        self._keep()
        self.outlet.tell(events.Forgotten())

    def _keep_now(self) -> None:
        match self.permission.allows:
            case Keep.ALL:
                super()._keep_now()
            case Keep.NOTHING:
                self._keeping = False
                self._store.keep(dict)
            case Keep.AS_IT_IS:
                self._keeping = False

    def _freeze(self) -> dict[str, Any]:
        return {
            **super()._freeze(),
            "visitor": self.who,
            "secrets": self._secrets,
            "began": self._began,
            "leaving": self._leaving,
            "view": self._storefront.view,
            "storage": self.permission.answer,
            "wishes": self.wishes.freeze(),
            "read": self.unread_counts.freeze(),
        }

    def _thaw(self, kept: dict[str, Any]) -> None:
        super()._thaw(kept)
        self.wishes = Wishes(self.outlet, self.asking.outcomes, self._keep)
        self.wishes.thaw(kept.get("wishes", {}))
        self.who, self._secrets = kept.get("visitor", ""), kept.get("secrets", [])
        self._began = kept.get("began", {})
        self._leaving, self._storefront.view = kept.get("leaving", False), kept.get("view", {})
        self.permission.thaw(kept.get("storage", ""), found=bool(self.who))
        self.unread_counts = UnreadCounts(self.role, self.outlet.tell)
        self.unread_counts.thaw(kept.get("read", {}))
