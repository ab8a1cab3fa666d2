"""`samtale agent`: a console in a terminal.

Invariant: everything shown came over the real socket. One conversation is in front; the others are named by number.
"""

import asyncio
from contextlib import suppress
from typing import Any

import click
import samtale

from app.terminal.console import Console
from app.terminal.words import of_body, of_line, of_refusal

HELP = """Write, and Enter sends to the conversation in front.
/accept, /decline   the newest offer             /list        what there is
/claim N            take a conversation          /open N      bring a conversation to the front
/transfer WHO NOTE  hand the one in front on     /close       end the one in front
/away, /available   your state                   /quit        leave"""


def serve(**options: Any) -> None:
    """Answer until the user leaves."""
    options["password"] = options["password"] or click.prompt("password", hide_input=True)
    with suppress(KeyboardInterrupt):
        asyncio.run(_Desk(**options).run())


class _Desk:
    def __init__(self, **options: Any) -> None:
        subprotocol = samtale.JSON if options["as_json"] else samtale.MSGPACK
        self._client = samtale.AgentClient(
            options["server"],
            email=options["email"],
            password=options["password"],
            surroundings=samtale.Surroundings(connect=samtale.network(subprotocol), subprotocol=subprotocol),
        )
        self._console = Console("» ", self._typing)
        self._front = ""
        self._numbers: dict[str, int] = {}
        self._answered: set[str] = set()  # the keys of offers that are gone because this agent answered
        self._colleagues: dict[str, str] = {}

    async def run(self) -> None:
        self._console.say(HELP, dim=True)
        async with self._client:
            listening = asyncio.create_task(self._listen())
            typing = asyncio.create_task(self._type())
            done, _ = await asyncio.wait({listening, typing}, return_when=asyncio.FIRST_COMPLETED)
            for task in (listening, typing):
                task.cancel()
            await asyncio.gather(listening, typing, return_exceptions=True)
            for task in done:
                if (error := task.exception()) is not None:
                    raise click.ClickException(str(error)) from error

    # What the user does.

    async def _type(self) -> None:
        async for line in self._console.lines():
            word, _, rest = line.partition(" ")
            if word == "/quit":
                return
            if word.startswith("/"):
                self._command(word, rest.strip())
            elif line and self._front:
                self._client.send(self._front, line)
            elif line:
                self._console.say("no conversation is in front: /list, /claim N, /open N", "red")

    def _command(self, word: str, rest: str) -> None:
        match word:
            case "/list":
                self._list()
            case "/away":
                self._client.set_state("away")
            case "/available":
                self._client.set_state("available")
            case "/accept" | "/decline" if self._client.offers:
                offer = next(reversed(self._client.offers))
                self._answered.add(f"offer:{offer}")
                (self._client.accept if word == "/accept" else self._client.decline)(offer)
            case "/accept" | "/decline":
                self._console.say("nothing is offered to you", "red")
            case "/claim" | "/open" if (conversation := self._named(rest)) is not None:
                self._bring(conversation, claim=word == "/claim")
            case "/transfer" if self._front and rest:
                who, _, note = rest.partition(" ")
                self._client.transfer(self._front, self._agent(who), note.strip())
            case "/close" if self._front:
                self._client.close(self._front)
            case _:
                self._console.say(HELP, dim=True)

    def _bring(self, conversation: str, *, claim: bool) -> None:
        self._front = conversation
        self._client.follow(conversation)
        if claim:
            self._client.claim(conversation)
        self._console.say(f"conversation {self._number(conversation)} is in front", "yellow")

    def _agent(self, who: str) -> str:
        for agent, name in self._colleagues.items():
            if who.lower() in (agent.lower(), name.lower(), name.split()[0].lower()):
                return agent
        return who

    def _typing(self, on: bool) -> None:
        if self._front:
            self._client.typing(self._front, on)

    # What is shown.

    async def _listen(self) -> None:
        async for event in self._client.events():
            self._show(event)

    def _show(self, event: samtale.Event) -> None:
        say = self._console.say
        match event:
            case samtale.Connected(colleagues=colleagues):
                self._colleagues = {each.id: each.name for each in colleagues}
                names = ", ".join(f"{each.name} ({each.state})" for each in colleagues)
                say(f"connected; colleagues: {names or 'none'}", "green")
            case samtale.FeedChanged():
                self._show_change(event)
            case samtale.FeedReset(feed=feed) if feed.startswith("agent:"):
                self._front = self._front or next(iter(self._client.conversations), "")
                self._list()
            case samtale.LogEvent():
                self._show_event(event)
            case samtale.Typing(on=True, who="visitor", conversation=conversation):
                say(f"[{self._number(conversation)}]    the visitor is typing …", dim=True, once=True)
            case samtale.Presence(conversation, online):
                say(f"[{self._number(conversation)}]    the visitor is {'online' if online else 'offline'}", dim=True)
            case samtale.Receipts(conversation=conversation, who="visitor", read=read) if read:
                say(f"[{self._number(conversation)}]    read up to {read}", dim=True)
            case samtale.Refused():
                say(of_refusal(event), "red")
            case samtale.Disconnected():
                say(of_line(event), "yellow")
            case _:
                pass

    def _show_change(self, event: samtale.FeedChanged) -> None:
        row = event.row or {}
        match event.what:
            case "offered":
                number = self._number(row["conversation"])
                self._console.say(f"conversation {number} is offered to you: /accept or /decline", "yellow")
                self._client.follow(row["conversation"])
            case "withdrawn" if event.key not in self._answered:
                self._console.say("the offer is gone", dim=True)
            case "assigned":
                self._front = row["conversation"]
                self._console.say(f"conversation {self._number(self._front)} is yours, and in front", "green")
            case "taken":
                gone = event.key.removeprefix("conversation:")
                self._console.say(f"conversation {self._number(gone)} is yours no longer", dim=True)
                self._front = "" if self._front == gone else self._front
            case "new" | "waiting" if row.get("status") in ("waiting", "unassigned"):
                self._console.say(f"conversation {self._number(event.key)} waits in the inbox", dim=True)
            case _:
                pass

    def _show_event(self, event: samtale.LogEvent) -> None:
        if (words := of_body(event, "agent")) is not None:
            text, colour, dim = words
            self._console.say(f"[{self._number(event.conversation)}] {text}", colour, dim=dim)
        if event.conversation == self._front:
            self._client.read(event.conversation, event.seq)

    def _list(self) -> None:
        inboxes = (table for feed, table in self._client.feeds.items() if feed.startswith("inbox:"))
        rows = [row for table in inboxes for row in table.values()]
        if not rows:
            self._console.say("no conversation in your inboxes", dim=True)
        for row in sorted(rows, key=lambda row: row["since_ms"]):
            conversation = row["conversation"]
            mark = "»" if conversation == self._front else " "
            who = self._colleagues.get(row.get("agent") or "", row.get("agent") or "")
            self._console.say(f"{mark} {self._number(conversation):>3}  {row['status']:<10} {who:<16} {conversation}")

    def _number(self, conversation: str) -> int:
        return self._numbers.setdefault(conversation, len(self._numbers) + 1)

    def _named(self, rest: str) -> str | None:
        found = next((name for name, number in self._numbers.items() if str(number) == rest), None)
        if found is None:
            self._console.say(f"there is no conversation {rest or '(say its number)'}: /list", "red")
        return found
