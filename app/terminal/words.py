"""What happens in a conversation, in the words of the terminal.

Invariant: each kind of event has one form; kinds that are newer than this terminal say nothing.
"""

from datetime import datetime

import samtale

_WAITS = {"started": "", "reopened": " again", "agent_lost": " again: the agent's line is gone"}


def of_body(event: samtale.LogEvent, role: str) -> tuple[str, str | None, bool] | None:
    """Return (text, colour, whether it is dim) for an event as somebody of `role` reads it, or None."""
    clock = datetime.fromtimestamp(event.at_ms / 1000).strftime("%H:%M")
    match event.body:
        case samtale.Message(by, text):
            mine = by.role == role
            name = "you" if mine else by.name or by.role
            return f"{clock}  {name}: {text}", None if mine else "cyan", False
        case samtale.Started(welcome=welcome) if welcome:
            return f"{clock}  {welcome}", "green", False
        case body:
            said = _passing(body)
            return None if said is None else (f"{clock}  — {said}", None, True)


def _passing(body: samtale.Body) -> str | None:
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
            return f"{agent.name} has the conversation ({reason})"
        case samtale.Unassigned(agent, reason):
            return f"{agent.name} has it no longer ({reason})"
        case samtale.Transferred(by, to, note):
            return f"{by.name} hands it to {to}" + (f": {note}" if note else "")
        case samtale.Closed(by, reason):
            return f"closed by {by.name or reason}; a message opens it again"
        case samtale.Reopened():
            return "opened again"
        case samtale.Parked(error):
            return f"set aside because of a fault: {error}"
        case _:
            return None


def of_refusal(refused: samtale.Refused) -> str:
    """Return why something was not done."""
    return f"not done ({refused.code}): {refused.text}"


def of_line(event: samtale.Disconnected) -> str:
    """Return what became of the connection."""
    if event.again_in_s is None:
        return f"disconnected for good ({event.code} {event.reason})"
    return f"connection lost ({event.code}); again in {event.again_in_s:.1f} s — what you write meanwhile is kept"
