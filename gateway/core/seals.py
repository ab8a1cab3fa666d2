"""What a gateway lets somebody do later, sealed so that only a gateway of this installation could have said it.

An address to upload to, a receipt and an address to download from are such words: they hold all that must be known
again, so nobody keeps anything of them.

Invariant: what opens is what was sealed, for the same purpose, whole; anybody else can neither read nor change it.
"""

import base64
import binascii
from typing import Any, Final, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from protocol.ids import AccountId, AttachmentId, CellName, ConversationId, DeviceId, VisitorId
from protocol.wire.kinds import File

KEY_BYTES: Final = 64
S = TypeVar("S", bound="Sealed")


class Sealed(msgspec.Struct, frozen=True, array_like=True):
    """Something that was allowed, or that happened."""


class UploadGrant(Sealed, frozen=True):
    """`file` may be put, as it was announced, until then, once. `sender`: the visitor or an agent."""

    account: AccountId
    visitor: VisitorId
    conversation: ConversationId
    sender: str
    device: DeviceId
    cell: CellName
    file: File
    until_ms: int


class Receipt(Sealed, frozen=True):
    """`file` is there since then."""

    account: AccountId
    conversation: ConversationId
    sender: str
    file: File
    at_ms: int


class DownloadGrant(Sealed, frozen=True):
    """The attachment of a conversation of the visitor's may be had until then."""

    account: AccountId
    visitor: VisitorId
    attachment: AttachmentId
    until_ms: int


class Seals:
    """`key`: KEY_BYTES that the installation keeps to itself."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)  # needs no chance: each of these words names an id that is random

    def seal(self, said: Sealed) -> str:
        """Return `said` in letters that an address may hold."""
        whole = self._cipher.encrypt(msgspec.msgpack.encode(said), [_purpose(type(said))])
        return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()

    def open(self, kind: type[S], sealed: str) -> S | None:
        """Return what was sealed for this purpose; None for anything else."""
        try:
            whole = base64.urlsafe_b64decode(sealed.encode("ascii") + b"=" * (-len(sealed) % 4))
            return msgspec.msgpack.decode(self._cipher.decrypt(whole, [_purpose(kind)]), type=kind)
        except (InvalidTag, binascii.Error, ValueError, msgspec.DecodeError):
            return None


def _purpose(kind: type[Any]) -> bytes:
    return kind.__name__.encode()
