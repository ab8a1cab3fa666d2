"""The workspace file that a server needs for a scenario, when `samtale load` did not start it.

Invariant: what `samtale apply` makes of it is the account that an installation of our own would have, with passwords.
"""

import json
from typing import Any

from loadtests.load.accounts import TAG
from loadtests.load.scenario import Account, Scenario

NAME = "load"
PASSWORD = "load-password"
EMAIL = "agent{}@load.example"
MOST_OPEN = 100


def text(scenario: Scenario) -> str:
    """Return the file (JSON is YAML). Opening hours are left out: they count from when a run begins."""
    return json.dumps({"accounts": [_account(scenario)]}, indent=1) + "\n"


def _account(scenario: Scenario) -> dict[str, Any]:
    wanted, agents = scenario.account, max(1, scenario.agents())
    names = [f"agent{number}" for number in range(1, agents + 1)]
    return {
        "id": NAME,
        "name": "Load kit",
        "max_open": MOST_OPEN,
        "apps": [{"key": f"app_{NAME}", "name": "Load kit"}],
        "agents": [
            {"id": name, "name": name, "email": EMAIL.format(number), "password": PASSWORD, "capacity": wanted.capacity}
            for number, name in enumerate(names, 1)
        ],
        "inboxes": [{"id": "desk", "name": "Desk", "agents": names}],
        "rules": [
            {"id": "in_turn", "inbox": "desk", "name": "All in turn", "auto_accept": wanted.auto_accept,
             "offer_timeout_s": wanted.offer_timeout_s, "first_reply_s": 0}
        ],
        "surveys": [{"id": "after", "name": "After it", "question": {"en": "How was it?"}}] if wanted.survey else [],
        "chatflows": [_chatflow(wanted)],
    }  # fmt: skip


def _chatflow(wanted: Account) -> dict[str, Any]:
    flow: dict[str, Any] = {
        "id": "chat", "name": "Load kit", "inbox": "desk", "tags": [TAG], "language": "en", "rule": "in_turn",
        "heading": "The company", "welcome": {"en": "Welcome"},
        "consent": {"mode": wanted.consent, "text": {"en": "May we?"}},
        "email": {"open": wanted.email, "away": wanted.email},
        "inactivity_s": wanted.inactivity_s, "reopen_window_s": int(wanted.reopen_window_s),
    }  # fmt: skip
    if wanted.storage != "never":
        flow["storage"] = {"ask": wanted.storage}
    if wanted.survey:
        flow["survey"] = "after"
    return flow
