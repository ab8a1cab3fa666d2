"""A supervisor's day: reads along, sends people away and calls them back, fills a desk above capacity; and a nap."""

from contextlib import AsyncExitStack

import samtale

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.scenes.guests import away, guest, refusal

CAPACITY = 2  # of everybody in desk.yaml
NAP_MS = 1_000


async def supervisor(cast: Cast) -> str:
    """With one agent left and that one full, the next visitor waits; a supervisor may force what an agent may not."""
    kari = cast.desk("Kari")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(away(cast, "Jonas", "Amira"))
        nora, oskar, selma = [await stack.enter_async_context(guest(cast, name)) for name in ("Nora", "Oskar", "Selma")]
        ingrid = await cast.given(nora, "Setet er løst")
        require(await cast.given(oskar, "Pedalen er løs") is ingrid, "somebody who is away was given a conversation")
        await selma.says("Alt er løst")
        place = await selma.is_told("a place in the queue", samtale.Place, lambda told: told.place == 1)
        cast.narrator.sees("Selma", f"er nummer {place.place} i køen")
        kari.client.follow(nora.conversation)
        await kari.hears(nora.conversation, "Setet er løst")
        cast.narrator.sees("Kari", "leser med hos Nora")
        code = await refusal(kari, kari.client.transfer(selma.conversation, ingrid.client.who))
        cast.narrator.sees("Kari", f"får ikke gi Ingrid enda en: {code}")
        require(code == "at_capacity", f"refused with {code}")
        forced = kari.client.transfer(selma.conversation, ingrid.client.who, "Ta denne også, er du snill", force=True)
        await kari.outcome(forced, "forces it")
        await ingrid.gets(selma.conversation)
        handed = await ingrid.sees(selma.conversation, samtale.Transferred)
        require(handed.by.id == kari.client.who, f"the log says {handed}")
        why = [line for line in await cast.record.explained(selma.conversation) if "forced by a supervisor" in line]
        require(bool(why), "explain says nothing of force")
        cast.narrator.sees("explain", why[0].strip())
        require(len(ingrid.client.conversations) == CAPACITY + 1, "she has another number of them")
        await ingrid.says(selma.conversation, "Jeg kommer!")
        await selma.hears(selma.conversation, "Jeg kommer!")
    return f"Selma ventet på plass 1; uten tvang: {code}; med: tre hos Ingrid, og det står at Kari tvang det gjennom"


async def snooze(cast: Cast) -> str:
    """Put off, a conversation wakes when its time has come, or when the visitor speaks; the phone knows of neither."""
    async with guest(cast, "Oskar") as phone:
        desk = await cast.given(phone, "Kan dere ringe meg i morgen?")
        conversation = phone.conversation
        said = await desk.says(conversation, "Det kan vi")
        at_ms = (await desk.reads(conversation, said.seq)).at_ms
        await desk.outcome(desk.client.snooze(conversation, at_ms + NAP_MS), "puts it off")
        cast.narrator.does(desk.name, "legger den bort et øyeblikk")
        due = await desk.sees(conversation, samtale.Woken)
        cast.narrator.sees(desk.name, f"våkner: {due.why}")
        since = len(desk.heard)
        await desk.outcome(desk.client.snooze(conversation, at_ms + 3_600_000), "puts it off again")
        cast.narrator.does(desk.name, "legger den bort i en time")
        await phone.says("Dere trenger ikke ringe likevel")
        spoken = await desk.sees(conversation, samtale.Woken, since)
        cast.narrator.sees(desk.name, f"våkner: {spoken.why}")
        require((due.why, spoken.why) == ("due", "visitor"), f"it woke {due.why}, then {spoken.why}")
        require(desk.has(conversation), f"it is not {desk.name}'s any more")
        mine = {type(event.body).__name__ for event in phone.log(conversation)}
        require(not mine & {"Snoozed", "Woken"}, f"the visitor was shown {mine}")
    return f"våknet av tiden ({due.why}) og av kunden ({spoken.why}), hos {desk.name} hele tiden"
