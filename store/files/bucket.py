"""Where files lie: a directory, an S3 bucket, or this process's memory, by URL.

Invariant: a key is made by us alone, of ids; what was put is whole or is not there.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, MemoryStore, S3Store

CHUNK_BYTES = 262_144
_SCHEMES = ("file:///", "s3://", "memory:")
_NOWHERE = "looked-for"  # no file has this key


class BucketAway(Exception):
    """The files cannot be reached just now; says why, and no name of a file."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is read, or a part of it: how much that is, and its bytes in order. `parts` raises BucketAway."""

    size_bytes: int
    parts: AsyncIterator[bytes]


def fit_url(url: str) -> str:
    """Return `url`, or raise ValueError if it names no place for files."""
    if not url.startswith(_SCHEMES):
        raise ValueError("files lie at file:///directory, at s3://bucket/prefix, or at memory:")
    return url


class Bucket:
    """All files of an installation. S3's keys, region and endpoint come from AWS's own variables."""

    def __init__(self, url: str) -> None:
        fit_url(url)
        self._store: LocalStore | MemoryStore | S3Store
        if url.startswith("memory:"):
            self._store = MemoryStore()
        elif url.startswith("s3://"):
            self._store = S3Store.from_url(url)
        else:
            self._store = LocalStore(Path(url.removeprefix("file://")), mkdir=True)

    async def put(self, key: str, source: Path) -> None:
        """Keep what is in `source` under `key`. Raises BucketAway."""
        try:
            await obstore.put_async(self._store, key, source)
        except (BaseError, OSError) as error:
            raise _away(error) from None

    async def open(self, key: str, part: range | None = None) -> Opened | None:
        """Return the file under `key`, or `part` of its bytes; None if there is none. Raises BucketAway."""
        options: obstore.GetOptions = {"range": (part.start, part.stop)} if part is not None else {}
        try:
            found = await obstore.get_async(self._store, key, options=options)
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise _away(error) from None
        first, end = found.range
        return Opened(end - first, _parts(found))

    async def remove(self, keys: Iterable[str]) -> None:
        """Remove what is there under `keys`. Raises BucketAway."""
        for key in keys:
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                raise _away(error) from None

    async def look(self) -> None:
        """Change nothing, and see that files can be read there. Raises BucketAway."""
        if await self.open(_NOWHERE) is not None:
            return
        try:
            async for _ in obstore.list(self._store, chunk_size=1):
                return
        except (BaseError, OSError):  # S3 has no other way to tell a bucket from a file that is not there
            raise BucketAway("there is no such bucket, or it may not be listed") from None


async def _parts(found: "obstore.GetResult") -> AsyncIterator[bytes]:
    try:
        async for part in found.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(part)
    except (BaseError, OSError) as error:
        raise _away(error) from None


def _away(error: Exception) -> BucketAway:
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return BucketAway("its credentials are refused")
    if isinstance(error, FileNotFoundError):
        return BucketAway("there is no such bucket")
    return BucketAway(f"it does not answer ({type(error).__name__})")  # the error's text quotes the whole path
