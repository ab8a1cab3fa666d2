"""`samtale visitor`: a phone in a terminal.

Invariant: everything shown came over the real socket; closing the terminal and coming back continues the conversation.
"""

import asyncio
import fcntl
import re
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import samtale

from app.data_directory import open_directory
from app.settings import Settings
from app.terminal.console import Console
from app.terminal.sitting import NotIn, Sitting, checked_server
from app.terminal.words import Reader, of_body

HELP = "Write, and Enter sends. /close ends the conversation, /agree and /decline answer the consent, /quit leaves."
TYPING_LASTS_S = 6.0  # SPEC 9.2
_PROFILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")


def chat(settings: Settings, **options: Any) -> None:
    """Chat until the user leaves. Raises NotIn."""
    checked_server(options["server"])
    with _phone(settings.data / "phones", options["profile"]) as held, suppress(KeyboardInterrupt):
        store = samtale.FileStore(Path(held.name).with_suffix(".state"))
        asyncio.run(_talk(store, options))


def _phone(phones: Path, name: str) -> IO[str]:
    """Take the phone of that name for this terminal alone: two would use up each other's numbers."""
    if not _PROFILE.fullmatch(name):
        raise NotIn(f"--as {name}: letters, digits, _ . - are allowed")
    try:
        open_directory(phones.parent)
        phones.mkdir(exist_ok=True, mode=0o700)
        held = (phones / f"{name}.lock").open("a")
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotIn(f"another terminal is this phone; say --as NAME to be another visitor than {name}") from None
    except OSError as error:
        raise NotIn(f"the phone's memory {phones} cannot be used: {error.strerror}") from None
    return held


async def _talk(store: samtale.FileStore, options: dict[str, Any]) -> None:
    try:
        phone = _Phone(store, options)
    except (ValueError, TypeError, AttributeError):
        raise NotIn("the phone's memory is not readable: --as NAME begins as another visitor") from None
    await phone.run()


class _Phone:
    def __init__(self, store: samtale.Store, options: dict[str, Any]) -> None:
        token = options["token"]

        async def same_token() -> str:
            return str(token)

        subprotocol = samtale.JSON if options["as_json"] else samtale.MSGPACK
        self._client = samtale.VisitorClient(
            options["server"],
            app_key=options["app_key"],
            tag=options["tag"],
            token=same_token if token else None,
            device=samtale.Device("python", "1", options["locale"]),
            store=store,
            surroundings=samtale.Surroundings(connect=samtale.network(subprotocol), subprotocol=subprotocol),
        )
        self._console = Console(lambda: "› ", self._typing)
        self._sitting = Sitting(self._client, options["server"], self._console)
        self._is_gated = True  # typing is nobody's business before consent
        self._shown = ""  # the chatflow whose heading is on the screen
        self._is_welcomed = False
        self._said_seq = 0  # of the last message from here, until it was read

    async def run(self) -> None:
        await self._sitting.run(self._typed, self._show, HELP)

    def _typed(self, line: str) -> bool:
        match line:
            case "/quit":
                return False
            case "/close":
                self._sitting.asks(self._client.close())
            case "/agree" | "/decline":
                self._sitting.asks(self._client.answer_consent(line == "/agree"))
            case command if command.startswith("/"):
                self._console.say(HELP, dim=True)
            case text:
                self._sitting.asks(self._client.send(text), text)
        return True

    def _typing(self, on: bool) -> None:
        if not self._is_gated:
            self._client.typing(on)

    def _show(self, event: samtale.Event) -> None:
        say, passing = self._console.say, self._console.show_passing
        match event:
            case samtale.Connected(chatflow=flow, reason=reason):
                self._greet(flow, reason)
                self._sitting.open()
            case samtale.LogEvent():
                self._show_entry(event)
            case samtale.Typing(on=True, name=name):
                passing(f"       {name or 'somebody'} is typing …", TYPING_LASTS_S)
            case samtale.Typing(on=False):
                passing("")
            case samtale.Place(place=place, exact=exact):
                say(f"       your place in the queue: {'' if exact else 'about '}{place}", "yellow")
            case samtale.Receipts(who="staff", read=read) if 0 < self._said_seq <= read:
                self._said_seq = 0
                say("       ✓ read", dim=True)
            case samtale.Accepted():
                passing("       kept; the answer takes a while …", TYPING_LASTS_S)
            case samtale.Resynced():
                say("       the server was rebuilt; reading the conversation again", "yellow")
            case samtale.Forgotten():
                say("       the server does not know this phone any more: a new visitor begins", "yellow")
            case _:
                pass

    def _show_entry(self, event: samtale.LogEvent) -> None:
        match event.body:
            case samtale.ConsentAnswered(answer=answer):
                self._is_gated = answer == "declined"
            case samtale.Message(by) if by.role == "visitor":
                self._said_seq = event.seq
            case samtale.Message():
                self._console.show_passing("")
        is_shown = isinstance(event.body, samtale.Started) and self._is_welcomed
        if not is_shown and (words := of_body(event, Reader("visitor"))) is not None:
            text, colour, dim = words
            self._console.say(text, colour, dim=dim)
        self._client.read(event.conversation, event.seq)

    def _greet(self, flow: samtale.Chatflow | None, reason: str) -> None:
        if flow is None:
            self._console.say(f"       nobody serves this tag ({reason})", "red")
            return
        consent = flow.consent
        asked = "consent_to_process" in self._client.steps.outstanding
        self._is_gated = bool(self._client.steps.outstanding)
        if self._shown == flow.id:
            return
        self._shown = flow.id
        self._console.say(f"── {flow.heading.title} " + "─" * max(0, 60 - len(flow.heading.title)), "green")
        if flow.welcome and self._has_nothing():
            self._is_welcomed = True
            self._console.say(f"       {flow.welcome}", "green")
        if consent is not None and (asked or consent.mode == "legitimate_interest"):
            self._console.say(f"       {consent.text}")
            if asked:
                self._console.say("       /agree or /decline", "yellow")

    def _has_nothing(self) -> bool:
        position = self._client.reader.positions.get(self._client.conversation)
        return position is None or position.seq == 0
