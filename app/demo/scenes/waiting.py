"""More visitors than hands: capacity and the queue, and an offer that nobody answers."""

import time
from contextlib import AsyncExitStack

import samtale

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.phone import Phone

OFFER_S = 3.0  # counter.yaml's offer_timeout_s


async def capacity(cast: Cast) -> str:
    """With capacity 1 two conversations go to one agent each; the third waits at place 1 until a slot frees."""
    async with AsyncExitStack() as stack:
        nora, emil, sofie = [await stack.enter_async_context(cast.phone(name)) for name in ("Nora", "Emil", "Sofie")]
        first = await cast.served(nora, "My card was declined")
        second = await cast.served(emil, "I have forgotten my PIN")
        require(first is not second, f"both conversations were given to {first.name}")
        await sofie.says("Is anybody there?")
        place = await _place(sofie)
        cast.narrator.sees("Sofie", f"place {place.place} in the queue")
        require((place.place, place.exact) == (1, True), f"the third visitor sees {place}, not place 1")
        require(not any(desk.client.offers for desk in cast.desks), "an agent at capacity was offered a conversation")
        cast.narrator.does(first.name, "closes Nora's conversation")
        await first.closes(nora.conversation)
        freed = await cast.offered(sofie.conversation)
        require(freed is first, f"the slot of {first.name} freed, and {freed.name} was asked")
        await freed.accepts(sofie.conversation)
        assigned = await sofie.sees(sofie.conversation, samtale.Assigned)
        cast.narrator.sees("Sofie", f"{assigned.agent.name} has the conversation")
        return (
            f"{first.name} and {second.name} had one each; the third waited at place 1 and went to "
            f"{assigned.agent.name} when a slot freed"
        )


async def expiry(cast: Cast) -> str:
    """An offer that is not answered by its deadline goes on to the next agent."""
    async with cast.phone("Emil") as phone:
        await phone.says("It is me again")
        asked = await cast.offered(phone.conversation)
        at = time.monotonic()
        cast.narrator.does(asked.name, "is at the coffee machine")
        other = cast.other(asked)
        await cast.pulse.until(
            f"the offer to {asked.name} goes on to {other.name}",
            lambda: other.offer_of(phone.conversation),
            OFFER_S + 5.0,
        )
        waited_s = time.monotonic() - at
        require(asked.offer_of(phone.conversation) is None, f"{asked.name} is still asked, and {other.name} as well")
        cast.narrator.sees(other.name, f"the conversation is offered, {waited_s:.1f} s later")
        require(waited_s > OFFER_S - 1.0, f"the offer to {asked.name} lasted only {waited_s:.1f} s")
        await other.accepts(phone.conversation)
        return f"{asked.name} did not answer; after {waited_s:.1f} s the offer went on to {other.name}, who took it"


async def _place(phone: Phone) -> samtale.Place:
    def is_it(place: samtale.Place) -> bool:
        return place.conversation == phone.conversation

    return await phone.is_told(f"{phone.name} is told a place in the queue", samtale.Place, is_it)
