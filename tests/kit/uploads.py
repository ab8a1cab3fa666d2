"""Files and pictures for tests, and how a client sends and gets them over a gateway.

Invariant: what is sent goes over the real sockets and the real HTTP of the gateway.
"""

import asyncio
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from PIL import Image
from websockets.asyncio.client import ClientConnection

from gateway.core.seals import KEY_BYTES
from gateway.gateway import FileSettings
from tests.kit.gateways import Running, get

SECRET = b"canary-of-the-picture"


@contextmanager
def file_settings(bucket: str = "memory:") -> Iterator[FileSettings]:
    """Settings of a gateway that takes files; `bucket` "disk": into a directory of their own."""
    with TemporaryDirectory() as directory:
        url = f"file://{directory}/files" if bucket == "disk" else bucket
        yield FileSettings(url, f"{directory}/scratch", bytes(range(KEY_BYTES)))


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    """A picture with one colour, and a comment where its kind has any."""
    data = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(data, kind, **options)
    return data.getvalue()


def moving(kind: str = "GIF", frames: int = 3) -> bytes:
    """A picture that moves."""
    data = io.BytesIO()
    first, *rest = (Image.new("RGB", (20, 20), (60 * at, 0, 200)) for at in range(frames))
    first.save(data, kind, save_all=True, append_images=rest, duration=80, loop=0)
    return data.getvalue()


def photograph() -> bytes:
    """A JPEG that says where it was taken, by whom, and that it lies on its side."""
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, SECRET.decode()
    exif.get_ifd(0x8825)[1] = "N"
    return picture("JPEG", exif=exif, comment=SECRET)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that unfolds to `width` × `height`."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A small PNG whose comment unfolds to 200 MB."""
    plain = picture("PNG")
    return plain[:33] + _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000), 9)) + plain[33:]


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


async def say(line: ClientConnection, **frame: Any) -> None:
    """Send one frame."""
    await line.send(json.dumps(frame))


async def heard(line: ClientConnection, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the next frame that is wanted."""
    async with asyncio.timeout(60):
        while True:
            frame: dict[str, Any] = json.loads(await line.recv())
            if wanted(frame):
                return frame


async def ask_upload(line: ClientConnection, where: str, content: bytes, **changes: Any) -> dict[str, Any]:
    """Ask where a file may be put; return the answer, a refusal included."""
    about = {"name": "a.png", "type": "image/png", "size": len(content), **changes}
    await say(line, t="upload", ref="up", conversation=where, **about)
    return await heard(line, lambda frame: frame.get("ref") == "up")


async def put(gateway: Running, url: str, content: bytes, **more: Any) -> httpx2.Response:
    """Put a file where we were told."""
    async with httpx2.AsyncClient(base_url=gateway.http, timeout=60) as http:
        return await http.put(url, content=content, **more)


async def upload(
    gateway: Running, line: ClientConnection, where: str, content: bytes, **changes: Any
) -> httpx2.Response:
    """Ask, and put."""
    allowed = await ask_upload(line, where, content, **changes)
    assert allowed["t"] == "upload", allowed
    return await put(gateway, allowed["url"], content)


async def download(
    gateway: Running, line: ClientConnection, where: str, attachment: str, **headers: str
) -> httpx2.Response:
    """Ask where an attachment can be had, and get it."""
    await say(line, t="download", ref="down", conversation=where, attachment=attachment)
    allowed = await get(line, "download", ref="down")
    async with httpx2.AsyncClient(base_url=gateway.http, timeout=60) as http:
        return await http.get(allowed["url"], headers=headers)


def shown(content: bytes) -> Image.Image:
    """The picture in `content`."""
    return Image.open(io.BytesIO(content))


def files_in(settings: FileSettings) -> list[Path]:
    """What lies on the disk: in the bucket and on its way."""
    roots = [Path(settings.bucket.removeprefix("file://")), Path(settings.scratch)]
    return [path for root in roots for path in root.rglob("*") if path.is_file()]
