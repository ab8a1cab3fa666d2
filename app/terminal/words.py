"""What happens in a conversation, in the words of the terminal.

Invariant: each kind of event has one form; kinds that are newer than this terminal say nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import samtale

_WAITS = {"started": "", "reopened": " again", "agent_lost": " again: the agent's line is gone"}
_REFUSED = {"consent_required": "first answer the question above: /agree or /decline"}
_FAREWELL = {
    4005: "the same device connected elsewhere",
    4501: "the credential is wrong",
    4502: "this client is too old for the server",
    4503: "this origin is not allowed",
    4504: "logged out",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: an agent by id, or the visitor of the conversation (no id). `names` of agents by id."""

    role: str
    id: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, author: samtale.Author) -> str:
        """Return what this reader calls `author`."""
        if author.role == self.role and self.id in ("", author.id):
            return "you"
        return author.name or author.role


def of_body(event: samtale.LogEvent, reader: Reader) -> tuple[str, str | None, bool] | None:
    """Return (text, colour, whether it is dim) for an event as `reader` reads it, or None."""
    clock = _clock(event.at_ms)
    match event.body:
        case samtale.Message(by, text):
            name = reader.name_of(by)
            return f"{clock}  {name}: {text}", None if name == "you" else "cyan", False
        case samtale.Started(welcome=welcome) if welcome:
            return f"{clock}  {welcome}", "green", False
        case body:
            said = _passing(body, reader)
            return None if said is None else (f"{clock}  — {said}", None, True)


def _clock(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000)
    return at.strftime("%H:%M" if at.date() == datetime.now().date() else "%Y-%m-%d %H:%M")


def _passing(body: samtale.Body, reader: Reader) -> str | None:
    match body:
        case samtale.Started():
            return "the conversation begins"
        case samtale.ConsentAnswered(answer=answer):
            return f"consent to process: {answer}"
        case samtale.Queued(reason):
            return f"waiting for an agent{_WAITS.get(reason, '')}"
        case samtale.Unrouted():
            return "waiting for somebody to take it"
        case samtale.Assigned(agent, reason):
            return f"{reader.name_of(agent)} {_have(agent, reader)} the conversation ({reason})"
        case samtale.Unassigned(agent, reason):
            return f"{reader.name_of(agent)} {_have(agent, reader)} it no longer ({reason})"
        case samtale.Transferred(by, to, note):
            to_whom = "you" if to == reader.id and reader.role == "agent" else reader.names.get(to, to)
            verb = "hand" if reader.name_of(by) == "you" else "hands"
            return f"{reader.name_of(by)} {verb} it to {to_whom}" + (f": {note}" if note else "")
        case samtale.Closed(by, reason):
            who = "the system" if by.role == "system" else reader.name_of(by)
            return f"closed by {who} ({reason}); a message opens it again"
        case samtale.Reopened():
            return "opened again"
        case samtale.Parked(error):
            return f"set aside because of a fault: {error}"
        case _:
            return None


def _have(agent: samtale.Author, reader: Reader) -> str:
    return "have" if reader.name_of(agent) == "you" else "has"


def of_refusal(refused: samtale.Refused, text: str = "") -> str:
    """Return why something was not done; `text`: what was said, if it was a message."""
    why = _REFUSED.get(refused.code, f"{refused.text} ({refused.code})")
    return f"not sent, “{text}”: {why}" if text else f"not done: {why}"


def of_farewell(event: samtale.Disconnected, refused: samtale.Refused | None) -> str:
    """Return why the server does not want us back."""
    if event.code == 4501 and event.reason.startswith("login:"):
        return "the e-mail or the password is wrong"
    why = _FAREWELL.get(event.code, f"the server ended it for good, {event.code}")
    more = f"{refused.text} ({refused.code})" if refused is not None and not refused.id else event.reason
    return f"{why}: {more}" if more else why
