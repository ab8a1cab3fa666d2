"""What happens in a conversation, in the words of an agent's terminal.

Invariant: each kind of event has one form; kinds that are newer than this terminal say nothing. Whatever no visitor
sees is marked.
"""

import samtale

from app.terminal.words import Reader, Words, clock, of_message

_WAITS = {
    "started": "",
    "returned": " again",
    "reopened": " again",
    "agent_lost": " again: the agent's line is gone",
    "no_reply": " again: nobody answered",
    "transfer": " for whom it was handed to",
}
_ASKED = {"before_chat": "before the chat", "first_message": "now", "delay": "now", "invalid": "again"}


def of_body(event: samtale.LogEvent, reader: Reader) -> Words | None:
    """Return an event as `reader` reads it, or None."""
    match event.body:
        case samtale.Message() as message:
            text, colour, dim = of_message(event, message, reader)
            return f"{text}  #{event.seq}" if message.by.role == "visitor" else text, colour, dim
        case samtale.Note() as note:
            return _note(event, note, reader), "magenta", False
        case samtale.Started(welcome=welcome) if welcome:
            return f"{clock(event.at_ms)}  {welcome}", "green", False
        case body:
            said = _of_visitor(body) or _of_agents(body, reader) or _of_desk(body, reader)
            return None if not said else (f"{clock(event.at_ms)}  — {said}", None, True)


def _note(event: samtale.LogEvent, note: samtale.Note, reader: Reader) -> str:
    who = reader.name_of(note.by)
    kind = ("whisper" if note.whisper else "note") + ("" if who == "you" else "s")
    text = "(removed)" if note.redacted else note.text
    told = "".join(f" @{reader.names.get(each, each)}" for each in note.mentions)
    return f"{clock(event.at_ms)}  ▍{who} {kind}:{told} {text}  #{event.seq}"


def _of_visitor(body: samtale.Body) -> str:
    match body:
        case samtale.Started(by=by):
            return "the conversation begins" if by == "visitor" else "the company begins the conversation"
        case samtale.ConsentAnswered(purpose, answer, subscription=subscription):
            return f"consent to {purpose}{f' about {subscription}' if subscription else ''}: {answer}"
        case samtale.EmailAsked(why):
            return f"the visitor is asked for an e-mail address {_ASKED.get(why, f'({why})')}"
        case samtale.EmailGiven(email, verified=verified):
            return f"e-mail: {email}{'' if verified else ' (not verified)'}"
        case samtale.EmailGivenUp():
            return "no e-mail address; it is not asked again"
        case samtale.SurveyAsked(ask=ask, question=question):
            return f"survey {ask} asks: {question}"
        case samtale.SurveySeen(ask, dismissed):
            return f"survey {ask} was {'put away' if dismissed else 'seen'}"
        case samtale.SurveyAnswered(ask, score):
            return f"survey {ask}: {score}"
        case samtale.SurveyCommented(ask, text):
            return f"survey {ask}: “{text}”"
        case samtale.SurveyExpired(ask):
            return f"survey {ask} has expired"
        case samtale.Erased():
            return "the person was erased, and all that was said"
        case _:
            return ""


def _of_agents(body: samtale.Body, reader: Reader) -> str:
    match body:
        case samtale.Queued(reason):
            return f"waiting for an agent{_WAITS.get(reason, '')}"
        case samtale.Unrouted():
            return "waiting for somebody to take it"
        case samtale.Assigned(agent, reason):
            return f"{reader.name_of(agent)} {_have(agent, reader)} the conversation ({reason})"
        case samtale.Unassigned(agent, reason):
            return f"{reader.name_of(agent)} {_have(agent, reader)} it no longer ({reason})"
        case samtale.Transferred(by, to, note, team):
            whom = "you" if to and to == reader.id else reader.names.get(to or team, to or team)
            verb = "hand" if reader.name_of(by) == "you" else "hands"
            return f"{reader.name_of(by)} {verb} it to {whom}" + (f": {note}" if note else "")
        case samtale.Closed(by, reason):
            who = "the system" if by.role == "system" else reader.name_of(by)
            why = "" if reason == by.role else f" ({reason})"
            return f"closed by {who}{why}; a message opens it again"
        case samtale.Reopened():
            return "opened again"
        case samtale.Merged(over=over, other=other):
            return f"the visitor logged in{f'; {other} goes on in its place' if over else ''}"
        case _:
            return ""


def _of_desk(body: samtale.Body, reader: Reader) -> str:
    match body:
        case samtale.Redacted(by, of):
            return f"{reader.name_of(by)} removed #{of}"
        case samtale.TagsChanged(by, added, removed):
            changed = " ".join([*(f"+{tag}" for tag in added), *(f"-{tag}" for tag in removed)])
            return f"{reader.name_of(by)} tagged it: {changed}"
        case samtale.FieldsSet(by, fields):
            return f"{reader.name_of(by)} set {', '.join(f'{name}={value}' for name, value in fields.items())}"
        case samtale.PrioritySet(by, priority):
            return f"{reader.name_of(by)} set the priority: {priority}"
        case samtale.Snoozed(by, until_ms):
            return f"{reader.name_of(by)} put it off until {clock(until_ms)}"
        case samtale.Woken(why):
            return f"it is awake again ({why})"
        case samtale.TicketOpened(number):
            return f"ticket {number}"
        case samtale.TicketChanged(by, status):
            return f"{reader.name_of(by)} set the ticket: {status}"
        case samtale.Parked(error):
            return f"set aside because of a fault: {error}"
        case _:
            return ""


def _have(agent: samtale.Author, reader: Reader) -> str:
    return "have" if reader.name_of(agent) == "you" else "has"
