"""What happens in a conversation, in the words that its visitor is served (SPEC 4.1, `texts`).

Invariant: each kind of event has one form; kinds that are newer than this terminal say nothing, and so do those whose
words another event says. A text that the server does not give is said in English.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import samtale

from app.terminal.words import Reader, Words, clock, of_message

ME = Reader("visitor")
_ENGLISH = {
    "waiting": "We are finding somebody who can help you…",
    "handed_on": "We are finding somebody else who can help you.",
    "assigned": "You are now talking with {agent}.",
    "typing": "{agent} is typing…",
    "closed": "The conversation is closed.",
    "closed_agent": "{agent} ended the conversation.",
    "closed_visitor": "You ended the conversation.",
    "write_to_reopen": "Write to open the conversation again.",
    "reopened": "The conversation is open again.",
    "redacted": "The message was removed.",
    "email_given": "Thank you. We can reach you at {email}.",
    "queue_next": "You are next in line.",
    "queue_place": "You are number {place} in line.",
    "queue_about": "You are about number {place} in line.",
    "wait_soon": "Expected wait: less than a minute.",
    "wait_minutes": "Expected wait: about {minutes} min.",
    "consent_agree": "I agree",
    "consent_decline": "Not now",
    "storage_agree": "Remember me on this device",
    "storage_decline": "Do not remember me",
    "read": "Read",
}
_WAITING = frozenset({"started", "returned", "reopened"})
_FINAL = frozenset({"consent_withdrawn", "blocked", "spam"})


@dataclass(slots=True)
class VisitorWords:
    """`texts`: those of the chatflow that is served."""

    texts: Mapping[str, str] = field(default_factory=dict)

    def say(self, name: str, **values: object) -> str:
        """Return the text of that name, with `values` put in."""
        text = self.texts.get(name) or _ENGLISH[name]
        for slot, value in values.items():
            text = text.replace(f"{{{slot}}}", str(value))
        return text

    def of_body(self, event: samtale.LogEvent) -> Words | None:
        """Return what an event says to the visitor, or None."""
        match event.body:
            case samtale.Message() as message:
                return of_message(event, message, ME)
            case samtale.Started(welcome=welcome) if welcome:
                return f"{clock(event.at_ms)}  {welcome}", "green", False
            case samtale.EmailAsked(text=text):
                return f"{clock(event.at_ms)}  {text}  (/email ADDRESS)", "yellow", False
            case body:
                said = self._passing(body)
                return None if said is None else (f"{clock(event.at_ms)}  — {said}", None, True)

    def of_place(self, place: samtale.Place) -> str:
        """Return how far they are in the queue."""
        if place.place == 1 and place.exact:
            where = self.say("queue_next")
        else:
            where = self.say("queue_place" if place.exact else "queue_about", place=place.place)
        if place.wait_s is None:
            return where
        minutes = round(place.wait_s / 60)
        return f"{where} {self.say('wait_minutes', minutes=minutes) if minutes else self.say('wait_soon')}"

    def _passing(self, body: samtale.Body) -> str | None:
        match body:
            case samtale.ConsentAnswered("process", ("granted" | "declined") as answer):
                return self.say("consent_agree" if answer == "granted" else "consent_decline")
            case samtale.ConsentAnswered("storage", ("granted" | "declined") as answer):
                return self.say("storage_agree" if answer == "granted" else "storage_decline")
            case samtale.EmailGiven(email):
                return self.say("email_given", email=email)
            case samtale.Queued(reason):
                return self.say("waiting" if reason in _WAITING else "handed_on")
            case samtale.Unrouted():
                return self.say("waiting")
            case samtale.Assigned(agent):
                return self.say("assigned", agent=ME.name_of(agent))
            case samtale.Closed(by, reason):
                return self._closed(by, reason)
            case samtale.Reopened():
                return self.say("reopened")
            case samtale.Redacted():
                return self.say("redacted")
            case _:
                return None

    def _closed(self, by: samtale.Author, reason: str) -> str:
        name = f"closed_{reason}" if f"closed_{reason}" in {**_ENGLISH, **self.texts} else "closed"
        again = "" if reason in _FINAL else f" {self.say('write_to_reopen')}"
        return self.say(name, agent=ME.name_of(by)) + again
