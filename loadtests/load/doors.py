"""Where the people of one share come in, and as whom.

Invariant: unless told otherwise, agents come to the last gateway and visitors to the others, if there are several, so
that every message crosses from one to another.
"""

import os

from samtale.line import LineLost
from samtale.login import over_http

from gateway import tickets
from gateway.ports import Ticket
from loadtests.lean.frames import Allowance
from loadtests.load.link import Ground, Plan
from loadtests.load.scenario import Cut, Exchange, Scenario, Send
from loadtests.load.stage import Seat
from protocol.ids import AccountId, AgentId, CellName
from store.redis.address import parse
from store.redis.connection import Connection, dial

AT_WILL = 60_000.0  # messages a minute of a phone that waits for nothing but answers


class NotFit(Exception):
    """The server does not let this scenario do what it says; the text says what to change."""


class Doors:
    """The ways in of one share."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.grounds = grounds_of(plan)
        self._lines: dict[str, Connection] = {}
        apart = plan.scenario.driver.gateways == "apart"
        self._visitor_urls = (plan.urls[:-1] if apart else []) or plan.urls
        self._agent_urls = plan.urls[-1:] if apart else plan.urls

    def ground(self, at: int) -> Ground:
        """Return the account of the visitor or agent number `at` of this share."""
        return self.grounds[at % len(self.grounds)]

    def for_visitors(self, at: int) -> str:
        """Return the gateway for the visitor number `at` of this share."""
        return self._visitor_urls[at % len(self._visitor_urls)]

    def for_agents(self, at: int) -> str:
        """Return the gateway for the agent number `at` of this share."""
        return self._agent_urls[at % len(self._agent_urls)]

    def seat(self, ground: Ground, number: int) -> Seat:
        """Return agent `number` of an account."""
        if number >= len(ground.agents):
            raise NotFit(f"agent {number + 1} is needed, and {len(ground.agents)} are known: give more with --agent")
        agent, email = ground.agents[number]
        others = tuple(other for other, _ in ground.agents if other != agent)
        return Seat(agent, email, ground.password, others)

    async def ticket(self, ground: Ground, number: int) -> str:
        """Return a ticket of agent `number` of an account. Raises NotFit if they are not let in."""
        seat = self.seat(ground, number)
        if ground.redis_url:
            return await self._issued(ground, seat.agent)
        try:
            return (await over_http(self._agent_urls[0], seat.email, seat.password)).ticket
        except LineLost as lost:
            raise NotFit(f"{seat.email} cannot log in at {self._agent_urls[0]}: {lost}") from None

    def check_allowance(self, limits: Allowance | None) -> None:
        """Raise NotFit if visitors may not say as much as the scenario has them say."""
        assert limits is not None, "SPEC 3.3"
        at_once, a_minute = _wanted(self._plan.scenario)
        if at_once > limits.message_burst and a_minute > limits.messages_per_minute:
            allowed = f"this server lets a visitor say {limits.messages_per_minute} messages a minute"
            raise NotFit(
                f"{allowed} after {limits.message_burst}, and the scenario has each say {a_minute:,.0f}: take more "
                "phones, a lower rate, or a server with a larger SAMTALE_VISITOR_MESSAGES_PER_MINUTE "
                "(an installation of our own allows all)"
            )

    async def close(self) -> None:
        """Hang up."""
        for line in self._lines.values():
            await line.close()

    async def _issued(self, ground: Ground, agent: str) -> str:
        line = self._lines.get(ground.redis_url)
        if line is None:
            line = self._lines[ground.redis_url] = await dial(parse(ground.redis_url))
        whom = Ticket(CellName(ground.cell), AccountId(ground.account), AgentId(agent))
        return await tickets.issue(_Asking(line), whom, os.urandom)


class _Asking:
    """gateway.ports.Redis over one line."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    async def call(self, cell: CellName | None, *parts: str | bytes | int) -> object:
        del cell  # there is one server
        return await self._line.call(*parts)


def _wanted(scenario: Scenario) -> tuple[float, float]:
    """Return how many messages each phone says in all, and how many a minute where it says most."""
    phones = scenario.lean.phones if scenario.lean is not None else 1
    at_once, a_minute = 1.0, 0.0  # the first word
    for phase in scenario.phases:
        match phase:
            case Exchange(messages=messages):
                at_once, a_minute = at_once + messages / phones, AT_WILL
            case Send(seconds=seconds, times_peak=0.0):
                rate = max(phase.per_s, phase.to_per_s)
                at_once, a_minute = at_once + rate * seconds / phones, max(a_minute, 60 * rate / phones)
            case Send():
                at_once = a_minute = AT_WILL
            case Cut():
                at_once += 1
            case _:
                pass
    return at_once, a_minute


def grounds_of(plan: Plan) -> list[Ground]:
    """Return the accounts that a share drives: with desks, those that no other share does."""
    lean = plan.scenario.lean
    return plan.grounds[plan.share :: plan.shares] if lean is not None and lean.desks else plan.grounds
