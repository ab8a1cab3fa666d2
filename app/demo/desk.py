"""An agent of the story: the SDK at a desk.

Invariant: what is before the agent, and what is theirs, is what the server's feed says.
"""

from collections.abc import Callable

import samtale

from app.demo.facts import NotSo
from app.demo.people import Person


class Desk(Person):
    """An agent."""

    client: samtale.AgentClient

    def offer_of(self, conversation: str) -> str | None:
        """Return the id of the offer of `conversation` that is open before this agent, or None."""
        offers = self.client.offers.items()
        return next((offer for offer, row in offers if row["conversation"] == conversation), None)

    def has(self, conversation: str) -> bool:
        """Whether the conversation is this agent's."""
        return conversation in self.client.conversations

    def waiting(self) -> list[str]:
        """Return every conversation of the agent's inboxes and hands."""
        inboxes = (rows for feed, rows in self.client.feeds.items() if feed.startswith("inbox:"))
        return [*self.client.conversations, *(conversation for rows in inboxes for conversation in rows)]

    async def ready(self) -> None:
        """Wait until the roster counts this agent as there and available."""
        await self.connected()
        self.client.set_state("available")

        await self.is_in("available")

    async def is_in(self, state: str) -> None:
        """Wait until the roster has this agent in `state`."""

        def is_so() -> bool:
            rows = (rows for feed, rows in self.client.feeds.items() if feed.startswith("agent:"))
            return any(each.get("state", {}).get("state") == state for each in rows)

        await self.pulse.until_true(f"{self.name} is {state}", is_so)

    async def accepts(self, conversation: str) -> None:
        """Take what is offered, and wait until it is this agent's."""
        offer = self.offer_of(conversation)
        if offer is None:
            raise NotSo(f"the conversation is not before {self.name}")
        self.narrator.does(self.name, self.narrator.tongue.taken)
        await self.outcome(self.client.accept(offer), "accepts")
        await self.gets(conversation)

    async def gets(self, conversation: str) -> None:
        """Wait until the conversation is this agent's."""
        await self.pulse.until_true(f"{self.name} has the conversation", lambda: self.has(conversation))

    async def says(self, conversation: str, text: str) -> samtale.Acked:
        """Answer, and wait until it is acknowledged."""
        self.narrator.says(self.name, text)
        return await self.outcome(self.client.send(conversation, text), f"says “{text}”")

    async def closes(self, conversation: str) -> None:
        """End the conversation."""
        await self.outcome(self.client.close(conversation), "closes")

    async def knows(self, conversation: str, of: Callable[[samtale.Context], bool]) -> samtale.Context:
        """Wait until this agent is told that of the conversation's visitor."""

        def is_it(known: samtale.Context) -> bool:
            return known.conversation == conversation and of(known)

        return await self.is_told(f"{self.name} is told who the visitor is", samtale.Context, is_it)
