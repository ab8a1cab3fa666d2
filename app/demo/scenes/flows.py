"""Chatflows that are made over REST for one scene, each under a tag of its own.

Invariant: none of them is served any more when its scene is over.
"""

import secrets
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import samtale

from app.demo.cast import Cast
from app.demo.phone import Phone
from app.demo.rest import Rest

WELCOME = "Hello. What are you looking for?"
TEXT = "We keep what you write for a year, so that we can help you. Do you agree?"
_CONTENT = {
    "rule": "ida_first",
    "heading": "The Library",
    "welcome": {"en": WELCOME},
    "consent": {"mode": "explicit", "text": {"en": TEXT}},
    "email": {"open": "on_first_message", "away": "on_first_message"},
}


@asynccontextmanager
async def drafted(rest: Rest, **content: Any) -> AsyncIterator[str]:
    """Lend a chatflow that is a draft, and its tag: they have one name."""
    name = f"autumn_{secrets.token_hex(4)}"
    new = {"id": name, "name": "Autumn", "inbox": "reception", "language": "en", "tag": name}
    await rest.does("POST", "/chatflows", new)
    await edit(rest, name, {**_CONTENT, **content})
    try:
        yield name
    finally:
        if (await rest.does("GET", f"/chatflows/{name}"))["published"] is None:
            await rest.does("DELETE", f"/chatflows/{name}/draft", if_match="*")
        else:
            await rest.does("POST", f"/chatflows/{name}/archive")


@asynccontextmanager
async def served(rest: Rest, **content: Any) -> AsyncIterator[str]:
    """Lend a chatflow that is published and enabled."""
    async with drafted(rest, **content) as name:
        await rest.does("POST", f"/chatflows/{name}/publish")
        await rest.does("PATCH", f"/chatflows/{name}", {"enabled": True}, "*")
        yield name


async def edit(rest: Rest, name: str, content: dict[str, Any]) -> None:
    """Change fields of the draft, whatever they are now."""
    await rest.does("PATCH", f"/chatflows/{name}/draft", content, "*")


async def shown_after(phone: Phone, version: int, change: Awaitable[Any]) -> int:
    """Make a change, wait until the open phone is served that version, and return after how many milliseconds."""
    began = time.monotonic()

    def is_it(told: samtale.Serving) -> bool:
        return told.chatflow is not None and told.chatflow.version == version

    since = len(phone.heard)
    await change
    await phone.is_told(f"the phone is served version {version}", samtale.Serving, is_it, since)
    return round((time.monotonic() - began) * 1000)


@asynccontextmanager
async def reader(cast: Cast, name: str, tag: str) -> AsyncIterator[Phone]:
    """Lend a visitor whose app is served the chatflow of that tag, once it is live."""
    async with cast.phone(name, tag=tag) as phone:
        await cast.pulse.until("the phone is served the chatflow", lambda: phone.client.chatflow)
        yield phone
