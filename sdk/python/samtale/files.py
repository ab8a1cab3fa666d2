"""Files, which go over HTTP beside the line: up to where the server says, and down from there (SPEC 5.9, 6.7).

Invariant: a file is sent by whoever holds a receipt for it; nothing of one is kept here. Whoever loses the line while a
file is on its way hears so, and sends it again.
"""

import asyncio
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import orjson

from samtale.asked import RefusedError
from samtale.content import File
from samtale.events import Refused
from samtale.http import to_http
from samtale.line import LineLost
from samtale.outlet import Frame, Outlet
from samtale.questions import Questions
from samtale.reading import read

MAX_FILE_BYTES = 20 * 2**20


@dataclass(frozen=True, slots=True)
class Allowed:
    """Where one file may be put, or can be had; for a few minutes, by whoever has the address."""

    attachment: str
    url: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that the server keeps: `receipt` lets one message name it within 23 hours."""

    receipt: str
    file: File


class Files:
    """One client's. `url` is the server's."""

    def __init__(self, url: str, outlet: Outlet, questions: Questions) -> None:
        self._url = to_http(url)
        self._outlet = outlet
        self._questions = questions

    async def upload(self, conversation: str, source: Path | bytes, name: str, type_: str) -> Uploaded:
        """Put a file where the server says. Raises RefusedError; LineLost; OSError if it cannot be read."""
        name = name or (source.name if isinstance(source, Path) else "file")
        content = source if isinstance(source, bytes) else await asyncio.to_thread(source.read_bytes)
        about = {"name": name[-255:], "type": type_ or type_of(name), "size": len(content)}
        where: Allowed = await self._questions.ask({"t": "upload", "conversation": conversation, **about})
        answer = await self._over_http("PUT", where, content)
        try:
            said = orjson.loads(answer)
            return Uploaded(said["receipt"], read(File, said["file"]))
        except (ValueError, KeyError, TypeError) as error:
            raise LineLost(1006, f"no answer of a Samtale server: {error!r}") from None

    async def download(self, conversation: str, attachment: str) -> bytes:
        """Return what a message names. Raises RefusedError; LineLost."""
        asked = {"t": "download", "conversation": conversation, "attachment": attachment}
        return await self._over_http("GET", await self._questions.ask(asked), b"")

    def allowed(self, frame: Frame) -> None:
        """Take what the server says to a question."""
        self._questions.answered(frame["ref"], read(Allowed, frame))

    async def _over_http(self, method: str, where: Allowed, content: bytes) -> bytes:
        try:
            status, answer = await self._outlet.world.transfer(method, urljoin(self._url, where.url), content)
        except (OSError, TimeoutError, ValueError) as error:
            raise LineLost(1006, str(error)) from None
        if status == 200:
            return answer
        raise RefusedError(_refusal(status, answer))


def type_of(name: str) -> str:
    """Return the media type that a name stands for."""
    guessed, packed = mimetypes.guess_type(name, strict=False)
    return guessed if guessed and not packed else "application/octet-stream"


def _refusal(status: int, answer: bytes) -> Refused:
    try:
        return read(Refused, {"text": "", "retryable": False, **orjson.loads(answer)})
    except (ValueError, TypeError, KeyError):
        raise LineLost(1006, f"no answer of a Samtale server: {status}") from None
