"""What an agent can do (SPEC 8).

Invariant: asking is done at once and survives the connection; what passes by is dropped without one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from samtale.asked import Asked
from samtale.console import SERIES, Console
from samtale.content import Content, to_wire
from samtale.desk import NextAgent

__all__ = ["AgentClient"]

State = Literal["available", "away", "offline"]
Priority = Literal["low", "normal", "high", "urgent"]
TicketStatus = Literal["new", "waiting_us", "waiting_visitor", "closed"]


class AgentClient(Console):
    """Each of these is about one conversation, named first, or about the agent."""

    # Talking.

    def send(self, conversation: str, text: str = "", *, content: Content | None = None, canned: str = "") -> Asked:
        """Say `text`, `content`, or the ready reply `canned`; a conversation that nobody has is claimed by it."""
        more: dict[str, Any] = {"canned": canned} if canned else {}
        if content is not None:
            more["content"] = to_wire(content)
        return self._ask("send", conversation, text=text, **more)

    async def send_file(
        self, conversation: str, source: Path | bytes, text: str = "", *, name: str = "", type_: str = ""
    ) -> Asked:
        """Upload a file and say it, with `text` for a caption; await the result for the outcome of the message.

        `name` and `type_` are the file's own if left out. Raises RefusedError; LineLost if not connected, or not any
        more; OSError if it cannot be read.
        """
        done = await self.files.upload(conversation, source, name, type_)
        return self._ask("send", conversation, text=text, attachments=[done.receipt])

    def close(self, conversation: str, *, spam: bool = False, close_ticket: bool = False) -> Asked:
        """End a conversation; as `spam` no survey is asked. `close_ticket`: and its ticket."""
        flags = {"spam": spam, "close_ticket": close_ticket}
        return self._ask("close", conversation, **{name: True for name, on in flags.items() if on})

    def typing(self, conversation: str, on: bool = True) -> None:
        """Say that the agent types, or stopped; dropped without a connection."""
        self.outlet.put({"t": "typing", "conversation": conversation, "on": on})

    # Getting and handing on.

    def set_state(self, state: State, *, agent: str = "") -> Asked:
        """Say whether conversations may be offered; to another `agent`, by a supervisor."""
        return self.asking.ask(SERIES, {"t": "set_state", "state": state, **({"agent": agent} if agent else {})})

    def accept(self, offer: str) -> Asked:
        """Take what is offered."""
        return self.asking.ask(SERIES, {"t": "accept", "offer": offer})

    def decline(self, offer: str) -> Asked:
        """Let it go to somebody else."""
        return self.asking.ask(SERIES, {"t": "decline", "offer": offer})

    def claim(self, conversation: str, *, force: bool = False) -> Asked:
        """Take a conversation that nobody has; `force`: above capacity, by a supervisor."""
        return self._ask("claim", conversation, **_forced(force))

    def transfer(
        self, conversation: str, to: str = "", note: str = "", *, team: str = "", force: bool = False
    ) -> Asked:
        """Hand it to agent `to` or to `team`; `note` is for colleagues."""
        whom = {"team": team} if team else {"to": to}
        return self._ask("transfer", conversation, **whom, note=note, **_forced(force))

    async def who_next(self, rule: str) -> NextAgent:
        """Return who would get a new conversation of `rule` now. Raises RefusedError; LineLost if not connected."""
        answer: NextAgent = await self.questions.ask({"t": "who_next", "rule": rule})
        return answer

    # Among colleagues.

    def note(self, conversation: str, text: str, *, mentions: Sequence[str] = ()) -> Asked:
        """Write what no visitor ever sees; `mentions`: agents who are told."""
        return self._ask("note", conversation, text=text, mentions=list(mentions))

    def whisper(self, conversation: str, text: str) -> Asked:
        """Say something to whoever has the conversation, as a supervisor."""
        return self._ask("note", conversation, text=text, whisper=True)

    def tag(self, conversation: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Asked:
        """Put tags on it and take others off."""
        return self._ask("tag", conversation, add=list(add), remove=list(remove))

    def set_fields(self, conversation: str, fields: Mapping[str, str]) -> Asked:
        """Set custom fields; "" removes one."""
        return self._ask("set_fields", conversation, fields=dict(fields))

    def set_priority(self, conversation: str, priority: Priority) -> Asked:
        """Say where it stands in its queue."""
        return self._ask("set_priority", conversation, priority=priority)

    def set_ticket(self, conversation: str, status: TicketStatus) -> Asked:
        """Set the status of its ticket."""
        return self._ask("set_ticket", conversation, status=status)

    def snooze(self, conversation: str, until_ms: int) -> Asked:
        """Put it off until then (ms since 1970) or until the visitor speaks."""
        return self._ask("snooze", conversation, until_ms=until_ms)

    def wake(self, conversation: str) -> Asked:
        """Snooze it no longer."""
        return self._ask("snooze", conversation, until_ms=0)

    # Against harm.

    def redact(self, conversation: str, seq: int) -> Asked:
        """Remove the text of one message or note for good."""
        return self._ask("redact", conversation, seq=seq)

    def block(self, conversation: str, on: bool = True) -> Asked:
        """Let its visitor write no more, or (`on` False) again."""
        return self._ask("block", conversation, **({} if on else {"on": False}))

    def _ask(self, name: str, conversation: str, **fields: Any) -> Asked:
        return self.asking.ask(SERIES, {"t": name, "conversation": conversation, **fields})


def _forced(force: bool) -> dict[str, bool]:
    return {"force": True} if force else {}
