"""What is wrong in the builds whose gates and deciders decide wrongly.

Invariant: a patch replaces one attribute of the product, and calls what it replaces wherever that is right.
"""

from typing import Any

from engine.core import aside, consent, speaking
from engine.core.ledger import Ledger
from gateway.core.gate import Gate
from protocol.bus.decisions import Refusal
from protocol.ids import AgentId
from protocol.wire.content import SurveyAsked
from routing.core import evolve as roster_evolve
from routing.core import holding
from routing.core.presence import Member
from routing.core.queue import Talking

Patch = tuple[object, str, Any]
"""Whose attribute, its name, its wrong value."""


def dedupe_off() -> list[Patch]:
    return [(Ledger, "check", lambda _self, _n, _id: None)]


def gate_off() -> list[Patch]:
    return [(Gate, "closed_by", lambda *_: None)]


def consent_off() -> list[Patch]:
    def nothing(*_args: Any, **_options: Any) -> list[Any]:
        return []

    return [*gate_off(), (consent, "before_message", nothing), (speaking, "before_message", nothing)]


def consent_only_at_gateways() -> list[Patch]:
    right = consent.before_message

    def unasked(state: Any, asked: Any) -> Any:
        before = right(state, asked)
        return [] if isinstance(before, Refusal) else before

    return [(consent, "before_message", unasked), (speaking, "before_message", unasked)]


def survey_asked_twice() -> list[Patch]:
    right = aside.heard_beside

    def remembered(heard: Any, event: Any) -> Any:
        return heard if isinstance(event.body, SurveyAsked) else right(heard, event)

    return [(aside, "heard_beside", remembered)]


def capacity_by_increments() -> list[Patch]:
    taken: dict[int, tuple[Member, int]] = {}  # by identity, which the member beside it keeps from being used again
    take_hold, let_go = holding._take_hold, holding._let_go

    def count(member: Member, by: int) -> None:
        taken[id(member)] = (member, taken.get(id(member), (member, 0))[1] + by)

    def count_up(roster: Any, held: Any, phase: Any) -> AgentId | None:
        agent = take_hold(roster, held, phase)
        if agent is not None:
            count(roster.members[agent], 1)
        return agent

    def count_down(roster: Any, held: Any) -> AgentId | None:
        agent = let_go(roster, held)
        if agent is not None and isinstance(held.phase, Talking):  # an offer that came to nothing was not thought of
            count(roster.members[agent], -1)
        return agent

    full = property(lambda self: taken.get(id(self), (self, 0))[1] >= self.capacity)
    return [(holding, "_take_hold", count_up), (holding, "_let_go", count_down), (Member, "full", full)]


def turn_on_acceptance() -> list[Patch]:
    def only_if_taken(roster: Any, event: Any, key: str) -> None:
        if getattr(event, "offer", None) is not None and hasattr(event, "how") and key in roster.lines:
            ring = roster.lines[key].ring
            if event.agent in ring:
                ring.turn(event.agent)

    return [(roster_evolve, "_use_turn", only_if_taken)]
