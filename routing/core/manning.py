"""Which agents a line asks, and in which order they are in turn there.

Invariant: follows from the configuration and from where each agent stands; turns of those who stay are kept.
"""

from protocol.bus.config import Rule
from protocol.ids import AgentId, TeamId
from routing.core.holding import join
from routing.core.lines import Line, key_of, named_by
from routing.core.presence import NO_ACCESS, READY, Standing
from routing.core.state import Roster


def line_at(roster: Roster, rule: Rule, team: TeamId | None) -> Line:
    """Return the line of a rule, or of a team under it, which is made if nobody asked for it before."""
    key = key_of(rule.id, team)
    if key not in roster.lines:
        roster.lines[key] = Line(key, rule, team)
        man(roster, roster.lines[key])
    return roster.lines[key]


def man(roster: Roster, line: Line) -> None:
    """Let `line` ask whom the configuration names, and forget whom it named before."""
    named = named_by(roster.staffing, line.rule, roster.staffing.team(line.team))
    line.agents = [agent for agent in named if _has_access(roster, line, agent)]
    line.standings = {standing.value: 0 for standing in Standing} | {NO_ACCESS: len(named) - len(line.agents)}
    for agent in line.agents:
        member = roster.members[agent]
        line.standings[member.standing] += 1
        member.lines.append(line.key)
        if line.least_busy:
            member.weighed.append(line.key)
    _order(roster, line)


def _has_access(roster: Roster, line: Line, agent: AgentId) -> bool:
    return agent in roster.members and line.rule.inbox in roster.members[agent].inboxes


def _order(roster: Roster, line: Line) -> None:
    """Keep the order of those who stay, and let the newly ready join in the rule's order."""
    ready = [agent for agent in line.agents if roster.members[agent].standing is READY]
    staying = [agent for agent in line.ring if agent in set(ready)]
    for agent in list(line.ring):
        line.ring.leave(agent)
    for agent in dict.fromkeys([*staying, *ready]):  # languages and loads may be others than before
        join(line, roster.members[agent])
    line.ring.forget(line.agents)
