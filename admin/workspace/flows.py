"""The shape of a chatflow and of surveys, field by field.

Invariant: names, units and defaults are those of `protocol.bus.chatflow`; a field that is not here is refused. A rule
"" is the inbox's default one, and a survey without a name is a link to one of the account's.
"""

from admin.workspace.forms import app_version, colour, image, tag
from admin.workspace.places import Place, Wrong
from admin.workspace.readers import (
    flag,
    ident,
    list_of,
    locale,
    locale_key,
    number,
    one_of,
    reads,
    table_of,
    text,
    texts,
)
from admin.workspace.staffing import DAY_S
from admin.workspace.structs import Placed, plain, struct
from protocol.bus import chatflow
from protocol.bus.chatflow import SCORES, Chatflow, Heading, Survey
from protocol.bus.staff import PRIORITIES
from protocol.ids import SurveyId, is_id

MONTH_S = 30 * DAY_S
OFF = "off"  # the rule that seeks nobody
LAST = 1_000_000  # and on: the priorities of chatflows that name none
UNNAMED = 0
LONG_TEXT = 10_000
SHORT_TEXT = 500
MAX_VERSION = 1_000_000
PLATFORMS = ("ios", "android", "web", "react_native", "python", "other")
_MOMENTS = ("never", "before_chat", "on_first_message", "after_delay")
_PROMPTS = ("launcher", "welcome_prompt", "open")


def _id_key(name: str) -> str | None:
    return None if is_id(name) else f"{name} is not a name: 1 to 64 of A–Z a–z 0–9 _ . : -"


def _no_key(_name: str) -> None:
    return None


TEXTS = table_of(
    locale_key, table_of(_no_key, text(LONG_TEXT), "texts by name, such as {send: Send}"), "texts per locale"
)

_HEADING = struct(
    Heading,
    {
        "kind": one_of("custom", "users_and_teams", "assigned_agent", "contact_owner"),
        "name": text(100),
        "image": image,
        "agents": list_of(ident, named=True),
        "teams": list_of(ident, named=True),
    },
)
_CONSENT = struct(
    chatflow.Consent,
    {
        "mode": one_of("off", "explicit", "legitimate_interest"),
        "text": texts(LONG_TEXT),
        "ask_again_from": number(0, MAX_VERSION),
    },
)
_COMMUNICATE = struct(chatflow.Communicate, {"subscription": ident, "label": texts(SHORT_TEXT)})
_STORAGE = struct(chatflow.Storage, {"ask": one_of("never", "before_chat", "on_exit_intent"), "text": texts(LONG_TEXT)})
_EMAIL = struct(
    chatflow.EmailCapture,
    {
        "open": one_of(*_MOMENTS),
        "away": one_of(*_MOMENTS),
        "delay_s": number(1, DAY_S),
        "text": texts(LONG_TEXT),
        "away_text": texts(LONG_TEXT),
    },
)
_DISPLAY = struct(
    chatflow.Display,
    {"small": one_of(*_PROMPTS), "large": one_of(*_PROMPTS), "accent": colour, "on_accent": colour},
)
_AVAILABILITY = struct(
    chatflow.Availability,
    {
        "kind": one_of("always", "office_hours", "agents_available"),
        "hours": ident,
        "nobody": one_of("away_message", "hide"),
        "route_if_available": flag,
        "away_text": texts(LONG_TEXT),
        "opening_text": texts(SHORT_TEXT),
        "reply_text": texts(SHORT_TEXT),
    },
)
_TARGETING = struct(
    chatflow.Targeting,
    {
        "platforms": list_of(one_of(*PLATFORMS), named=True),
        "min_version": app_version,
        "max_version": app_version,
        "locales": list_of(locale, named=True),
        "identified": flag,
        "attributes": table_of(_id_key, text(500), "values by name, such as {plan: gold}"),
        "schedule": ident,
        "percentage": number(0, 100),
    },
)
_ROLLOUT = struct(chatflow.Rollout, {"share": number(0, 100), "min_version": app_version})
_BY_SCORE = table_of(_no_key, texts(SHORT_TEXT), "texts by score, such as {any: {nb: Takk}}")
SURVEY = struct(
    Survey,
    {
        "id": ident,
        "name": text(100),
        "delivery": one_of("chat", "email", "link"),
        "scale": one_of(*SCORES),
        "question": texts(SHORT_TEXT),
        "follow_up": _BY_SCORE,
        "thanks": _BY_SCORE,
        "expires_s": number(3_600, 3 * MONTH_S),
        "on_inactivity": flag,
    },
)


