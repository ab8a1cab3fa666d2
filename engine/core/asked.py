"""A command as it comes before a decider: with its time, and what else is true in the cell.

Invariant: a decision depends on nothing that is not in here or in the state.
"""

from typing import Any

import msgspec

from protocol.bus.availability import is_away
from protocol.bus.config import AccountConfig, Chatflow
from protocol.bus.decisions import Already, First, Refusal
from protocol.bus.effects import Effect, Inner
from protocol.bus.records import VisitorRecord
from protocol.ids import ChatflowId
from protocol.wire.content import AnyBody


class Despite(msgspec.Struct, frozen=True):
    """No, and yet something happens because of it."""

    refusal: Refusal
    bodies: list[AnyBody]


class With(msgspec.Struct, frozen=True):
    """`bodies` happen, and `asks` are decided or done because of the command itself, not of any of them."""

    bodies: list[AnyBody]
    asks: list[Inner | Effect]


Decision = list[AnyBody] | With | Refusal | Already | First | Despite


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What a command is judged by beside the conversation; nothing of it where the visitor is not concerned.

    `left`: the visitor's last conversation under the chatflow is closed, and the cell has let go of it. `ready`:
    somebody may be given work now, under the rule of the chatflow.
    """

    visitor: VisitorRecord | None = None
    config: AccountConfig | None = None
    left: bool = False
    ready: bool = False

    def away(self, flow: Chatflow, at_ms: int) -> bool:
        """Whether nobody is there for visitors of `flow`."""
        return self.config is not None and is_away(self.config, flow, at_ms, self.ready)


NO_FACTS = Facts()


class Stamped(msgspec.Struct, frozen=True, gc=False):
    """`command` at `at_ms` by the cell's clock."""

    command: Any
    at_ms: int
    facts: Facts = NO_FACTS


def flow_of(config: AccountConfig, chatflow: ChatflowId | None) -> Chatflow | None:
    """Return the chatflow as it is configured now, or None."""
    for flow in config.chatflows:
        if flow.id == chatflow:
            return flow
    return None
