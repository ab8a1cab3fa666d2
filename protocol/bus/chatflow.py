"""A chatflow: what is live at once, and one published version of everything else (product §2, §3, §7).

Invariant: immutable once published. Texts are per locale and read along `texts.text_for`; a text that is not given is
the catalogue's. Times are seconds, 0 where it says so: never.
"""

from typing import Literal

import msgspec

from protocol.bus.staff import Priority
from protocol.ids import AgentId, ChatflowId, HoursId, InboxId, RuleId, SubscriptionId, SurveyId, TeamId

Texts = dict[str, str]  # locale → text
Prompt = Literal["launcher", "welcome_prompt", "open"]
EmailMoment = Literal["never", "before_chat", "on_first_message", "after_delay"]
Scale = Literal["faces", "stars", "ten", "thumbs"]
SCORES: dict[Scale, range] = {"faces": range(3), "stars": range(1, 6), "ten": range(11), "thumbs": range(2)}
SATISFIED: dict[Scale, frozenset[int]] = {  # `ten` reports mean and distribution instead
    "faces": frozenset({2}), "stars": frozenset({4, 5}), "ten": frozenset(), "thumbs": frozenset({1}),
}  # fmt: skip


class Consent(msgspec.Struct, frozen=True):
    """Consent to process. `ask_again_from`: grants under an earlier version of this chatflow no longer count."""

    mode: Literal["off", "explicit", "legitimate_interest"] = "explicit"
    text: Texts = {}
    ask_again_from: int = 0


class Communicate(msgspec.Struct, frozen=True):
    """The consent to communicate: a box on the same card, unticked. `label` is what stands beside it."""

    subscription: SubscriptionId
    label: Texts = {}


class Storage(msgspec.Struct, frozen=True):
    """The consent to keep the device secret on the phone."""

    ask: Literal["never", "before_chat", "on_exit_intent"] = "never"
    text: Texts = {}


class EmailCapture(msgspec.Struct, frozen=True):
    """When the visitor's e-mail is asked: while the flow is `open`, and while it is `away`."""

    open: EmailMoment = "after_delay"
    away: EmailMoment = "on_first_message"
    delay_s: int = 30
    text: Texts = {}
    away_text: Texts = {}


class Heading(msgspec.Struct, frozen=True):
    """Who the visitor sees. `custom` has a `name` and an `image`, and hides every agent behind them (alias)."""

    kind: Literal["custom", "users_and_teams", "assigned_agent", "contact_owner"] = "custom"
    name: str = ""
    image: str = ""  # an https address, or a path at the server
    agents: list[AgentId] = []
    teams: list[TeamId] = []

    @property
    def alias(self) -> str:
        """What agents are called before visitors; "" if by their own names."""
        return self.name if self.kind == "custom" else ""


class Display(msgspec.Struct, frozen=True):
    """What a small and a large screen show at first, and the colours (#rrggbb)."""

    small: Prompt = "launcher"
    large: Prompt = "welcome_prompt"
    accent: str = "#1f5eff"
    on_accent: str = "#ffffff"


class Availability(msgspec.Struct, frozen=True):
    """When somebody is there. `nobody`: what happens under agents_available when nobody is.

    `away_text`, `opening_text` ({opens}) and `reply_text` ({time}) are shown with what is measured put in.
    """

    kind: Literal["always", "office_hours", "agents_available"] = "always"
    hours: HoursId | None = None
    nobody: Literal["away_message", "hide"] = "away_message"
    route_if_available: bool = False
    away_text: Texts = {}
    opening_text: Texts = {}
    reply_text: Texts = {}


class Survey(msgspec.Struct, frozen=True):
    """The questions asked when a conversation closes. `follow_up` and `thanks`: score (as text, or `any`) → texts."""

    id: SurveyId
    name: str
    delivery: Literal["chat", "email", "link"] = "chat"
    scale: Scale = "faces"
    question: Texts = {}
    follow_up: dict[str, Texts] = {}
    thanks: dict[str, Texts] = {}
    expires_s: int = 604_800
    on_inactivity: bool = False


class Targeting(msgspec.Struct, frozen=True):
    """Which devices the chatflow is for; what is empty asks nothing. Decides new conversations only.

    `min_version` and `max_version` are of the app, both included; `percentage` is stable per device.
    """

    platforms: list[str] = []
    min_version: str = ""
    max_version: str = ""
    locales: list[str] = []  # a language takes all its regions
    identified: bool | None = None
    attributes: dict[str, str] = {}
    schedule: HoursId | None = None
    percentage: int = 100


class Rollout(msgspec.Struct, frozen=True):
    """Who gets the newest version: a share (percent, stable per device) of those with at least `min_version`."""

    share: int = 100
    min_version: str = ""


class Chatflow(msgspec.Struct, frozen=True):
    """One version of a chatflow, and what is live at once: see `LIVE`."""

    id: ChatflowId
    version: int
    name: str
    inbox: InboxId
    tags: list[str]
    priority: int  # 1 is served first
    enabled: bool
    language: str
    rule: RuleId | None  # None: assignment is off
    heading: Heading
    welcome: Texts = {}
    consent: Consent = Consent()
    close_button: bool = True
    reopen_window_s: int = 259_200
    gated_ttl_s: int = 86_400
    former_tags: list[str] = []
    rollout: Rollout = Rollout()
    kind: Literal["live_agent"] = "live_agent"
    welcome_always: bool = False
    texts: dict[str, Texts] = {}  # interface texts of its own: locale → name → text
    communicate: Communicate | None = None
    storage: Storage = Storage()
    email: EmailCapture = EmailCapture()
    display: Display = Display()
    availability: Availability = Availability()
    targeting: Targeting = Targeting()
    marketing: bool = False
    queue_priority: Priority = "normal"
    inactivity_s: int = 86_400  # 0: never
    survey: Survey | None = None
    archived: bool = False  # no longer in the workspace file: disabled, and kept for the conversations it had


LIVE = ("enabled", "priority", "tags", "former_tags", "rollout", "archived")
