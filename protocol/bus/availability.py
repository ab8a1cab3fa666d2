"""Whether somebody is there for a chatflow, and when next (product §2, availability).

Invariant: the same configuration, time and readiness give the same answer in the engine and in every gateway.
"""

from collections.abc import Iterator

from protocol.bus import hours
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig
from protocol.bus.hours import Hours
from protocol.ids import HoursId


def is_away(config: AccountConfig, flow: Chatflow, at_ms: int, ready: bool) -> bool:
    """Whether visitors are told that nobody is there. `ready`: somebody of the rule may be given work now."""
    match flow.availability.kind:
        case "always":
            return False
        case "office_hours":
            named = hours_of(config, flow.availability.hours)
            return named is not None and not hours.is_open(named, at_ms)
        case "agents_available":
            return not ready


def may_start(flow: Chatflow, away: bool) -> bool:
    """Whether a conversation may be started; one that goes on always may go on."""
    return not (away and flow.availability.kind == "agents_available" and flow.availability.nobody == "hide")


def opens_at_ms(config: AccountConfig, flow: Chatflow, at_ms: int) -> int:
    """Return when somebody is to be there next, after `at_ms`; 0 if no schedule says so."""
    coming = (hours.next_opening(schedule, at_ms) for schedule in _schedules(config, flow))
    return min((opens for opens in coming if opens is not None and opens > at_ms), default=0)


def hours_of(config: AccountConfig, name: HoursId | None) -> Hours | None:
    """Return the schedule of that id, or None."""
    return next((schedule for schedule in config.hours if schedule.id == name), None)


def _schedules(config: AccountConfig, flow: Chatflow) -> Iterator[Hours]:
    """Yield the chatflow's own schedule, or where it has none those of the agents whom its rule asks, each once."""
    own = hours_of(config, flow.availability.hours)
    if own is not None:
        yield own
    elif flow.availability.kind == "agents_available":
        asked = _agents(config, flow)
        names = {agent.hours for agent in config.agents if agent.id in asked and agent.hours is not None}
        yield from (schedule for schedule in config.hours if schedule.id in names)


def _agents(config: AccountConfig, flow: Chatflow) -> set[str]:
    rule = next((rule for rule in config.rules if rule.id == flow.rule), None)
    if rule is None or not (rule.agents or rule.teams):
        return {agent for inbox in config.inboxes if inbox.id == flow.inbox for agent in inbox.agents}
    members = (member for team in config.teams if team.id in rule.teams for member in team.members)
    return {*rule.agents, *members}
