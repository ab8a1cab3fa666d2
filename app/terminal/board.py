"""What an agent sees: offers, conversations, colleagues, and the visitor of the one in front.

Invariant: everything shown came from the server; what is shown of the conversation in front is said to be read.
"""

from collections.abc import Callable
from typing import Any

import samtale

from app.terminal.agent_words import of_body
from app.terminal.console import Console
from app.terminal.files import Files
from app.terminal.orders import Orders, Wrong
from app.terminal.words import Reader, clock

TYPING_LASTS_S = 6.0  # SPEC 9.2


class Board:
    """`front` is the conversation in front, "" for none. `open_` is called once what there is has been shown."""

    def __init__(
        self, client: samtale.AgentClient, console: Console, orders: Orders, files: Files, open_: Callable[[], None]
    ) -> None:
        self.front = ""
        self._client = client
        self._console = console
        self._orders = orders
        self._files = files
        self._open = open_
        self._numbers: dict[str, int] = {}
        self._answered: set[str] = set()  # the keys of offers that are gone because this agent answered
        self._said: dict[str, int] = {}  # the seq of the last message from here, until it was read
        self._contexts: dict[str, samtale.Context] = {}
        self._reader = Reader("agent")
        self._feeds_to_come = 0

    # What the agent does with it.

    def answer_offer(self, accept: bool) -> samtale.Asked:
        """Answer the newest offer. Raises Wrong if there is none."""
        offer = next(reversed(self._client.offers), None)
        if offer is None:
            raise Wrong("nothing is offered to you")
        self._answered.add(f"offer:{offer}")
        return self._client.accept(offer) if accept else self._client.decline(offer)

    def bring(self, conversation: str) -> None:
        """Bring a conversation to the front."""
        self._to_front(conversation)
        self._client.follow(conversation)
        self._console.say(f"conversation {self.number(conversation)} is in front", "yellow")
        if conversation in self._contexts:
            self.tell_context()

    def _to_front(self, conversation: str) -> None:
        """What was shown of it so far has been read now."""
        self.front = conversation
        if (position := self._client.reader.positions.get(conversation)) is not None and position.seq:
            self._client.read(conversation, position.seq)

    def claims(self, conversation: str) -> None:
        """Take it that an offer of `conversation` is answered by claiming it."""
        offers = self._client.offers.items()
        self._answered |= {f"offer:{offer}" for offer, row in offers if row["conversation"] == conversation}

    def number(self, conversation: str) -> int:
        """Return the number by which a conversation is named here."""
        return self._numbers.setdefault(conversation, len(self._numbers) + 1)

    def named(self, rest: str) -> str:
        """Return the conversation with that number. Raises Wrong."""
        for name, number in self._numbers.items():
            if str(number) == rest:
                return name
        raise Wrong(f"there is no conversation {rest or '(say its number)'}: /list")

    # What is shown.

    def show(self, event: samtale.Event) -> None:
        """Show an event that is not about the connection alone."""
        say, passing = self._console.say, self._console.show_passing
        match event:
            case samtale.Connected():
                self._introduce(event)
            case samtale.FeedChanged():
                self._show_change(event)
            case samtale.FeedReset():
                self._show_table()
            case samtale.LogEvent():
                self._show_event(event)
            case samtale.Typing(on=True, conversation=conversation, who=who, name=name):
                typist = "the visitor" if who == "visitor" else name
                passing(f"[{self.number(conversation)}] {typist} is typing …", TYPING_LASTS_S)
            case samtale.Typing(on=False):
                passing("")
            case samtale.Receipts(conversation=conversation, who="visitor", read=read):
                if 0 < self._said.get(conversation, 0) <= read:
                    del self._said[conversation]
                    say(f"[{self.number(conversation)}]    ✓ read", dim=True)
            case samtale.Accepted():
                passing("kept; the answer takes a while …", TYPING_LASTS_S)
            case _:
                self._show_people(event)

    def _show_people(self, event: samtale.Event) -> None:
        say = self._console.say
        match event:
            case samtale.Presence(conversation, online):
                say(f"[{self.number(conversation)}]    the visitor is {'online' if online else 'offline'}", dim=True)
            case samtale.Looking(conversation, _, name, on):
                looks = "looks at it, too" if on else "looks at it no longer"
                say(f"[{self.number(conversation)}]    {name} {looks}", "yellow" if on else None, dim=not on)
            case samtale.Context(conversation=conversation):
                known, self._contexts[conversation] = self._contexts.get(conversation), event
                if conversation == self.front and known != event:
                    self.tell_context()
            case samtale.Resynced(conversation=conversation):
                say(f"[{self.number(conversation)}]    the server was rebuilt; reading it again", "yellow")
            case _:
                pass

    def tell_context(self) -> None:
        """Show what is known of the visitor of the conversation in front."""
        known = self._contexts.get(self.front)
        if known is None:
            self._console.say("nothing is known of the visitor yet", dim=True)
            return
        for line in of_context(known):
            self._console.say(f"[{self.number(self.front)}]    {line}", dim=True)

    def tell_next(self, answer: samtale.NextAgent) -> None:
        """Show who would get a new conversation of a rule."""
        names = self._reader.names
        who = names.get(answer.agent, answer.agent) if answer.agent else "nobody"
        self._console.say(f"next by {answer.rule}: {who}", "green")
        for each in answer.candidates:
            self._console.say(f"   {names.get(each.agent, each.agent)}: {each.reason}", dim=True)

    def list(self) -> None:
        """Show the conversations of one's inboxes, the oldest first."""
        inboxes = (table for feed, table in self._client.feeds.items() if feed.startswith("inbox:"))
        rows = [row for table in inboxes for row in table.values()]
        if not rows:
            self._console.say("no conversation in your inboxes", dim=True)
        for row in sorted(rows, key=lambda row: row["since_ms"]):
            conversation = row["conversation"]
            mark = "»" if conversation == self.front else " "
            agent = row.get("agent") or ""
            who = "you" if agent == self._client.who else self._reader.names.get(agent, agent)
            self._console.say(f"{mark} {self.number(conversation):>3}  {row['status']:<10} {who:<16} {conversation}")

    def _introduce(self, event: samtale.Connected) -> None:
        colleagues = {each.id: each.name for each in event.colleagues}
        own = {event.agent.id: event.agent.name} if event.agent is not None else {}
        self._orders.names = colleagues
        self._orders.teams = {team.id: team.name for team in event.teams}
        self._reader = Reader("agent", self._client.who, {**colleagues, **own, **self._orders.teams})
        names = ", ".join(f"{each.name} ({each.state})" for each in event.colleagues)
        self._console.say(f"connected; colleagues: {names or 'none'}", "green")
        if event.canned:
            self._console.say(f"ready replies: {', '.join(each.id for each in event.canned)}", dim=True)
        self._feeds_to_come = len(event.inboxes) + 1  # and the agent's own

    def _show_table(self) -> None:
        self._feeds_to_come -= 1
        if self._feeds_to_come == 0:
            self.front = self.front or next(iter(self._client.conversations), "")
            self.list()
            for row in self._client.offers.values():
                self._announce(row["conversation"])
            self._open()

    def _announce(self, offered: str) -> None:
        self._console.say(f"conversation {self.number(offered)} is offered to you: /accept or /decline", "yellow")
        self._client.follow(offered)

    def _show_change(self, event: samtale.FeedChanged) -> None:
        row = event.row or {}
        match event.what:
            case "offered":
                self._announce(row["conversation"])
            case "withdrawn" if event.key not in self._answered:
                self._console.say("the offer is gone", dim=True)
            case "assigned":
                self._to_front(row["conversation"])
                self._console.say(f"conversation {self.number(self.front)} is yours, and in front", "green")
            case "taken":
                gone = event.key.removeprefix("conversation:")
                self._console.say(f"conversation {self.number(gone)} is yours no longer", dim=True)
                self.front = "" if self.front == gone else self.front
            case "new" | "waiting" if row.get("status") in ("waiting", "unassigned"):
                self._announce_waiting(event.key, row)
            case "mentioned":
                there = self.number(event.key.split(":")[1])
                self._console.say(f"you are mentioned in conversation {there}: /open {there}", "magenta")
            case "state" if row:
                self._console.say(f"you are {row['state']}", dim=True)
            case _:
                pass

    def _announce_waiting(self, conversation: str, row: dict[str, Any]) -> None:
        since = f" since {clock(row['since_ms'])}" if row.get("reminded") else ""
        still = "still waits" if since else "waits"
        whom = ", and its supervisors were told" if row.get("supervisors") else ""
        colour = "yellow" if since else None
        self._console.say(
            f"conversation {self.number(conversation)} {still} in the inbox{since}{whom}", colour, dim=not since
        )

    def _show_event(self, event: samtale.LogEvent) -> None:
        match event.body:
            case samtale.Message(by) if by.id == self._client.who:
                self._said[event.conversation] = event.seq
            case samtale.Message():
                self._console.show_passing("")
        if (words := of_body(event, self._reader)) is not None:
            text, colour, dim = words
            self._console.say(f"[{self.number(event.conversation)}] {text}", colour, dim=dim)
        self._files.saw(event)
        if event.conversation == self.front:
            self._client.read(event.conversation, event.seq)


def of_context(known: samtale.Context) -> list[str]:
    """Return the lines that say who the visitor is, and where."""
    email = f"{known.email}{'' if known.email_verified or not known.email else ' (not verified)'}"
    who = " · ".join(filter(None, (known.name, email))) or ("known to the company" if known.identified else "unknown")
    phone = " ".join(filter(None, (known.platform, known.app_version, known.locale)))
    lines = [" · ".join(filter(None, (f"the visitor is {who}", phone, "BLOCKED" if known.blocked else "")))]
    values = {**known.properties, **{f"device.{name}": value for name, value in known.device.items()}}
    told = [f"on {known.screen}"] if known.screen else []
    told += [f"{name}={value}" for name, value in values.items()]
    told += [f"{len(known.past)} other conversation{'' if len(known.past) == 1 else 's'}"] if known.past else []
    trail = " → ".join(crumb.text for crumb in known.breadcrumbs[-5:])
    return [*lines, *([", ".join(told)] if told else []), *([trail] if trail else [])]
