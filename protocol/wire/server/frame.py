"""What every frame of a gateway is, and the limits that each session is told.

Invariant: a field of a frame that has its default is left out.
"""

from msgspec import Struct


class ServerFrame(Struct, frozen=True, tag_field="t", omit_defaults=True):
    """A frame from a gateway."""


class Limits(Struct, frozen=True):
    """The limits in force for this session (SPEC 2.5)."""

    max_frame_bytes: int
    max_text: int
    max_unresolved: int
    messages_per_minute: int
    message_burst: int
