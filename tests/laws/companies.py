"""The company whose help desk the laws of talk watch.

Invariant: its agents have names that nothing else has, so that one of them in a frame is a leak.
"""

from typing import Any

from msgspec.structs import replace

from protocol.bus.chatflow import Survey
from protocol.bus.config import AccountConfig, Heading, Team
from protocol.ids import SurveyId, TeamId
from tests.kit.desks import ALIAS, helpdesk
from tests.kit.workplace import ANN, BO, CY

NAMES = {ANN: "Annfrid Andersen", BO: "Bosse Bergstrom", CY: "Cynthia Carlsen"}
TEAM = TeamId("tea_ski")


def company(scale: Any = "faces", inactive: bool = False, first_reply_s: int = 600, auto: bool = True) -> AccountConfig:
    """A help desk under an alias, with a survey, a team, and deadlines that soon come."""
    survey = Survey(SurveyId("srv_help"), "Help", scale=scale, expires_s=90_000, on_inactivity=inactive)
    config = helpdesk(heading=Heading("custom", ALIAS), survey=survey, inactivity_s=7_200)
    staff = [
        replace(agent, name=NAMES[agent.id], picture=f"https://faces.example/{agent.id}") for agent in config.agents
    ]
    rule = replace(config.rules[0], first_reply_s=first_reply_s, auto_accept=auto, silent_s=240)
    return replace(config, agents=staff, rules=[rule], teams=[Team(TEAM, "Ski", [BO, CY])])
