"""`samtale agent`: a console in a terminal.

Invariant: everything shown came over the real socket. One conversation is in front; the others are named by number.
"""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any

import click
import samtale

from app.terminal.board import Board
from app.terminal.console import Console
from app.terminal.files import Files, path_in
from app.terminal.orders import HELP, Orders, Wrong, needed
from app.terminal.sitting import Sitting, checked_server


def serve(**options: Any) -> None:
    """Answer until the user leaves. Raises NotIn."""
    checked_server(options["server"])
    options["password"] = options["password"] or click.prompt("password", hide_input=True)
    with suppress(KeyboardInterrupt):
        asyncio.run(_sit_down(options))


async def _sit_down(options: dict[str, Any]) -> None:
    await _Desk(options).run()


class _Desk:
    def __init__(self, options: dict[str, Any]) -> None:
        subprotocol = samtale.JSON if options["as_json"] else samtale.MSGPACK
        self._client = samtale.AgentClient(
            options["server"],
            email=options["email"],
            password=options["password"],
            surroundings=samtale.Surroundings(connect=samtale.network(subprotocol), subprotocol=subprotocol),
        )
        self._console = Console(self._prompt, self._typing)
        self._sitting = Sitting(self._client, options["server"], self._console)
        self._orders = Orders(self._client)
        self._files = Files(self._client.download, self._console, self._sitting.asks)
        self._board = Board(self._client, self._console, self._orders, self._files, self._sitting.open)
        self._questions: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        await self._sitting.run(self._typed, self._board.show, HELP)

    def _prompt(self) -> str:
        return f"[{self._board.number(self._board.front)}] » " if self._board.front else "» "

    def _typing(self, on: bool) -> None:
        if self._board.front:
            self._client.typing(self._board.front, on)

    def _typed(self, line: str) -> bool:
        word, _, rest = line.partition(" ")
        if word == "/quit":
            return False
        try:
            if word.startswith("/"):
                self._command(word, rest.strip())
            elif self._board.front:
                self._sitting.asks(self._client.send(self._board.front, line), line)
            else:
                raise Wrong("no conversation is in front: /list, /claim N, /open N")
        except Wrong as wrong:
            self._console.say(str(wrong), "red")
        return True

    def _command(self, word: str, rest: str) -> None:
        board = self._board
        match word:
            case "/list":
                board.list()
            case "/context":
                board.tell_context()
            case "/away" | "/available":
                self._asks(self._orders.state(word[1:]))
            case "/state":
                self._asks(self._orders.state(rest))
            case "/accept" | "/decline":
                self._asks(board.answer_offer(word == "/accept"))
            case "/claim" | "/force" | "/open":
                self._bring(word, board.named(rest))
            case "/save":
                self._files.save(rest)
            case "/file":
                self._send_file(needed(rest, "/file PATH CAPTION"))
            case "/who":
                self._ask_who_is_next(needed(rest, "/who RULE"))
            case _ if self._orders.knows(word):
                self._asks(self._orders.about(board.front, word, rest))
            case _:
                self._console.say(HELP, dim=True)

    def _send_file(self, rest: str) -> None:
        front = self._board.front
        if not front:
            raise Wrong("no conversation is in front: /list, /open N")
        self._files.send(partial(self._client.send_file, front), *path_in(rest))

    def _bring(self, word: str, conversation: str) -> None:
        self._board.bring(conversation)
        if word != "/open":
            self._board.claims(conversation)
            self._asks(self._client.claim(conversation, force=word == "/force"))

    def _asks(self, asked: samtale.Asked | None) -> None:
        if asked is not None:
            self._sitting.asks(asked)

    def _ask_who_is_next(self, rule: str) -> None:
        asking = asyncio.get_running_loop().create_task(self._tell_who_is_next(rule))
        self._questions.add(asking)
        asking.add_done_callback(self._questions.discard)

    async def _tell_who_is_next(self, rule: str) -> None:
        try:
            self._board.tell_next(await self._client.who_next(rule))
        except (samtale.RefusedError, samtale.LineLost) as error:
            self._console.say(f"not known: {error}", "red")
