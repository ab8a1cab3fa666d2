"""Images of a brand: kept for an account, served to everybody (docs/howto/attachments.md)."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from gateway.gateway import FileSettings
from store.files.brand import BrandImages
from store.files.bucket import Bucket
from store.files.pictures import NoPicture
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import bench
from tests.kit.gateways import Running, nordvik, running
from tests.kit.hubs import house
from tests.kit.uploads import SECRET, bomb, file_settings, files_in, moving, photograph, picture, shown
from tests.kit.workplace import ACCOUNT


@pytest.fixture
def files() -> Iterator[FileSettings]:
    with file_settings("disk") as settings:
        yield settings


@pytest.fixture
def images(files: FileSettings) -> BrandImages:
    return BrandImages(Bucket(files.bucket), Path(files.scratch), os.urandom)


@pytest.fixture
async def gateway(valkey: EmbeddedValkey, sqlite_databases: Databases, files: FileSettings) -> AsyncIterator[Running]:
    async with bench(valkey, sqlite_databases) as cell, house(cell, nordvik()), running(cell, files=files) as made:
        yield made


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "moving GIF", "moving WEBP"])
async def test_an_image_that_was_kept_is_served_to_everybody(gateway: Running, images: BrandImages, kind: str) -> None:
    """For ever under the same address, with its animation, as no other type than it is."""
    name = kind.rpartition(" ")[2]
    kept = await images.keep(ACCOUNT, moving(name) if kind != name else picture(name))
    async with httpx2.AsyncClient(base_url=gateway.http, timeout=60) as http:
        got = await http.get(kept.address)
    assert (got.status_code, got.headers["content-type"]) == (200, f"image/{name.lower()}")
    assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in got.headers
    seen = shown(got.content)
    assert (seen.format, getattr(seen, "n_frames", 1)) == (name, 3 if kind != name else 1)


async def test_the_same_image_twice_is_one(images: BrandImages, files: FileSettings) -> None:
    """Whoever puts it again gets the same address; nothing else lies about."""
    first, second = await images.keep(ACCOUNT, photograph()), await images.keep(ACCOUNT, photograph())
    assert first == second
    [path] = files_in(files)
    assert SECRET not in path.read_bytes()


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg onload='alert(1)'/>", picture("BMP"), bomb(50_000, 50_000), picture("PNG") + bytes(1_048_576)],
    ids=["nothing", "SVG", "BMP", "bomb", "over 1 MiB"],
)
async def test_what_is_no_image_is_not_kept(images: BrandImages, files: FileSettings, content: bytes) -> None:
    """And leaves nothing."""
    with pytest.raises(NoPicture):
        await images.keep(ACCOUNT, content)
    assert files_in(files) == []


@pytest.mark.parametrize("name", ["img_none.png", "..%2fattachments%2fatt_1", f"img_{'a' * 26}.png", "x" * 2_000])
async def test_another_name_is_not_found(gateway: Running, name: str) -> None:
    """Neither what is not there nor what is no name of an image."""
    async with httpx2.AsyncClient(base_url=gateway.http, timeout=60) as http:
        assert (await http.get(f"/v1/images/{name}")).status_code == 404
