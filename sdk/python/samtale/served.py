"""What a visitor is served: the chatflow as it looks, who is there, and what is still to be answered (SPEC 4).

Invariant: a `Chatflow` is the same for every visitor of one locale; what concerns this one is in `Steps`.
"""

from dataclasses import dataclass, field

STORAGE, PROCESS, EMAIL = "storage_consent", "consent_to_process", "email"


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """Who is on top. `kind`: custom (`name`, `image`), users_and_teams, assigned_agent or contact_owner (`people`)."""

    kind: str
    name: str = ""
    image: str = ""
    people: list[Person] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The name, or the people's names."""
        return self.name or ", ".join(person.name for person in self.people)


@dataclass(frozen=True, slots=True)
class Storage:
    """May the secret be kept on this phone? `ask`: before_chat, or on_exit_intent."""

    ask: str
    text: str
    text_hash: str


@dataclass(frozen=True, slots=True)
class Communicate:
    """The box on the consent card, unticked."""

    subscription: str
    label: str
    text_hash: str


@dataclass(frozen=True, slots=True)
class Consent:
    """The consent to process. `mode`: explicit ("I agree", "Not now"), or legitimate_interest (writing is consent)."""

    mode: str
    text: str
    text_hash: str
    communicate: Communicate | None = None


@dataclass(frozen=True, slots=True)
class EmailAsk:
    """The words in which an address is asked for before the chat."""

    text: str


@dataclass(frozen=True, slots=True)
class Display:
    """What small and large screens show at first (launcher, welcome_prompt, open), and the colours (#rrggbb)."""

    small: str
    large: str
    accent: str
    on_accent: str


@dataclass(frozen=True, slots=True)
class Chatflow:
    """What to show of the chat (SPEC 4.1). `texts`: the words of the interface, by name."""

    id: str
    version: int
    name: str
    locale: str
    heading: Heading
    welcome: str | None = None
    storage: Storage | None = None
    consent: Consent | None = None
    email: EmailAsk | None = None
    close_button: bool = True
    display: Display | None = None
    texts: dict[str, str] = field(default_factory=dict)
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether somebody is there. `opens_at`: ms since 1970, 0 unknown. `reply`: minutes, hour, day, or ""."""

    open: bool
    may_start: bool = True
    text: str = ""
    opens_at: int = 0
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Steps:
    """What this visitor must answer before they may write, in the order of the screen."""

    outstanding: list[str] = field(default_factory=list)
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as `ready` found it. `status`: new, gated, open, snoozed or closed."""

    id: str
    status: str
    seq: int
    chatflow: str = ""
