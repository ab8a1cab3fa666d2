"""What a decision about a visitor's record comes to.

Invariant: the record is whole; what is asked of others follows from this change and from no earlier one.
"""

import msgspec

from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import Effect, Inner
from protocol.bus.records import VisitorRecord


class Changed(msgspec.Struct, frozen=True, gc=False):
    """The record as it now is, and what is asked of the rest of the cell and of the world."""

    record: VisitorRecord
    asked: list[Inner | Effect] = []


Became = Changed | Refusal | Already
