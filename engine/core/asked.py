"""A command as it comes before a decider: with its time, and what else is true in the cell.

Invariant: a decision depends on nothing that is not in here or in the state.
"""

from typing import Any

import msgspec

from protocol.bus.config import AccountConfig, Chatflow
from protocol.bus.decisions import Already, First, Refusal
from protocol.bus.records import VisitorRecord
from protocol.ids import ChatflowId
from protocol.wire.content import AnyBody

Decision = list[AnyBody] | Refusal | Already | First


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What a visitor's command is judged by beside the conversation; both None for other commands.

    `left`: the visitor's last conversation under the chatflow is closed, and the cell has let go of it.
    """

    visitor: VisitorRecord | None = None
    config: AccountConfig | None = None
    left: bool = False


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
