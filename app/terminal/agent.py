"""`samtale agent`: a console in a terminal.

Invariant: everything shown came over the real socket. One conversation is in front; the others are named by number.
"""

import asyncio
from contextlib import suppress
from typing import Any

import click
import samtale

from app.terminal.console import Console
from app.terminal.sitting import Sitting, checked_server
from app.terminal.words import Reader, of_body

HELP = """Write, and Enter sends to the conversation in front.
/accept, /decline   the newest offer             /list        what there is
/claim N            take a conversation          /open N      bring a conversation to the front
/transfer WHO NOTE  hand the one in front on     /close       end the one in front
/away, /available   your state                   /quit        leave"""
TYPING_LASTS_S = 6.0  # SPEC 9.2


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
        self._front = ""
        self._numbers: dict[str, int] = {}
        self._answered: set[str] = set()  # the keys of offers that are gone because this agent answered
        self._said: dict[str, int] = {}  # the seq of the last message from here, until it was read
        self._colleagues: dict[str, str] = {}
        self._feeds_to_come = 0

    async def run(self) -> None:
        await self._sitting.run(self._typed, self._show, HELP)

    # What the user does.

    def _prompt(self) -> str:
        return f"[{self._number(self._front)}] » " if self._front else "» "

    def _typed(self, line: str) -> bool:
        word, _, rest = line.partition(" ")
        if word == "/quit":
            return False
        if word.startswith("/"):
            self._command(word, rest.strip())
        elif self._front:
            self._sitting.asks(self._client.send(self._front, line), line)
        else:
            self._console.say("no conversation is in front: /list, /claim N, /open N", "red")
        return True

    def _command(self, word: str, rest: str) -> None:
        match word:
            case "/list":
                self._list()
            case "/away":
                self._sitting.asks(self._client.set_state("away"))
            case "/available":
                self._sitting.asks(self._client.set_state("available"))
            case "/accept" | "/decline" if self._client.offers:
                offer = next(reversed(self._client.offers))
                self._answered.add(f"offer:{offer}")
                answer = self._client.accept if word == "/accept" else self._client.decline
                self._sitting.asks(answer(offer))
            case "/accept" | "/decline":
                self._console.say("nothing is offered to you", "red")
            case "/claim" | "/open" if (conversation := self._named(rest)) is not None:
                self._bring(conversation, claim=word == "/claim")
            case "/claim" | "/open":
                self._console.say(f"there is no conversation {rest or '(say its number)'}: /list", "red")
            case "/transfer" if self._front and rest:
                self._transfer(*rest.partition(" ")[::2])
            case "/close" if self._front:
                self._sitting.asks(self._client.close(self._front))
            case "/transfer" | "/close" if not self._front:
                self._console.say("no conversation is in front: /list, /open N", "red")
            case _:
                self._console.say(HELP, dim=True)

    def _bring(self, conversation: str, *, claim: bool) -> None:
        self._front = conversation
        self._client.follow(conversation)
        if claim:
            offers = self._client.offers.items()
            self._answered |= {f"offer:{offer}" for offer, row in offers if row["conversation"] == conversation}
            self._sitting.asks(self._client.claim(conversation))
        self._console.say(f"conversation {self._number(conversation)} is in front", "yellow")

    def _transfer(self, who: str, note: str) -> None:
        for agent, name in self._colleagues.items():
            if who.lower() in (agent.lower(), name.lower(), name.split()[0].lower()):
                self._sitting.asks(self._client.transfer(self._front, agent, note.strip()))
                return
        self._console.say(f"no colleague is called {who}: {', '.join(self._colleagues.values())}", "red")

    def _typing(self, on: bool) -> None:
        if self._front:
            self._client.typing(self._front, on)

    # What is shown.

    def _show(self, event: samtale.Event) -> None:
        say, passing = self._console.say, self._console.show_passing
        match event:
            case samtale.Connected(colleagues=colleagues, inboxes=inboxes):
                self._introduce(colleagues)
                self._feeds_to_come = len(inboxes) + 1  # and the agent's own
            case samtale.FeedChanged():
                self._show_change(event)
            case samtale.FeedReset():
                self._show_table()
            case samtale.LogEvent():
                self._show_event(event)
            case samtale.Typing(on=True, who="visitor", conversation=conversation):
                passing(f"[{self._number(conversation)}] the visitor is typing …", TYPING_LASTS_S)
            case samtale.Typing(on=False, who="visitor"):
                passing("")
            case samtale.Presence(conversation, online):
                say(f"[{self._number(conversation)}]    the visitor is {'online' if online else 'offline'}", dim=True)
            case samtale.Receipts(conversation=conversation, who="visitor", read=read):
                if 0 < self._said.get(conversation, 0) <= read:
                    del self._said[conversation]
                    say(f"[{self._number(conversation)}]    ✓ read", dim=True)
            case samtale.Accepted():
                passing("kept; the answer takes a while …", TYPING_LASTS_S)
            case samtale.Resynced(conversation=conversation):
                say(f"[{self._number(conversation)}]    the server was rebuilt; reading it again", "yellow")
            case _:
                pass

    def _introduce(self, colleagues: list[samtale.Colleague]) -> None:
        self._colleagues = {each.id: each.name for each in colleagues}
        names = ", ".join(f"{each.name} ({each.state})" for each in colleagues)
        self._console.say(f"connected; colleagues: {names or 'none'}", "green")

    def _show_table(self) -> None:
        self._feeds_to_come -= 1
        if self._feeds_to_come == 0:
            self._front = self._front or next(iter(self._client.conversations), "")
            self._list()
            for row in self._client.offers.values():
                self._announce(row["conversation"])
            self._sitting.open()

    def _announce(self, offered: str) -> None:
        self._console.say(f"conversation {self._number(offered)} is offered to you: /accept or /decline", "yellow")
        self._client.follow(offered)

    def _show_change(self, event: samtale.FeedChanged) -> None:
        row = event.row or {}
        match event.what:
            case "offered":
                self._announce(row["conversation"])
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
        match event.body:
            case samtale.Message(by) if by.id == self._client.who:
                self._said[event.conversation] = event.seq
            case samtale.Message():
                self._console.show_passing("")
        if (words := of_body(event, Reader("agent", self._client.who, self._colleagues))) is not None:
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
            agent = row.get("agent") or ""
            who = "you" if agent == self._client.who else self._colleagues.get(agent, agent)
            self._console.say(f"{mark} {self._number(conversation):>3}  {row['status']:<10} {who:<16} {conversation}")

    def _number(self, conversation: str) -> int:
        return self._numbers.setdefault(conversation, len(self._numbers) + 1)

    def _named(self, rest: str) -> str | None:
        return next((name for name, number in self._numbers.items() if str(number) == rest), None)
