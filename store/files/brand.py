"""Images of a company's brand, which everybody may see: kept for good, under an address that never changes.

Invariant: an image is written anew before it is kept, and named by what it then is: the same one twice is one.
"""

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocol.ids import AccountId
from store.files.bucket import Bucket
from store.files.pictures import NoPicture, Pictures
from store.files.sniffing import PICTURES, agrees

PATH: Final = "/v1/images/"
MAX_BYTES: Final = 1_048_576
_ENDINGS: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}
_NAME: Final = re.compile(rf"img_[a-z2-7]{{26}}\.({'|'.join(_ENDINGS.values())})")


@dataclass(frozen=True, slots=True)
class BrandImage:
    """`address`: where every gateway serves it. `size_bytes` as it is kept; width and height in pixels."""

    address: str
    type: str
    size_bytes: int
    width: int
    height: int


class BrandImages:
    """`scratch`: a directory for images on their way. `entropy` names what lies there."""

    def __init__(self, bucket: Bucket, scratch: Path, entropy: Callable[[int], bytes]) -> None:
        self._bucket, self._scratch, self._entropy = bucket, scratch, entropy
        self._pictures = Pictures()

    async def keep(self, account: AccountId, content: bytes) -> BrandImage:
        """Keep an image of the account's. Raises NoPicture if it is none or over 1 MiB; Busy, BucketAway."""
        if len(content) > MAX_BYTES:
            raise NoPicture("it is larger than 1 MiB")
        name = self._entropy(16).hex()
        raw, clean = self._scratch / f"{name}.raw", self._scratch / f"{name}.clean"
        try:
            type_ = await asyncio.to_thread(_taken, raw, content)
            size = await self._pictures.write_anew(raw, clean, type_, MAX_BYTES)
            address = PATH + await asyncio.to_thread(_name, account, clean, type_)
            await self._bucket.put(_key(address.removeprefix(PATH)), clean)
            return BrandImage(address, type_, size.bytes, size.width, size.height)
        finally:
            raw.unlink(missing_ok=True)
            clean.unlink(missing_ok=True)


def key_of(name: str) -> tuple[str, str] | None:
    """Return under which key the bucket has the image of that name, and its type; None if no image is called so."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return _key(name), next(type_ for type_, ending in _ENDINGS.items() if ending == found[1])


def _key(name: str) -> str:
    return f"images/{name}"


def _taken(path: Path, content: bytes) -> str:
    """Write it down and return its type."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(content)
    found = next((type_ for type_ in PICTURES if content and agrees(path, type_)), None)
    if found is None:
        raise NoPicture("it is neither PNG nor JPEG nor WebP nor GIF")
    return found


def _name(account: AccountId, path: Path, type_: str) -> str:
    digest = hashlib.blake2b(path.read_bytes(), digest_size=16, key=account.encode()[:64]).digest()
    return f"img_{base64.b32encode(digest).decode().rstrip('=').lower()}.{_ENDINGS[type_]}"