def check_survey(survey: Placed[Survey]) -> None:
    """Note texts for scores that the scale does not have."""
    scores = {"any", *(str(score) for score in SCORES.get(survey.thing.scale, range(11)))}
    for field, by_score in (("follow_up", survey.thing.follow_up), ("thanks", survey.thing.thanks)):
        for score in by_score.keys() - scores:
            survey.wrong(f"{field}.{score}", f"is no score of {survey.thing.scale}, nor any")


@reads({"oneOf": [ident.schema, SURVEY.schema], "description": "the id of a survey of the account, or one made here"})
def _survey(here: Place) -> Survey:
    """Read the id of a survey of the account, or a survey that is made here."""
    if here.scalar("str") is not None:
        return Survey(SurveyId(ident(here)), "")
    survey = plain(SURVEY, check_survey)(here)
    if survey.delivery != "chat":
        raise Wrong(by_another_way(survey))
    return survey


def is_link(flow: Placed[Chatflow]) -> bool:
    """Whether the flow's survey is one of the account's."""
    return flow.has("survey") and flow.at["survey"].scalar("str") is not None


def by_another_way(survey: Survey) -> str:
    """Say why a chatflow cannot ask `survey`."""
    return f"{survey.id} is delivered by {survey.delivery}; only surveys whose delivery is chat can be linked"


@reads({"oneOf": [text(100).schema, _HEADING.schema], "description": "text alone is the name of a custom one"})
def _heading(here: Place) -> Heading:
    """Read a heading; text alone is the name of a custom one."""
    return Heading(name=text(100)(here)) if here.scalar("str") is not None else plain(_HEADING)(here)


@reads({"type": "boolean", "enum": [False], "default": False})
def _no_knowledge_base(here: Place) -> None:
    """Read that there is none."""
    if flag(here):
        raise Wrong("the knowledge base is not in this version")


CHATFLOW = struct(
    Chatflow,
    {
        "id": ident,
        "name": text(100),
        "kind": one_of("live_agent", later=("customer_agent", "rule_bot")),
        "inbox": ident,
        "tags": list_of(tag, least=1, named=True),
        "former_tags": list_of(tag, named=True),
        "priority": number(1, 2 * LAST),
        "enabled": flag,
        "rollout": plain(_ROLLOUT),
        "language": locale,
        "rule": ident,
        "heading": _heading,
        "welcome": texts(LONG_TEXT),
        "welcome_always": flag,
        "texts": TEXTS,
        "consent": plain(_CONSENT),
        "communicate": plain(_COMMUNICATE),
        "storage": plain(_STORAGE),
        "email": plain(_EMAIL),
        "display": plain(_DISPLAY),
        "close_button": flag,
        "availability": plain(_AVAILABILITY),
        "targeting": plain(_TARGETING),
        "marketing": flag,
        "queue_priority": one_of(*PRIORITIES),
        "inactivity_s": number(0, MONTH_S),
        "reopen_window_s": number(0, MONTH_S),
        "gated_ttl_s": number(60, MONTH_S),
        "survey": _survey,
        "knowledge_base": _no_knowledge_base,
    },
    given={"version": 1, "priority": UNNAMED, "enabled": True, "rule": "", "heading": Heading()},
)
