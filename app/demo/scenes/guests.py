"""Visitors of the help desk who have agreed to be helped, and people away from their desks.

Invariant: whoever was sent away is back when the block is over.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import samtale

from app.demo.cast import Cast
from app.demo.facts import NotSo
from app.demo.people import Person
from app.demo.phone import Phone


@asynccontextmanager
async def guest(cast: Cast, name: str, store: samtale.Store | None = None) -> AsyncIterator[Phone]:
    """Lend a visitor who has consented to processing, and left the box unticked."""
    async with cast.phone(name, store=store) as phone:
        await phone.agrees(communicate=False)
        yield phone


@asynccontextmanager
async def away(cast: Cast, *names: str) -> AsyncIterator[None]:
    """Let the supervisor send these agents away from their desks."""
    await _all_are("away", cast, names)
    cast.narrator.does("Kari", f"setter {' og '.join(names)} til borte")
    try:
        yield
    finally:
        await _all_are("available", cast, names)


async def _all_are(state: samtale.agent.State, cast: Cast, names: tuple[str, ...]) -> None:
    kari = cast.desk("Kari")
    for name in names:
        desk = cast.desk(name)
        await kari.outcome(kari.client.set_state(state, agent=desk.client.who), f"sets {name} {state}")
        await desk.is_in(state)


async def refusal(asking: Person, asked: samtale.Asked) -> str:
    """Return the code that what was asked is refused with; NotSo if it is not refused."""
    try:
        await asking.outcome(asked, "asks for what is refused")
    except samtale.RefusedError as error:
        return error.refused.code
    raise NotSo(f"{asking.name} was not refused")


def shown(phone: Phone) -> samtale.Chatflow:
    """Return what the phone is served; NotSo if nothing."""
    if phone.client.chatflow is None:
        raise NotSo(f"{phone.name} is served nothing")
    return phone.client.chatflow
