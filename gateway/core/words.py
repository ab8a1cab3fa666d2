"""Words: the form in which text is stored, and how entries that are words are told from all others.

Invariant: an entry counts as words only if its bytes say so; everything else is looked at by whoever it may concern.
"""

import unicodedata
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from protocol.bus.topics import Hint


class _Body(Struct, frozen=True, gc=False):
    kind: str = ""


class _Glance(Struct, frozen=True, gc=False):
    """As much of a stored event as says what it is; of a hidden one nothing."""

    body: _Body = _Body()


_glance = msgspec.msgpack.Decoder(_Glance).decode


def nfc(text: str) -> str:
    """Return `text` as it is stored."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def but_words(entries: Sequence[Hint]) -> list[Hint]:
    """Return those of `entries` that are no messages: nearly all are, and a message alone changes nothing but a log."""
    return [entry for entry in entries if not entry.frame or _glance(entry.frame).body.kind != "message"]
