"""Everybody in a story: agents for all of it, visitors as each scene needs them.

Invariant: whoever is connected is disconnected when their part is over; `clear` leaves no conversation on a desk.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import samtale

from app.demo.desk import Desk
from app.demo.narrator import Narrator
from app.demo.phone import Phone
from app.demo.pulse import Pulse
from app.demo.records import Record
from app.demo.setting import Setting
from app.demo.stage import Stage
from app.demo.tape import Tape


class Cast:
    """The desks are there once `on_stage` yields; phones come and go, and their tapes stay."""

    def __init__(self, stage: Stage, setting: Setting, narrator: Narrator) -> None:
        self.stage = stage
        self.setting = setting
        self.narrator = narrator
        self.pulse = Pulse()
        self.record = Record(stage.settings, setting.account)
        self.desks: list[Desk] = []
        self.tapes: list[Tape] = []

    @asynccontextmanager
    async def on_stage(self) -> AsyncIterator["Cast"]:
        """Bring the agents to their desks, and clear what an earlier story left there."""
        async with AsyncExitStack() as stack:
            for name, email in self.setting.agents.items():
                desk = Desk(name, self.narrator, self.pulse)
                desk.client = samtale.AgentClient(
                    self.stage.gateways[0], email=email, password=f"{email.partition('@')[0]}-in-the-demo",
                    surroundings=desk.surroundings,
                )  # fmt: skip
                await stack.enter_async_context(desk.client)
                self.desks.append(desk)
            for desk in self.desks:
                await desk.ready()
            await self.clear()
            yield self

    @asynccontextmanager
    async def phone(
        self, name: str, tag: str | None = None, url: str | None = None, store: samtale.Store | None = None
    ) -> AsyncIterator[Phone]:
        """Lend a visitor, connected, whom the server has never seen unless the `store` remembers."""
        phone = Phone(name, self.narrator, self.pulse)
        self.tapes.append(phone.tape)
        phone.client = samtale.VisitorClient(
            url or self.stage.gateways[0], app_key=self.setting.app_key, tag=tag or self.setting.tag,
            device=samtale.Device(locale=self.setting.locale), store=store, surroundings=phone.surroundings,
        )  # fmt: skip
        async with phone.client:
            await phone.connected()
            yield phone

    @asynccontextmanager
    async def trying(self, token: str) -> AsyncIterator[Phone]:
        """Lend a phone that was built with the token of a preview, and knows neither app nor tag."""
        phone = Phone("Mona", self.narrator, self.pulse)
        phone.client = samtale.VisitorClient(
            self.stage.gateways[0], app_key="any", tag="any", preview=token,
            device=samtale.Device(locale=self.setting.locale), surroundings=phone.surroundings,
        )  # fmt: skip
        async with phone.client:
            yield phone

    async def offered(self, conversation: str) -> Desk:
        """Return the desk that the conversation is put before."""

        def look() -> Desk | None:
            return next((desk for desk in self.desks if desk.offer_of(conversation)), None)

        desk = await self.pulse.until("the conversation is offered to an agent", look)
        self.narrator.sees(desk.name, self.narrator.tongue.offered)
        return desk

    async def served(self, phone: Phone, text: str) -> Desk:
        """Let the visitor say `text` and whoever is offered the conversation take it."""
        await phone.says(text)
        desk = await self.offered(phone.conversation)
        await desk.accepts(phone.conversation)
        return desk

    async def given(self, phone: Phone, text: str) -> Desk:
        """Let the visitor say `text`, and return the desk that the conversation goes to by itself."""
        await phone.says(text)

        def look() -> Desk | None:
            return next((desk for desk in self.desks if desk.has(phone.conversation)), None)

        desk = await self.pulse.until("the conversation goes to an agent", look)
        self.narrator.sees(desk.name, self.narrator.tongue.given)
        return desk

    def desk(self, name: str) -> Desk:
        """Return the desk of the agent called that."""
        return next(each for each in self.desks if each.name == name)

    def other(self, desk: Desk) -> Desk:
        """Return another agent."""
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

    async def apply(self, workspace: str = "") -> None:
        """Make the account as its workspace file says, or as another `workspace` does. Raises BadWorkspace."""
        await self.stage.apply(workspace or self.setting.workspace)
