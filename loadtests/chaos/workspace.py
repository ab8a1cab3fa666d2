"""The workspace of a chaos run: two accounts that never meet, and one whose agents have too few hands.

Invariant: `pause_s` is the only thing that differs between two versions, so that publishing is a real change that
alters nothing of what is being checked.
"""

import json
from dataclasses import dataclass

from loadtests.chaos.identity import KEY, KID

PASSWORD = "chaos-password"
TEAM = "first"
BEHIND_ALIAS = "Somebody-behind-an-alias"
"""In every agent's name: where the heading is custom, no visitor's line may carry it."""


@dataclass(frozen=True, slots=True)
class Team:
    """One account's people. `consent` is the mode of its chatflow."""

    account: str
    agents: int
    capacity: int
    visitors: int
    consent: str

    @property
    def is_aliased(self) -> bool:
        """Whether visitors see a name of the company's instead of agents'."""
        heading = _SPECIAL[self.account].flow["heading"]
        return isinstance(heading, dict) and heading["kind"] == "custom"

    @property
    def app_key(self) -> str:
        return f"app_{self.account}"

    def email(self, number: int) -> str:
        """Return the login of agent 1, 2 …"""
        return f"agent{number}@{self.account}.example"


def teams(conversations: int) -> list[Team]:
    """Return who takes part, for about so many conversations."""
    narrow = max(4, conversations // 10)
    wide = conversations - narrow
    return [
        Team("nord", 5, min(100, wide), wide - wide // 3, "explicit"),
        Team("syd", 3, min(100, wide), wide // 3, "off"),
        Team("trang", 2, max(1, narrow // 4), narrow, "legitimate_interest"),
    ]


def text(people: list[Team], pause_s: int = 60) -> str:
    """Return the workspace file (JSON is YAML)."""
    return json.dumps({"accounts": [_account(team, pause_s) for team in people]}, indent=1)


def _account(team: Team, pause_s: int) -> dict[str, object]:
    agents = [f"agent{number}" for number in range(1, team.agents + 1)]
    inbox, rule = f"inbox_{team.account}", f"rule_{team.account}"
    return {
        "id": team.account,
        "name": team.account,
        "apps": [{"key": team.app_key, "name": "app", "identity_keys": [{**KEY, "kid": f"{KID}-{team.account}"}]}],
        "inboxes": [{"id": inbox, "name": "inbox", "agents": agents, "kind": _SPECIAL[team.account].inbox}],
        "agents": [
            {"id": agent, "name": f"{BEHIND_ALIAS} {agent}", "email": f"{agent}@{team.account}.example",
             "password": PASSWORD, "capacity": team.capacity, "role": "supervisor" if agent == "agent1" else "agent"}
            for agent in agents
        ],
        "teams": [{"id": TEAM, "name": "first ones", "members": agents[:2]}],
        "subscriptions": [{"id": "news", "name": "news"}],
        "rules": [
            {"id": rule, "inbox": inbox, "name": "all in turn", "teams": [TEAM], "agents": agents,
             "offer_timeout_s": 5, "decline_pause_s": 5, "lost_grace_s": pause_s // 10, "first_reply_s": 12,
             "silent_s": 10, "ageing_s": 5, "overflow": {"after_s": 6, "team": TEAM}, **_SPECIAL[team.account].rule}
        ],
        "chatflows": [
            {"id": f"flow_{team.account}", "name": "chat", "inbox": inbox, "tags": ["chat"], "language": "en",
             "rule": rule, "welcome": {"en": "Welcome"}, "consent": {"mode": team.consent, "text": {"en": "May we?"}},
             "communicate": {"subscription": "news"}, **_SPECIAL[team.account].flow}
        ],
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Special:
    """What an account has that the others do not; between them they have everything that can be set."""

    inbox: str
    rule: dict[str, object]
    flow: dict[str, object]


_SPECIAL = {
    "nord": _Special(
        "help_desk",
        {},
        {
            "heading": {"kind": "custom", "name": "The bank"},
            "email": {"open": "after_delay", "away": "on_first_message", "delay_s": 3},
            "storage": {"ask": "on_exit_intent"},
            "survey": {"id": "faces", "name": "faces"},
            "marketing": True,
        },
    ),
    "syd": _Special(
        "inbox",
        {"choice": "least_busy", "prefer_languages": True},
        {
            "heading": {"kind": "assigned_agent"},
            "email": {"open": "on_first_message", "away": "on_first_message"},
            "survey": {"id": "stars", "name": "stars", "scale": "stars", "on_inactivity": True},
            "inactivity_s": 60,
            "queue_priority": "high",
        },
    ),
    "trang": _Special(
        "inbox",
        {},
        {
            "heading": {"kind": "custom", "name": "The shop"},
            "email": {"open": "never", "away": "never"},
            "survey": {"id": "thumbs", "name": "thumbs", "scale": "thumbs"},
        },
    ),
}
