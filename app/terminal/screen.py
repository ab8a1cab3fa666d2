"""A phone's screen in a terminal: what the visitor is shown.

Invariant: everything shown came from the server; what is shown of a conversation is said to be read.
"""

import samtale

from app.terminal.console import Console
from app.terminal.files import Files
from app.terminal.sitting import Sitting
from app.terminal.steps import Steps
from app.terminal.survey import SurveyScreen
from app.terminal.visitor_words import VisitorWords
from app.terminal.words import choices

TYPING_LASTS_S = 6.0  # SPEC 9.2


class Screen:
    """`choose` is the last message that a number chooses of, `form` the last one that was asked to be filled in."""

    def __init__(self, client: samtale.VisitorClient, console: Console, sitting: Sitting, files: Files) -> None:
        self._client = client
        self._console = console
        self._sitting = sitting
        self._files = files
        self._words = VisitorWords()
        self.steps = Steps(client, console, self._words, sitting.asks)
        self.surveys = SurveyScreen(client, console, self._words, sitting.asks)
        self.choose: samtale.LogEvent | None = None
        self.form: samtale.LogEvent | None = None
        self._shown: tuple[str, int] | None = None  # the chatflow whose heading is on the screen
        self._away = ""  # what is on the screen about who is there
        self._is_welcomed = False
        self._said_seq = 0  # of the last message from here, until it was read

    def show(self, event: samtale.Event) -> None:
        say, passing = self._console.say, self._console.show_passing
        match event:
            case samtale.Connected(chatflow=flow, reason=reason) | samtale.Serving(chatflow=flow, reason=reason):
                self._greet(flow, reason)
                if isinstance(event, samtale.Connected):
                    self._sitting.open()
            case samtale.LogEvent():
                self._show_entry(event)
            case samtale.CaughtUp(conversation=conversation) if conversation == self._client.conversation:
                self.surveys.show()
            case samtale.Typing(on=True, name=name):
                passing(f"       {self._words.say('typing', agent=name or 'somebody')}", TYPING_LASTS_S)
            case samtale.Typing(on=False):
                passing("")
            case samtale.Place():
                say(f"       {self._words.of_place(event)}", "yellow")
            case samtale.Receipts(who="staff", read=read) if 0 < self._said_seq <= read:
                self._said_seq = 0
                say(f"       ✓ {self._words.say('read')}", dim=True)
            case _:
                self._show_notice(event)

    def _show_notice(self, event: samtale.Event) -> None:
        say = self._console.say
        match event:
            case samtale.Accepted():
                self._console.show_passing("       kept; the answer takes a while …", TYPING_LASTS_S)
            case samtale.StorageAsked(text=text):
                say(f"       {text}   (/remember or /forget; /quit leaves)", "yellow")
            case samtale.ClosePressed():
                say("       the app hears that its close button was pressed; the conversation goes on", dim=True)
            case samtale.Done():
                say("       done", dim=True)
            case samtale.Resynced():
                say("       the server was rebuilt; reading the conversation again", "yellow")
            case samtale.Forgotten():
                say("       the server does not know this phone any more: a new visitor begins", "yellow")
            case _:
                pass

    def _show_entry(self, event: samtale.LogEvent) -> None:
        is_live = self._sitting.is_caught_up(event.conversation)
        match event.body:
            case samtale.Message(by, content=content):
                if by.role == "visitor":
                    self._said_seq = event.seq
                else:
                    self._console.show_passing("")
                self.choose = event if choices(content) else None
                if isinstance(content, samtale.Form):
                    self.form = event
        is_shown = isinstance(event.body, samtale.Started) and self._is_welcomed
        if not is_shown and (words := self._words.of_body(event)) is not None:
            text, colour, dim = words
            self._console.say(text, colour, dim=dim)
        if self.form is event:
            self._console.say("       /fill", "yellow")
        self._files.saw(event)
        self.surveys.take(event, is_live)
        self._client.read(event.conversation, event.seq)

    def _greet(self, flow: samtale.Chatflow | None, reason: str) -> None:
        if flow is None:
            self._console.say(f"       nobody serves this tag ({reason})", "red")
            return
        self._words.texts = self._sitting.texts = flow.texts
        if self._shown != (flow.id, flow.version):
            self._shown = (flow.id, flow.version)
            self._head(flow)
        self._say_who_is_there()
        there = self._client.availability
        if self._client.steps.blocked:
            self._console.say(f"       {flow.texts.get('error_blocked', 'You cannot write here.')}", "red")
        elif there is None or there.may_start or not self._has_nothing():
            self.steps.show()

    def _head(self, flow: samtale.Chatflow) -> None:
        title = flow.heading.title or flow.name
        self._console.say(f"── {title} " + "─" * max(0, 60 - len(title)), "green")
        if flow.welcome and self._has_nothing():
            self._is_welcomed = True
            self._console.say(f"       {flow.welcome}", "green")
        if flow.consent is not None and flow.consent.mode == "legitimate_interest" and not self.steps.first:
            self._console.say(f"       {flow.consent.text}")

    def _say_who_is_there(self) -> None:
        there = self._client.availability
        text = there.text if there is not None else ""
        if text and text != self._away:
            self._console.say(f"       {text}", "yellow" if there is not None and not there.open else "green")
        self._away = text

    def _has_nothing(self) -> bool:
        position = self._client.reader.positions.get(self._client.conversation)
        return position is None or position.seq == 0
