"""Images of a brand over REST: put, named by a chatflow, refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.kit.offices import Caller, Desk, desk_in
from tests.kit.uploads import moving, picture


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as desk:
        yield desk


async def puts(caller: Caller, content: bytes, type_: str) -> httpx2.Response:
    headers = caller.headers | {"Content-Type": type_}
    return await caller.http.post("/api/v1/images", content=content, headers=headers)


async def test_an_image_that_was_put_is_a_headings_image(desk: Desk) -> None:
    """By the address that the answer gives."""
    admin = await desk.key()
    answer = await puts(admin, moving("GIF"), "image/gif")
    assert answer.status_code == 201, answer.text
    image: dict[str, Any] = answer.json()
    assert (image["type"], image["width"], image["height"]) == ("image/gif", 20, 20)
    assert answer.headers["Location"] == image["address"]
    heading = {"kind": "custom", "name": "Fjord", "image": image["address"]}
    draft = await admin.patch("/chatflows/fjord_desk/draft", {"heading": heading})
    assert draft["draft"]["heading"]["image"] == image["address"]


@pytest.mark.parametrize(
    ("content", "type_", "status"),
    [
        (picture(), "application/json", 415),
        (b"<svg/>", "image/svg+xml", 415),
        (b"<svg/>", "image/png", 415),
        (picture() + bytes(1_048_576), "image/png", 413),
    ],
    ids=["no image's type", "SVG", "SVG called PNG", "over 1 MiB"],
)
async def test_what_is_no_image_is_a_problem(desk: Desk, content: bytes, type_: str, status: int) -> None:
    """One that says why."""
    answer = await puts(await desk.key(), content, type_)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


async def test_who_may_not_edit_chatflows_puts_no_image(desk: Desk) -> None:
    """403."""
    assert (await puts(await desk.key(["settings.read"]), picture(), "image/png")).status_code == 403
