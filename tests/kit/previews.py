"""A shop whose chatflow is tried out: made over REST, opened in a browser.

Invariant: every shop is an account of its own, so nothing that is done in one is seen in another.
"""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from PIL import Image, ImageDraw
from playwright.async_api import Locator, Page, expect

from protocol.bus.catalogue import catalogue

NB = catalogue()["nb"].interface
WELCOME = "Hei og velkommen! Hva kan vi hjelpe deg med?"
FLOW = "sykkelhjelp"
_DRAFT = {
    "rule": "skranken", "welcome": {"nb": WELCOME}, "email": {"open": "after_delay", "delay_s": 1, "away": "after_delay",
    "text": {"nb": "Hvor kan vi skrive til deg?"}}, "storage": {"ask": "before_chat"}, "consent": {"mode": "explicit"},
    "communicate": {"subscription": "sykkelnytt", "label": {"nb": "Ja, send meg {subscription}."}},
    "display": {"small": "launcher", "large": "welcome_prompt", "accent": "#0b6e4f"}, "survey": "faces",
}  # fmt: skip
AT_ONCE: dict[str, Any] = {  # nothing is asked before the first word, or after it
    "storage": {"ask": "never"}, "consent": {"mode": "off"}, "communicate": None,
    "email": {"open": "never", "away": "never"},
}  # fmt: skip


class Shop:
    """One account and its owner's way to ask."""

    def __init__(self, rest: httpx2.AsyncClient) -> None:
        self.rest = rest

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask over REST; return what is answered."""
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.rest.request(method, path, headers=said, **sent)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    async def drafts(self, chatflow: str = FLOW, **changes: Any) -> None:
        """Save the draft of a chatflow with these changes."""
        await self.ask("PATCH", f"/chatflows/{chatflow}/draft", changes, If_Match="*")

    async def begins(self, chatflow: str = FLOW) -> Any:
        """Begin a preview of a chatflow's draft."""
        return await self.ask("POST", f"/chatflows/{chatflow}/preview", {})

    async def address(self, chatflow: str = FLOW) -> str:
        """Return where a new preview is opened."""
        return str((await self.begins(chatflow))["address"])


@asynccontextmanager
async def shop(url: str, key: str, account: str, **changes: Any) -> AsyncIterator[Shop]:
    """Make a shop with one agent and a chatflow that asks for everything, but for `changes` of its draft."""
    async with httpx2.AsyncClient(base_url=f"{url}/api/v1", timeout=60) as rest:
        made = Shop(rest)
        owner = {"id": "kari", "name": "Kari", "email": f"kari@{account}.example", "password": f"kari-of-{account}"}
        bearer = {"Authorization": f"Bearer {key}"}
        await made.ask("POST", "/accounts", {"id": account, "name": "Nordlys Sykkel", "owner": owner}, **bearer)
        session = await made.ask("POST", "/session", {"email": owner["email"], "password": owner["password"]})
        rest.headers["X-CSRF-Token"] = session["csrf_token"]
        await _furnish(made, account)
        image = (await made.ask("POST", "/images", logo(), Content_Type="image/png"))["address"]
        heading = {"kind": "custom", "name": "Nordlys Sykkel", "image": image}
        await made.drafts(**(_DRAFT | {"heading": heading} | changes))
        yield made


async def _furnish(made: Shop, account: str) -> None:
    await made.ask("POST", "/users", {
        "id": "ingrid", "name": "Ingrid Lie", "email": f"ingrid@{account}.example",
        "password": f"ingrid-of-{account}", "seat": True,
    })  # fmt: skip
    await made.ask("POST", "/inboxes", {"id": "kundesenter", "name": "Kundesenteret", "agents": ["ingrid"]})
    await made.ask("POST", "/rules", {
        "id": "skranken", "inbox": "kundesenter", "name": "Etter tur", "agents": ["ingrid"], "auto_accept": True,
    })  # fmt: skip
    await made.ask("POST", "/subscriptions", {"id": "sykkelnytt", "name": "tips om turer og tilbud"})
    for scale in ("faces", "stars", "ten", "thumbs"):
        asks = {"id": scale, "name": scale, "delivery": "chat", "scale": scale, "question": {"nb": "Hvordan var det?"}}
        await made.ask("POST", "/surveys", asks)
    await made.ask("POST", "/chatflows", {
        "id": FLOW, "name": "Sykkelhjelp", "inbox": "kundesenter", "language": "nb", "tag": "sykkel",
    })  # fmt: skip


def logo() -> bytes:
    """Return a picture of a bicycle, as a PNG."""
    drawn = Image.new("RGB", (512, 512), "#f4efe4")
    pen = ImageDraw.Draw(drawn)
    for left in (56, 296):
        pen.ellipse((left, 220, left + 160, 380), outline="#0b6e4f", width=22)
    pen.line([(136, 300), (220, 300), (310, 190), (190, 190), (220, 300)], fill="#d9622b", width=22, joint="curve")
    pen.line([(190, 190), (136, 300)], fill="#d9622b", width=22)
    pen.line([(376, 300), (304, 150), (350, 140)], fill="#d9622b", width=22, joint="curve")
    pen.line([(160, 165), (215, 165)], fill="#2c3036", width=26)
    kept = io.BytesIO()
    drawn.resize((128, 128), Image.Resampling.LANCZOS).save(kept, "PNG")
    return kept.getvalue()


async def opened(page: Page, address: str, locale: str = "nb") -> Locator:
    """Open a preview in a language; return the phone, its chat open."""
    await page.goto(address)
    await page.get_by_label("Language").select_option(locale)
    phone = page.locator("#phone")
    await phone.locator(".launcher").click()
    return phone


async def says(phone: Locator, text: str) -> None:
    """Write something into the phone, and wait until it is said."""
    composer = phone.get_by_label(NB["placeholder"])
    await composer.fill(text)
    await composer.press("Enter")
    await expect(phone.locator(".mine:not(.waiting)", has_text=text)).to_be_visible()
