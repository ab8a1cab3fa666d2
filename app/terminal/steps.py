"""The steps before talking, on the screen: what is asked first, and the answers to it (SPEC 4.2).

Invariant: one question is on the screen at a time, the first outstanding one, and it is shown once.
"""

from collections.abc import Callable

import samtale

from app.terminal.console import Console
from app.terminal.visitor_words import VisitorWords

Ask = Callable[[samtale.Asked], None]


class Steps:
    """`asks` is told of every answer that goes out."""

    def __init__(self, client: samtale.VisitorClient, console: Console, words: VisitorWords, asks: Ask) -> None:
        self._client = client
        self._console = console
        self._words = words
        self._asks = asks
        self._shown = ""  # the question on the screen
        self._is_ticked = False

    @property
    def first(self) -> str:
        """The step that is asked now; "" if there is none."""
        return next(iter(self._client.steps.outstanding), "")

    def show(self) -> None:
        """Put the present question on the screen, unless it is there."""
        flow = self._client.chatflow
        if flow is None or self.first == self._shown:
            return
        self._shown = self.first
        say, word = self._console.say, self._words.say
        match self.first:
            case "storage_consent" if flow.storage is not None:
                say(f"       {flow.storage.text}")
                say(f"       /remember: {word('storage_agree')}   /forget: {word('storage_decline')}", "yellow")
            case "consent_to_process" if flow.consent is not None:
                say(f"       {flow.consent.text}")
                self._show_box()
                say(f"       /agree: {word('consent_agree')}   /decline: {word('consent_decline')}", "yellow")
            case "email" if flow.email is not None:
                say(f"       {flow.email.text}")
                say("       write your address", "yellow")

    def answer(self, line: str) -> bool:
        """Do what `line` says, and return whether it was about a step."""
        word, _, rest = line.partition(" ")
        match word:
            case "/remember" | "/forget":
                self._asks(self._client.answer_storage(word == "/remember"))
            case "/agree" | "/decline":
                self._asks(self._client.answer_consent(word == "/agree", communicate=self._box(word == "/agree")))
            case "/tick":
                self._is_ticked = not self._is_ticked
                self._show_box()
            case "/email":
                self._asks(self._client.answer_email(rest.strip() or "?"))
            case address if self.first == "email" and not address.startswith("/"):
                self._asks(self._client.answer_email(line))
            case _:
                return False
        return True

    def _box(self, agrees: bool) -> bool | None:
        """Return what the box on the card says; None if there is none, or nothing was agreed to."""
        flow = self._client.chatflow
        has_box = flow is not None and flow.consent is not None and flow.consent.communicate is not None
        return self._is_ticked if has_box and agrees else None

    def _show_box(self) -> None:
        flow = self._client.chatflow
        box = flow.consent.communicate if flow is not None and flow.consent is not None else None
        if box is not None:
            self._console.say(f"       [{'x' if self._is_ticked else ' '}] {box.label}   (/tick)")
