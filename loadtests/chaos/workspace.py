"""The workspace of a chaos run: two accounts that never meet, and one whose agents have too few hands.

Invariant: `pause_s` is the only thing that differs between two versions, so that publishing is a real change that
alters nothing of what is being checked.
"""

import json
from dataclasses import dataclass

PASSWORD = "chaos-password"


@dataclass(frozen=True, slots=True)
class Team:
    """One account's people. `consent` is the mode of its chatflow."""

    account: str
    agents: int
    capacity: int
    visitors: int
    consent: str

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
    return {
        "id": team.account,
        "name": team.account,
        "apps": [{"key": team.app_key, "name": "app"}],
        "inboxes": [{"id": f"inbox_{team.account}", "name": "inbox", "agents": agents}],
        "agents": [
            {"id": agent, "name": agent, "email": f"{agent}@{team.account}.example", "password": PASSWORD,
             "capacity": team.capacity}
            for agent in agents
        ],
        "rules": [
            {"id": f"rule_{team.account}", "inbox": f"inbox_{team.account}", "name": "all in turn",
             "offer_timeout_s": 5, "decline_pause_s": 5, "lost_grace_s": pause_s // 10}
        ],
        "chatflows": [
            {"id": f"flow_{team.account}", "name": "chat", "inbox": f"inbox_{team.account}", "tags": ["chat"],
             "language": "en", "rule": f"rule_{team.account}", "heading": team.account,
             "welcome": {"en": "Welcome"}, "consent": {"mode": team.consent, "text": {"en": "May we?"}}}
        ],
    }  # fmt: skip
