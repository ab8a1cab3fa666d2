"""What every frame of a client is, and the bounds that its fields share.

Invariant: a bound that several frames share is written once, here.
"""

from typing import Annotated

from msgspec import Meta, Struct

Id = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:\-]+(?!\n)$")
]  # `$` alone lets a newline by
N = Annotated[int, Meta(ge=1, le=2**53)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
NO_NUL = r"^[^\x00]*$"  # PostgreSQL keeps no text with one
Short = Annotated[str, Meta(max_length=64, pattern=NO_NUL)]
TagText = Annotated[str, Meta(min_length=1, max_length=50, pattern=NO_NUL)]
Secret = Annotated[str, Meta(min_length=16, max_length=128)]
Receipts = Annotated[list[Annotated[str, Meta(min_length=1, max_length=2_048)]], Meta(max_length=10)]


class Frame(Struct, frozen=True, tag_field="t", omit_defaults=True):
    """A frame from a client."""


class Numbered(Frame, frozen=True, kw_only=True):
    """A frame that changes state (SPEC 5.1)."""

    n: N
    id: Id
