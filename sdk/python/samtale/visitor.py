"""A visitor's phone (SPEC 3–6).

Invariant: without a token hook the visitor is anonymous and the two newest secrets are kept; with one, a failed token
is never replaced by anonymity.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urljoin

from samtale import events
from samtale.asked import Asked
from samtale.client import Client
from samtale.line import LineLost
from samtale.login import to_http, to_socket
from samtale.outbox import Moved
from samtale.outlet import Frame
from samtale.reading import read
from samtale.served import Availability, Chatflow, Steps
from samtale.store import Store
from samtale.surroundings import Surroundings

MAX_POSITIONS = 32

TokenHook = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Device:
    """What the phone is. `locale`: BCP 47."""

    platform: Literal["ios", "android", "web", "react_native", "python", "other"] = "python"
    app_version: str = "1"
    locale: str = "en"


class VisitorClient(Client):
    """`token`: returns a fresh JWT of the visitor, called for each connection and before it expires."""

    role = "visitor"

    def __init__(  # noqa: PLR0913 - all by name, most with a default
        self,
        url: str,
        *,
        app_key: str,
        tag: str,
        token: TokenHook | None = None,
        device: Device | None = None,
        store: Store | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.chatflow: Chatflow | None = None
        self.steps = Steps()
        self.availability: Availability | None = None
        self.conversation = ""  # the one that the user talks in; "" before the first `ready`
        self._url = to_socket(urljoin(to_http(url), "/v1/mobile"))
        self._app = {"app_key": app_key, "tag": tag, "device": asdict(device or Device())}
        self._token = token
        self._renewing: asyncio.Task[None] | None = None
        self._secrets: list[str] = []
        self._resumed: set[str] = set()
        self._leaving = False
        self._view: Frame = {}
        super().__init__(store, surroundings)
        self._takers |= {
            "token_expiring": self._on_token_expiring,
            "chatflow": self._on_serving,
            "logged_out": lambda _: self._forget(),
        }

    # What the app does.

    def send(self, text: str) -> Asked:
        """Say `text` in the present conversation; await the result for its outcome, or go on."""
        return self._ask({"t": "send", "text": text})

    def answer_consent(self, granted: bool) -> Asked:
        """Answer the consent to process; what is said after it waits for the outcome."""
        return self._ask({"t": "answer", "step": "consent_to_process", "value": "granted" if granted else "declined"})

    def close(self) -> Asked:
        """End the present conversation."""
        return self._ask({"t": "close"})

    def typing(self, on: bool = True) -> None:
        """Say that the user types, or stopped; dropped without a connection."""
        if self.conversation:
            self.outlet.put({"t": "typing", "conversation": self.conversation, "on": on})

    def log_out(self) -> None:
        """Revoke this device on the server, as soon as there is a connection; `Forgotten` follows."""
        self._leaving = True
        self._keep()
        self.outlet.put({"t": "logout"})

    # What the lifeline needs.

    async def hello(self) -> tuple[str, Frame]:
        positions = self.reader.hello(MAX_POSITIONS)
        self._resumed = {position["conversation"] for position in positions}
        credential: dict[str, Any] = {"kind": "anonymous", "device_key": self.device_key}
        if self._token is not None:
            credential |= {"kind": "identified", "token": await self._token()}
        elif self.who:
            credential |= {"visitor": self.who, "secrets": self._secrets}
        shown = {"view": self._view["etag"]} if self._view.get("etag") else {}
        more = {"credential": credential, "positions": positions, **shown}
        return self._url, {"t": "hello", "v": 1, **self._app, **more}

    def ended(self, lost: LineLost, again_in_s: float | None) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
        super().ended(lost, again_in_s)

    # What the server says.

    def _on_ready(self, frame: Frame) -> None:
        if self.who not in ("", frame["visitor"]):
            self._forget()  # another person's words are not to be said in this one's name
        if frame.get("secret"):
            self._secrets = [frame["secret"], *self._secrets][:2]
        self._opened(frame, frame["visitor"])
        self._serve(frame)
        self._settle(frame)
        self.outlet.tell(read(events.Connected, {**frame, "chatflow": self._view or None, "who": self.who}))
        if self._leaving:
            self.outlet.put({"t": "logout"})

    def _serve(self, frame: Frame) -> None:
        """Take what is shown; of a view that we said we hold, only what may differ was sent (SPEC 4.1)."""
        view = frame["chatflow"]
        if view is not None and view.get("etag") and view["etag"] == self._view.get("etag"):
            view = {**self._view, **view}
        self._view = view or {}
        self.chatflow = read(Chatflow, view) if view is not None else None
        self.steps = read(Steps, frame.get("steps", {}))
        there = frame.get("availability")
        self.availability = read(Availability, there) if there is not None else None

    def _on_serving(self, frame: Frame) -> None:
        self._serve(frame)
        self.outlet.tell(read(events.Serving, {**frame, "chatflow": self._view or None}))

    def _settle(self, frame: Frame) -> None:
        """Follow the visitor's conversations, and let what was said before we knew where go to the present one."""
        for view in frame["conversations"]:
            self.asking.outbox.told(view["id"], view["next_n"])
            self.reader.expect(view["id"])
        self.conversation = frame.get("conversation") or ""
        if self.conversation:
            self.reader.expect(self.conversation)
            self.asking.outbox.move("", self.conversation)
        self._refuse_homeless()
        self.reader.opened(self._resumed | {self.conversation})

    def _on_refused(self, frame: Frame) -> None:
        if frame["code"] == "visitor_unknown":
            self._forget()
            raise LineLost(1006, "begins anew as another visitor")
        super()._on_refused(frame)

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

    # What outlives the client.

    def _ask(self, fields: Frame) -> Asked:
        asked = self.asking.ask(self.conversation, {**fields, "conversation": self.conversation})
        if not self.conversation and self.outlet.is_ready():
            asyncio.get_running_loop().call_soon(self._refuse_homeless)
        return asked

    def _refuse_homeless(self) -> None:
        """What was said where the server serves no chatflow will never be sent."""
        if not self.conversation:
            self.asking.refuse("no_chatflow", "Nothing new can be started under this tag.")

    def _forget(self) -> None:
        self.who, self.conversation, self._secrets, self._leaving = "", "", [], False
        self.device_key = self.outlet.world.entropy(24).hex()
        self.reader.forget()
        self.asking.forget()
        self._keep()
        self.outlet.tell(events.Forgotten())

    def _freeze(self) -> dict[str, Any]:
        return {**super()._freeze(), "visitor": self.who, "secrets": self._secrets, "leaving": self._leaving}

    def _thaw(self, kept: dict[str, Any]) -> None:
        super()._thaw(kept)
        self.who, self._secrets = kept.get("visitor", ""), kept.get("secrets", [])
        self._leaving = kept.get("leaving", False)
