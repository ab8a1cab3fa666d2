"""Everybody in the story: two agents for all of it, visitors as each scene needs them.

Invariant: whoever is connected is disconnected when their part is over; `clear` leaves no conversation on a desk.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import samtale

from app.demo.narrator import Narrator
from app.demo.people import Desk, Phone
from app.demo.pulse import Pulse
from app.demo.stage import Stage

APP_KEY = "app_samtale_demo"
AGENTS = {"Ingrid": "ingrid", "Jonas": "jonas"}


class Cast:
    """The desks are there once `on_stage` yields; phones come and go."""

    def __init__(self, stage: Stage, narrator: Narrator) -> None:
        self.stage = stage
        self.narrator = narrator
        self.pulse = Pulse()
        self.desks: list[Desk] = []

    @asynccontextmanager
    async def on_stage(self) -> AsyncIterator["Cast"]:
        """Bring the agents to their desks, and clear what an earlier story left there."""
        async with AsyncExitStack() as stack:
            for name, login in AGENTS.items():
                desk = Desk(name, self.narrator, self.pulse)
                desk.client = samtale.AgentClient(
                    self.stage.gateways[0], email=f"{login}@demo.samtale.example", password=f"{login}-in-the-demo",
                    surroundings=desk.surroundings,
                )  # fmt: skip
                await stack.enter_async_context(desk.client)
                self.desks.append(desk)
            for desk in self.desks:
                await desk.ready()
            await self.clear()
            yield self

    @asynccontextmanager
    async def phone(self, name: str, tag: str = "counter", url: str | None = None) -> AsyncIterator[Phone]:
        """Lend a visitor whom the server has never seen, connected."""
        phone = Phone(name, self.narrator, self.pulse)
        phone.client = samtale.VisitorClient(
            url or self.stage.gateways[0], app_key=APP_KEY, tag=tag, device=samtale.Device(locale="en"),
            surroundings=phone.surroundings,
        )  # fmt: skip
        async with phone.client:
            await phone.connected()
            yield phone

    async def offered(self, conversation: str) -> Desk:
        """Return the desk that the conversation is put before."""

        def look() -> Desk | None:
            return next((desk for desk in self.desks if desk.offer_of(conversation)), None)

        desk = await self.pulse.until("the conversation is offered to an agent", look)
        self.narrator.sees(desk.name, "the conversation is offered")
        return desk

    async def served(self, phone: Phone, text: str) -> Desk:
        """Let the visitor say `text` and whoever is offered the conversation take it."""
        await phone.says(text)
        desk = await self.offered(phone.conversation)
        await desk.accepts(phone.conversation)
        return desk

    def other(self, desk: Desk) -> Desk:
        """Return the other agent."""
        return next(each for each in self.desks if each is not desk)

    async def clear(self) -> None:
        """Close every conversation that waits or is on a desk."""
        while left := [conversation for desk in self.desks for conversation in desk.waiting()]:
            conversation = left[0]
            holder = next((desk for desk in self.desks if desk.has(conversation)), self.desks[0])
            with suppress(samtale.RefusedError):  # closed by its visitor meanwhile
                if not holder.has(conversation):
                    await holder.outcome(holder.client.claim(conversation), "claims what is left over")
                await holder.closes(conversation)
            await self.pulse.until_true(
                "a closed conversation leaves the desks",
                lambda gone=conversation: all(gone not in desk.waiting() for desk in self.desks),  # type: ignore[misc]
            )
