"""Who answers, where conversations arrive, and how the two meet. All of it is live at once, nothing is versioned.

Invariant: every reference resolves (`samtale apply` checked it). Times are seconds, 0 where it says so: never.
"""

from typing import Literal

import msgspec

from protocol.ids import AgentId, HoursId, InboxId, RuleId, TeamId

Role = Literal["owner", "admin", "supervisor", "agent"]
Permission = Literal["chatflows.edit", "chatflows.publish"]  # grantable to anybody, beside what their role allows
Priority = Literal["low", "normal", "high", "urgent"]
PRIORITIES: tuple[Priority, ...] = ("low", "normal", "high", "urgent")


class Agent(msgspec.Struct, frozen=True):
    """A user who answers. `password` is an argon2 hash; `hours`: outside them the agent counts as away.

    `role` says what they may set and see (docs/howto/rest.md); whoever is more than an agent supervises.
    """

    id: AgentId
    name: str
    email: str
    password: str
    seat: bool = True
    role: Role = "agent"
    capacity: int = 5
    languages: list[str] = []  # such as nb, en
    hours: HoursId | None = None
    picture: str = ""  # an https address
    permissions: list[Permission] = []

    @property
    def supervisor(self) -> bool:
        """Whether they see and direct other agents' conversations."""
        return self.role != "agent"


class Team(msgspec.Struct, frozen=True):
    """A set of agents; every member counts."""

    id: TeamId
    name: str
    members: list[AgentId]


class Inbox(msgspec.Struct, frozen=True):
    """Where conversations arrive. A conversation that nobody is sought for is told again after `remind_s`.

    `supervisors_s`: when supervisors are told of it too. In a help desk every conversation has a ticket.
    """

    id: InboxId
    name: str
    kind: Literal["inbox", "help_desk"] = "inbox"
    agents: list[AgentId] = []  # who has access
    default_rule: RuleId | None = None  # the first rule of the inbox if none is named
    remind_s: int = 300
    supervisors_s: int = 600


class Overflow(msgspec.Struct, frozen=True):
    """What happens to who waits longer than `after_s` (0: nothing): `team` is asked too, away text and e-mail ask."""

    after_s: int = 300
    team: TeamId | None = None


class Rule(msgspec.Struct, frozen=True):
    """How conversations of an inbox find an agent (product §4).

    `assignment` contact_owner: the contact's owner is asked, and `fallback` is the rule if there is none or they may
    not be asked. Those in turn are `agents` and the members of `teams`; everybody of the inbox if both are empty.
    `first_reply_s`: an assigned agent who has not answered by then loses it to the next (0: never). `silent_s`: since
    when a conversation no longer counts whose visitor is silent after the agent's word. `keep_when_lost`: a lost
    agent's conversations stay theirs.
    """

    id: RuleId
    inbox: InboxId
    name: str
    assignment: Literal["users_and_teams", "contact_owner"] = "users_and_teams"
    fallback: RuleId | None = None
    agents: list[AgentId] = []
    teams: list[TeamId] = []
    choice: Literal["round_robin", "least_busy"] = "round_robin"
    prefer_languages: bool = False
    auto_accept: bool = False
    offer_timeout_s: int = 30
    decline_pause_s: int = 60
    lost_grace_s: int = 60
    keep_when_lost: bool = False
    expiries_to_away: int = 3
    last_agent_window_s: int = 604_800
    first_reply_s: int = 120
    silent_s: int = 600
    ageing_s: int = 600
    overflow: Overflow = Overflow()
