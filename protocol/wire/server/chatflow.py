"""A chatflow as a phone shows it: texts, steps, heading, screens, and whether somebody is there (SPEC 4).

Invariant: all texts are in one locale; nothing here is of one visitor but `StepsView`.
"""

from typing import Literal

from msgspec import Struct


class StorageStep(Struct, frozen=True):
    """The consent to keep the secret on the phone (SPEC 4.4)."""

    ask: Literal["before_chat", "on_exit_intent"]
    text: str
    text_hash: str


class CommunicateStep(Struct, frozen=True):
    """The box on the consent card (SPEC 4.3), unticked."""

    subscription: str
    label: str
    text_hash: str


class ConsentStep(Struct, frozen=True, omit_defaults=True):
    """The consent to process (SPEC 4.3)."""

    mode: Literal["explicit", "legitimate_interest"]
    text: str
    text_hash: str
    communicate: CommunicateStep | None = None


class EmailStep(Struct, frozen=True):
    """The e-mail address that is asked before the chat (SPEC 4.5)."""

    text: str


class HeadingView(Struct, frozen=True, omit_defaults=True):
    """Who the visitor sees: a name and an image, or up to three people (SPEC 4.1)."""

    kind: Literal["custom", "users_and_teams", "assigned_agent", "contact_owner"]
    name: str = ""
    image: str = ""
    people: list["PersonView"] = []


class PersonView(Struct, frozen=True, omit_defaults=True):
    name: str
    picture: str = ""


class DisplayView(Struct, frozen=True):
    """What small and large screens show at first, and the colours (SPEC 4.1)."""

    small: Literal["launcher", "welcome_prompt", "open"]
    large: Literal["launcher", "welcome_prompt", "open"]
    accent: str
    on_accent: str


class ChatflowView(Struct, frozen=True, omit_defaults=True):
    """What the phone shows of the chatflow it is served, in one locale (SPEC 4.1). The same for every visitor.

    `etag` names exactly this view: a client that says it holds it is sent the view with nothing but `id`, `version`,
    `name`, `locale`, `heading` and `etag`.
    """

    id: str
    version: int
    name: str
    locale: str
    heading: HeadingView
    welcome: str | None = None
    storage: StorageStep | None = None
    consent: ConsentStep | None = None
    email: EmailStep | None = None
    close_button: bool = True
    display: DisplayView | None = None
    texts: dict[str, str] = {}
    etag: str = ""


class AvailabilityView(Struct, frozen=True, omit_defaults=True):
    """Whether somebody is there, and what to say if not (SPEC 4.8). `opens_at`: ms; `reply`: minutes, hour, day."""

    open: bool
    may_start: bool = True
    text: str = ""
    opens_at: int = 0
    reply: str = ""


class StepsView(Struct, frozen=True, omit_defaults=True):
    """What this visitor must still answer before the composer is enabled, in the order of the screen (SPEC 4.2)."""

    outstanding: list[Literal["storage_consent", "consent_to_process", "email"]] = []
    blocked: bool = False
