"""The shape of those who answer: agents, teams, inboxes and routing rules, field by field.

Invariant: names, units and defaults are those of `protocol.bus.staff`; a field that is not here is refused.
"""

from typing import get_args

from admin.workspace.forms import email, image, password
from admin.workspace.readers import flag, ident, list_of, locale, not_yet, number, one_of, text
from admin.workspace.structs import plain, struct
from protocol.bus.staff import Agent, Inbox, Overflow, Permission, Role, Rule, Team

HOUR_S = 3_600
DAY_S = 86_400
YEAR_S = 365 * DAY_S

AGENT = struct(
    Agent,
    {
        "id": ident,
        "name": text(100),
        "email": email,
        "password": password,
        "seat": flag,
        "role": one_of(*get_args(Role)),
        "capacity": number(0, 100),
        "languages": list_of(locale, named=True),
        "hours": ident,
        "picture": image,
        "permissions": list_of(one_of(*get_args(Permission)), named=True),
    },
)
TEAM = struct(Team, {"id": ident, "name": text(100), "members": list_of(ident, named=True)})
INBOX = struct(
    Inbox,
    {
        "id": ident,
        "name": text(100),
        "kind": one_of("inbox", "help_desk"),
        "agents": list_of(ident, named=True),
        "default_rule": ident,
        "remind_s": number(10, DAY_S),
        "supervisors_s": number(10, DAY_S),
    },
)
_OVERFLOW = struct(Overflow, {"after_s": number(0, DAY_S), "team": ident, "bot": not_yet("overflow to a bot")})
RULE = struct(
    Rule,
    {
        "id": ident,
        "inbox": ident,
        "name": text(100),
        "assignment": one_of("users_and_teams", "contact_owner", later=("bot",)),
        "fallback": ident,
        "agents": list_of(ident, named=True),
        "teams": list_of(ident, named=True),
        "bots": not_yet("a bot as a target"),
        "choice": one_of("round_robin", "least_busy"),
        "prefer_languages": flag,
        "auto_accept": flag,
        "offer_timeout_s": number(1, HOUR_S),
        "decline_pause_s": number(1, HOUR_S),
        "lost_grace_s": number(0, HOUR_S),
        "keep_when_lost": flag,
        "expiries_to_away": number(1, 100),
        "last_agent_window_s": number(0, YEAR_S),
        "first_reply_s": number(0, DAY_S),
        "silent_s": number(10, DAY_S),
        "ageing_s": number(1, DAY_S),
        "overflow": plain(_OVERFLOW),
    },
)
