"""A visitor of the story: the SDK on a phone, and every byte that came to it.

Invariant: what the tape holds is all that the server ever sent to this phone.
"""

import samtale

from app.demo.narrator import Narrator
from app.demo.people import Person
from app.demo.pulse import Pulse
from app.demo.tape import Tape


class Phone(Person):
    """A visitor."""

    client: samtale.VisitorClient

    def __init__(self, name: str, narrator: Narrator, pulse: Pulse) -> None:
        super().__init__(name, narrator, pulse)
        self.tape = Tape()
        self.surroundings = samtale.Surroundings(connect=self.tape.dial, listener=self.hear)

    @property
    def conversation(self) -> str:
        """The conversation that the visitor talks in."""
        return self.client.conversation

    async def says(self, text: str) -> samtale.Acked:
        """Send `text` and wait until it is acknowledged."""
        self.narrator.says(self.name, text)
        return await self.outcome(self.client.send(text), f"says “{text}”")

    async def closes(self) -> None:
        """End the conversation."""
        await self.outcome(self.client.close(), "closes")

    async def agrees(self, *, communicate: bool | None = None) -> samtale.Acked:
        """Consent to processing; `communicate`: whether the box on the card is ticked."""
        return await self.outcome(self.client.answer_consent(True, communicate=communicate), "agrees")
