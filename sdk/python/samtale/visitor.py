"""What a visitor can do (SPEC 4, 5, 9).

Invariant: asking is done at once and survives the connection; what passes by is dropped without one.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from samtale import events
from samtale.asked import Asked
from samtale.body import Message
from samtale.content import Choice, Content, FormValues, plain_choice, plain_values, to_wire
from samtale.outlet import Frame
from samtale.phone import Phone, TokenHook
from samtale.served import EMAIL, PROCESS, STORAGE

__all__ = ["VisitorClient"]


class VisitorClient(Phone):
    """All is about the present conversation unless another is named."""

    # Talking.

    def send(self, text: str, content: Choice | FormValues | None = None) -> Asked:
        """Say `text` in the present conversation; await the result for its outcome, or go on."""
        return self._ask({"t": "send", "text": text, **_content(content)})

    async def send_file(self, source: Path | bytes, text: str = "", *, name: str = "", type_: str = "") -> Asked:
        """Upload a file and say it, with `text` for a caption; await the result for the outcome of the message.

        `name` and `type_` are the file's own if left out. Raises RefusedError; LineLost if not connected, or not any
        more; OSError if it cannot be read.
        """
        conversation = self.conversation
        done = await self.files.upload(conversation, source, name, type_)
        words = {"text": text} if text else {}
        said = {"t": "send", "conversation": conversation, **words, "attachments": [done.receipt]}
        return self.asking.ask(conversation, said)

    def choose(self, said: events.LogEvent, option: str) -> Asked:
        """Choose an option or button, by its id, of what was said."""
        asked = said.body.content if isinstance(said.body, Message) else None
        return self._say(said.conversation, plain_choice(asked, option), Choice(said.seq, option))

    def fill_in(self, said: events.LogEvent, values: Mapping[str, str]) -> Asked:
        """Fill in the form that was said: field id → value."""
        asked = said.body.content if isinstance(said.body, Message) else None
        return self._say(said.conversation, plain_values(asked, values), FormValues(said.seq, dict(values)))

    def close(self) -> Asked:
        """End the present conversation."""
        return self._ask({"t": "close"})

    def talk_in(self, conversation: str) -> None:
        """Bring another of the visitor's conversations to the front."""
        self.reader.attach(conversation)
        self.conversation = conversation

    def typing(self, on: bool = True) -> None:
        """Say that the user types, or stopped; dropped without a connection, and before the steps are answered."""
        if self.conversation and not self.steps.outstanding:
            self.outlet.put({"t": "typing", "conversation": self.conversation, "on": on})

    def read(self, conversation: str, seq: int) -> None:
        """Say that a person has seen everything up to `seq`."""
        super().read(conversation, seq)
        self.unread_counts.read(conversation, seq)
        self._keep()

    @property
    def unread(self) -> int:
        """How many messages of others this person has not seen, over all conversations."""
        return self.unread_counts.total

    # Answering the steps.

    def answer_consent(self, granted: bool, *, communicate: bool | None = None) -> Asked:
        """Answer the consent to process; what is said after it waits for the outcome.

        `communicate`: whether the box on the card was ticked; None if there was none.
        """
        box = {} if communicate is None else {"communicate": communicate}
        return self._answer(PROCESS, _granted(granted), **box)

    def answer_communicate(self, granted: bool) -> Asked:
        """Answer the consent to communicate by itself."""
        return self._answer("consent_to_communicate", _granted(granted))

    def answer_storage(self, granted: bool) -> Asked:
        """Answer whether this phone may remember its user; if not, the store is emptied and stays empty."""
        return self._answer(STORAGE, _granted(granted))

    def answer_email(self, address: str) -> Asked:
        """Give an e-mail address; refused `bad_answer` if it is none."""
        return self._answer(EMAIL, address)

    def exit_intent(self) -> None:
        """The user is about to leave: `StorageAsked` follows if they should be asked before."""
        asked = self.permission.on_exit
        if asked is not None:
            self.outlet.tell(events.StorageAsked(asked.text, asked.text_hash))

    def press_close(self) -> None:
        """The user pressed the X: tells the app `ClosePressed`, and closes nothing."""
        self.outlet.tell(events.ClosePressed(self.conversation))

    # Surveys, by the conversation that asked and the number of its ask.

    def see_survey(self, conversation: str, ask: int) -> Asked:
        """Say that the question is on the screen."""
        return self._survey(conversation, ask, "seen")

    def dismiss_survey(self, conversation: str, ask: int) -> Asked:
        """Say that it was put away unanswered."""
        return self._survey(conversation, ask, "dismiss")

    def answer_survey(self, conversation: str, ask: int, score: int) -> Asked:
        """Answer it: the first score is final."""
        return self._survey(conversation, ask, "answer", score=score)

    def comment_survey(self, conversation: str, ask: int, text: str) -> Asked:
        """Add a comment, once, after the score."""
        return self._survey(conversation, ask, "comment", text=text)

    # What the app tells and decides for its user.

    def set_context(
        self,
        *,
        screen: str | None = None,
        properties: Mapping[str, str] | None = None,
        device: Mapping[str, str] | None = None,
    ) -> None:
        """Tell agents where in the app the user is and what is known of them; merged, "" removes a property."""
        for said in self.told.merge(screen, dict(properties or {}), dict(device or {})):
            self.outlet.put(said)

    def breadcrumb(self, text: str) -> None:
        """Tell agents one thing that the user did; the last 20 are kept."""
        said = self.told.drop(text)
        if self.outlet.is_ready():
            self.outlet.put(said)
            self._gate_moved()

    def set_analytics_consent(self, granted: bool) -> Asked:
        """Say whether optional properties of the device may be kept."""
        return self.wishes.ask("analytics", {"t": "set_analytics_consent", "granted": granted})

    def withdraw(self, purpose: Literal["storage", "process", "communicate", "analytics"]) -> Asked:
        """Take a consent back; that to process closes what is open."""
        return self.wishes.ask(f"withdraw:{purpose}", {"t": "withdraw", "purpose": purpose})

    def log_in(self, token: TokenHook) -> None:
        """The app knows its user from here on: what they began on this phone becomes theirs, until they log out.

        `token` as of the client. `Connected` follows, naming who they are. Raises RuntimeError while somebody is logged
        in: they log out first, until `Forgotten`.
        """
        if self.permission.is_identified or self._leaving:
            raise RuntimeError("another user must log out first")
        self._identify(token)
        self._keep()
        self.outlet.renew()

    def log_out(self) -> None:
        """Revoke this device on the server, as soon as there is a connection; `Forgotten` follows."""
        self._leaving = True
        self._keep()
        self.outlet.put({"t": "logout"})

    # On the way.

    def _answer(self, step: str, value: str, **more: Any) -> Asked:
        return self._ask({"t": "answer", "step": step, "value": value, **more})

    def _survey(self, conversation: str, ask: int, action: str, **more: Any) -> Asked:
        about = {"conversation": conversation, "ask": ask, "action": action}
        return self.asking.ask(conversation, {"t": "survey", **about, **more})

    def _say(self, conversation: str, text: str, content: Content) -> Asked:
        said = {"t": "send", "conversation": conversation, "text": text, **_content(content)}
        return self.asking.ask(conversation, said)

    def _ask(self, fields: Frame) -> Asked:
        asked = self.asking.ask(self.conversation, {**fields, "conversation": self.conversation})
        if not self.conversation and self.outlet.is_ready():
            asyncio.get_running_loop().call_soon(self._refuse_homeless)
        return asked


def _granted(granted: bool) -> str:
    return "granted" if granted else "declined"


def _content(content: Content | None) -> Frame:
    return {} if content is None else {"content": to_wire(content)}
