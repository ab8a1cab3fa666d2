"""A phone in a terminal: what its user does with it.

Invariant: a line is an answer to what is asked, a choice by its number, a command, or else something said.
"""

from typing import Any

import samtale

from app.terminal.console import Console
from app.terminal.files import Files, path_in
from app.terminal.form import FormFilling
from app.terminal.screen import Screen
from app.terminal.sitting import Sitting
from app.terminal.words import choices

WELCOME = "Write, and Enter sends. /help lists what else there is, /quit leaves."
HELP = """The number of a choice chooses it.         /close          end the conversation
/agree, /decline   answer the consent        /tick           tick the box on its card
/remember, /forget may this phone know you?  /email ADDRESS  give an address
/fill              fill in the form          /rate N, /comment TEXT, /later   the survey
/screen NAME, /set NAME=VALUE, /did TEXT     what the app tells agents
/analytics yes|no, /withdraw PURPOSE         storage, process, communicate, analytics
/file PATH CAPTION send a file               /save DIRECTORY what was sent last
/x                 press the close button    /logout         be nobody on this phone"""


class Phone:
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
        self._console = Console(lambda: "› ", self._client.typing)
        self._sitting = Sitting(self._client, options["server"], self._console)
        self._files = Files(self._client.download, self._console, self._sitting.asks)
        self._screen = Screen(self._client, self._console, self._sitting, self._files)
        self._filling: FormFilling | None = None
        self._is_leaving = False

    async def run(self) -> None:
        await self._sitting.run(self._typed, self._screen.show, WELCOME)

    # What the user does.

    def _typed(self, line: str) -> bool:
        if line == "/quit":
            return self._asks_before_leaving()
        if self._filling is not None:
            self._fill(self._filling, line)
        elif not (self._screen.steps.answer(line) or self._screen.surveys.answer(line) or self._chooses(line)):
            if line.startswith("/"):
                self._command(*line.partition(" ")[::2])
            else:
                self._sitting.asks(self._client.send(line), line)
        return True

    def _asks_before_leaving(self) -> bool:
        if not self._is_leaving:
            self._is_leaving = True
            self._client.exit_intent()
            return self._client.permission.on_exit is not None
        return False

    def _chooses(self, line: str) -> bool:
        said = self._screen.choose
        if said is None or not line.isdecimal() or not isinstance(said.body, samtale.Message):
            return False
        there = choices(said.body.content)
        if not 1 <= int(line) <= len(there):
            return False
        option, label = there[int(line) - 1]
        self._sitting.asks(self._client.choose(said, option), label)
        return True

    def _fill(self, filling: FormFilling, line: str) -> None:
        if line == "/cancel":
            self._filling = None
            return
        filling.take(line)
        if filling.is_whole:
            self._filling = None
            self._sitting.asks(self._client.fill_in(filling.said, filling.values), "the form")

    def _command(self, word: str, rest: str) -> None:
        asks, client = self._sitting.asks, self._client
        match word:
            case "/close":
                asks(client.close())
            case "/file" if rest:
                self._files.send(client.send_file, *path_in(rest))
            case "/save":
                self._files.save(rest)
            case "/fill" if self._screen.form is not None:
                said = self._screen.form.body
                assert isinstance(said, samtale.Message)
                assert isinstance(said.content, samtale.Form)
                self._filling = FormFilling(self._screen.form, said.content, self._console)
            case "/screen" if rest:
                client.set_context(screen=rest)
            case "/set" if "=" in rest:
                name, _, value = rest.partition("=")
                client.set_context(properties={name.strip(): value.strip()})
            case "/did" if rest:
                client.breadcrumb(rest)
            case "/analytics" if rest in ("yes", "no"):
                asks(client.set_analytics_consent(rest == "yes"))
            case "/withdraw" if rest in ("storage", "process", "communicate", "analytics"):
                asks(client.withdraw(rest))  # type: ignore[arg-type] # one of these
            case "/x":
                client.press_close()
            case "/logout":
                client.log_out()
            case _:
                self._console.say(HELP, dim=True)
