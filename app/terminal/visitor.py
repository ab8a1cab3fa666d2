"""`samtale visitor`: a phone in a terminal.

Invariant: everything shown came over the real socket; closing the terminal and coming back continues the conversation.
"""

import asyncio
from contextlib import suppress
from typing import Any

import click
import samtale

from app.settings import Settings
from app.terminal.console import Console
from app.terminal.words import of_body, of_line, of_refusal

HELP = "Write, and Enter sends. /close ends the conversation, /agree and /decline answer the consent, /quit leaves."


def chat(settings: Settings, **options: Any) -> None:
    """Chat until the user leaves."""
    phones = settings.data / "phones"
    phones.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(KeyboardInterrupt):
        asyncio.run(_Phone(store=samtale.FileStore(phones / f"{options['profile']}.state"), **options).run())


class _Phone:
    def __init__(self, store: samtale.Store, **options: Any) -> None:
        token = options["token"]

        async def same_token() -> str:
            return str(token)

        self._client = samtale.VisitorClient(
            options["server"],
            app_key=options["app_key"],
            tag=options["tag"],
            token=same_token if token else None,
            device=samtale.Device("python", "1", options["locale"]),
            store=store,
            surroundings=samtale.Surroundings(
                connect=samtale.network(samtale.JSON if options["as_json"] else samtale.MSGPACK),
                subprotocol=samtale.JSON if options["as_json"] else samtale.MSGPACK,
            ),
        )
        self._console = Console("› ", self._typing)
        self._is_gated = True  # typing is nobody's business before consent
        self._is_welcomed = False

    async def run(self) -> None:
        self._console.say(HELP, dim=True)
        async with self._client:
            listening = asyncio.create_task(self._listen())
            typing = asyncio.create_task(self._type())
            await asyncio.wait({listening, typing}, return_when=asyncio.FIRST_COMPLETED)
            for task in (listening, typing):
                task.cancel()
            await asyncio.gather(listening, typing, return_exceptions=True)

    async def _type(self) -> None:
        async for line in self._console.lines():
            match line:
                case "":
                    pass
                case "/quit":
                    return
                case "/close":
                    self._client.close()
                case "/agree" | "/decline":
                    self._client.answer_consent(line == "/agree")
                case text:
                    self._client.send(text)

    def _typing(self, on: bool) -> None:
        if not self._is_gated:
            self._client.typing(on)

    async def _listen(self) -> None:
        async for event in self._client.events():
            self._show(event)

    def _show(self, event: samtale.Event) -> None:
        say = self._console.say
        match event:
            case samtale.Connected(chatflow=flow, reason=reason):
                self._greet(flow, reason)
            case samtale.LogEvent():
                self._show_entry(event)
            case samtale.Typing(on=True, name=name):
                say(f"       {name or 'somebody'} is typing …", dim=True, once=True)
            case samtale.Place(place=place, exact=exact):
                say(f"       your place in the queue: {'' if exact else 'about '}{place}", "yellow")
            case samtale.Receipts(who="staff", read=read) if read:
                say(f"       read up to {read}", dim=True)
            case samtale.Refused():
                say(f"       {of_refusal(event)}", "red")
            case samtale.Disconnected():
                say(f"       {of_line(event)}", "yellow")
            case samtale.Resynced():
                say("       the server was rebuilt; reading the conversation again", "yellow")
            case samtale.Forgotten():
                say("       the server does not know this phone any more: a new visitor begins", "yellow")
            case _:
                pass

    def _show_entry(self, event: samtale.LogEvent) -> None:
        if isinstance(event.body, samtale.ConsentAnswered):
            self._is_gated = event.body.answer == "declined"
        is_shown = isinstance(event.body, samtale.Started) and self._is_welcomed
        if not is_shown and (words := of_body(event, "visitor")) is not None:
            text, colour, dim = words
            self._console.say(text, colour, dim=dim)
        self._client.read(event.conversation, event.seq)

    def _greet(self, flow: samtale.Chatflow | None, reason: str) -> None:
        if flow is None:
            self._console.say(f"       nobody serves this tag ({reason})", "red")
            return
        click.echo(click.style(f"── {flow.heading} ", bold=True) + "─" * max(0, 60 - len(flow.heading)))
        consent = flow.consent
        self._is_gated = consent is not None and consent.outstanding and consent.mode == "explicit"
        if flow.welcome and self._has_nothing():
            self._is_welcomed = True
            self._console.say(f"       {flow.welcome}", "green")
        if consent is not None and consent.outstanding:
            self._console.say(f"       {consent.text}")
            self._console.say("       /agree or /decline", "yellow")

    def _has_nothing(self) -> bool:
        position = self._client.reader.positions.get(self._client.conversation)
        return position is None or position.seq == 0
