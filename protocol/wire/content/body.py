"""What every entry of the log is, and who did it.

Invariant: immutable; a field that is left out has its default.
"""

from enum import StrEnum

import msgspec


class Body(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True, gc=False):
    """One thing that happened in a conversation."""


class Role(StrEnum):
    VISITOR = "visitor"
    AGENT = "agent"
    SYSTEM = "system"


VISITOR, AGENT, SYSTEM = Role.VISITOR, Role.AGENT, Role.SYSTEM  # CPython 3.11 takes 0.2 µs to look one up in its enum


class Author(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Who did it. `name` is for showing, at most 100 characters; empty for visitors."""

    role: Role
    id: str
    name: str = ""
