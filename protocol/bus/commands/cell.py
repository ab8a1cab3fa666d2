"""What nobody in a chat asks: a configuration was published, a gateway is lost, a deadline came.

Invariant: each is harmless when it comes late or twice: its version, incarnation or generation tells.
"""

import msgspec

from protocol.bus.commands.command import Command
from protocol.ids import Incarnation


class PublishConfig(Command, frozen=True, tag="config"):
    """A newer configuration of the account lies at its key in Redis; a version not above the present is dropped."""

    version: int


class GatewayLost(msgspec.Struct, frozen=True, array_like=True, tag="gwlost"):
    """The lease of a gateway incarnation lapsed: all its agent sessions, in every account of the cell, are over."""

    gateway: Incarnation


class TimerFired(Command, frozen=True, tag="timer"):
    """A deadline came. It has an effect only if `generation` is still the timer's own.

    `kind`, of a conversation: gate, email, first_reply, silent, inactivity, wake, survey; of the roster (`key`: which
    one): offer, grace, retry, places, opening, ageing, overflow, remind, replies.
    """

    owner: str
    kind: str
    key: str
    generation: int
