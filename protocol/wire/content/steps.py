"""The steps before and around talking, as they were asked and answered (SPEC 4).

Invariant: a consent is to one text, which its hash names.
"""

from typing import Literal

from protocol.ids import ContactId
from protocol.wire.content.body import Body


class ConsentAnswered(Body, frozen=True, tag="consent"):
    """A consent step was answered. `text_hash` is the hex SHA-256 of the text that was on the screen.

    `purpose` communicate: `subscription` is what it was about.
    """

    purpose: Literal["storage", "process", "communicate"]
    answer: Literal["granted", "declined", "implied", "withdrawn"]
    text_hash: str
    locale: str
    version: int = 0
    subscription: str = ""


class EmailAsked(Body, frozen=True, tag="email_asked"):
    """The visitor is asked for an e-mail address, in these words. `why`: before_chat, first_message, delay, away,
    overflow, invalid (asked again)."""

    why: str
    text: str


class EmailGiven(Body, frozen=True, tag="email_given"):
    """The visitor gave an address. `contact` is whom it names; `verified` only if the company vouches for it."""

    email: str
    contact: ContactId
    verified: bool = False


class EmailGivenUp(Body, frozen=True, tag="email_given_up"):
    """No valid address after two more asks: it is not asked again here."""
