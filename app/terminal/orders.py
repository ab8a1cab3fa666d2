"""What an agent may order in a terminal, by the word after the slash.

Invariant: an order that is not understood says how it is written, and asks nothing of the server.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import get_args

import samtale
from samtale.agent import Priority, State, TicketStatus

Asks = samtale.Asked | None
ANSWER = "/replies QUESTION | CHOICE | CHOICE …"
HELP = f"""Write, and Enter sends to the conversation in front.
/accept, /decline   the newest offer             /list        what there is
/claim N            take a conversation          /open N      bring a conversation to the front
/force N            … above capacity             /context     who the visitor is
/transfer WHO NOTE  hand the one in front on     /transfer team TEAM NOTE
/canned ID          a ready reply                {ANSWER}
/file PATH CAPTION  send a file                  /save DIRECTORY    what was sent last
/note TEXT          for colleagues, @NAME tells  /whisper TEXT   to whoever has it
/tag +NEW -OLD      /field NAME=VALUE            /priority low|normal|high|urgent
/snooze MINUTES     /wake                        /ticket new|waiting_us|waiting_visitor|closed
/redact N           remove what is marked #N     /block, /unblock   the visitor
/close, /spam       end the one in front         /close ticket      and its ticket
/away, /available   your state                   /state STATE WHO   a colleague's
/who RULE           who would be next            /quit        leave"""


class Wrong(ValueError):
    """The order cannot be carried out, and why."""


class Orders:
    """Orders about the conversation in front. `names` of colleagues and `teams` by id, as the server said them."""

    def __init__(self, client: samtale.AgentClient) -> None:
        self._client = client
        self.names: Mapping[str, str] = {}
        self.teams: Mapping[str, str] = {}
        self._about: dict[str, Callable[[str, str], Asks]] = {
            "/close": self._close,
            "/spam": lambda front, _: client.close(front, spam=True),
            "/transfer": self._transfer,
            "/canned": lambda front, id_: client.send(front, canned=needed(id_, "/canned ID")),
            "/replies": self._replies,
            "/note": self._note,
            "/whisper": lambda front, text: client.whisper(front, needed(text, "/whisper TEXT")),
            "/tag": self._tag,
            "/field": self._field,
            "/priority": self._priority,
            "/snooze": self._snooze,
            "/wake": lambda front, _: client.wake(front),
            "/redact": lambda front, seq: client.redact(front, number(seq, "/redact N")),
            "/block": lambda front, _: client.block(front),
            "/unblock": lambda front, _: client.block(front, on=False),
            "/ticket": self._ticket,
        }

    def knows(self, word: str) -> bool:
        """Whether that is an order about the conversation in front."""
        return word in self._about

    def about(self, front: str, word: str, rest: str) -> Asks:
        """Carry an order out and return what was asked. Raises Wrong."""
        if not front:
            raise Wrong("no conversation is in front: /list, /open N")
        return self._about[word](front, rest)

    def state(self, rest: str) -> Asks:
        """Set a state: one's own, or with a name behind it a colleague's. Raises Wrong."""
        state, _, who = rest.partition(" ")
        for each in get_args(State):
            if state == each:
                return self._client.set_state(each, agent=self.colleague(who) if who else "")
        raise Wrong("/state available|away|offline WHO")

    def colleague(self, who: str) -> str:
        """Return the id of whoever is called that, by id, name or first name. Raises Wrong."""
        return _named(who, self.names, "no colleague is called")

    def _close(self, front: str, rest: str) -> Asks:
        return self._client.close(front, close_ticket=rest == "ticket")

    def _transfer(self, front: str, rest: str) -> Asks:
        who, _, note = needed(rest, "/transfer WHO NOTE, /transfer team TEAM NOTE").partition(" ")
        if who == "team" and note:
            team, _, note = note.partition(" ")
            return self._client.transfer(front, team=_named(team, self.teams, "no team is called"), note=note.strip())
        return self._client.transfer(front, self.colleague(who), note.strip())

    def _replies(self, front: str, rest: str) -> Asks:
        question, *labels = [part.strip() for part in rest.split("|")]
        if not question or not labels or not all(labels):
            raise Wrong(ANSWER)
        options = [samtale.Option(f"o{place}", label) for place, label in enumerate(labels, start=1)]
        return self._client.send(front, question, content=samtale.QuickReplies(options))

    def _note(self, front: str, text: str) -> Asks:
        told = [self.colleague(word[1:].rstrip(":,.")) for word in text.split() if word.startswith("@")]
        return self._client.note(front, needed(text, "/note TEXT"), mentions=told)

    def _tag(self, front: str, rest: str) -> Asks:
        words = needed(rest, "/tag +NEW -OLD").split()
        added = [word.lstrip("+") for word in words if not word.startswith("-")]
        return self._client.tag(front, added, [word[1:] for word in words if word.startswith("-")])

    def _field(self, front: str, rest: str) -> Asks:
        name, equals, value = rest.partition("=")
        if not equals or not name.strip():
            raise Wrong("/field NAME=VALUE")
        return self._client.set_fields(front, {name.strip(): value.strip()})

    def _priority(self, front: str, rest: str) -> Asks:
        for each in get_args(Priority):
            if rest == each:
                return self._client.set_priority(front, each)
        raise Wrong("/priority low|normal|high|urgent")

    def _ticket(self, front: str, rest: str) -> Asks:
        for each in get_args(TicketStatus):
            if rest == each:
                return self._client.set_ticket(front, each)
        raise Wrong("/ticket new|waiting_us|waiting_visitor|closed")

    def _snooze(self, front: str, rest: str) -> Asks:
        until = datetime.now() + timedelta(minutes=number(rest, "/snooze MINUTES"))
        return self._client.snooze(front, round(until.timestamp() * 1000))


def needed(text: str, how: str) -> str:
    """Return `text`. Raises Wrong if there is none."""
    if not text:
        raise Wrong(how)
    return text


def number(text: str, how: str) -> int:
    """Return the number that `text` is, with or without # before it. Raises Wrong."""
    if not text.removeprefix("#").isdecimal():
        raise Wrong(how)
    return int(text.removeprefix("#"))


def _named(who: str, names: Mapping[str, str], else_: str) -> str:
    for id_, name in names.items():
        if who.casefold() in (id_.casefold(), name.casefold(), name.split()[0].casefold()):
            return id_
    raise Wrong(f"{else_} {who}: {', '.join(names.values()) or 'there is none'}")
