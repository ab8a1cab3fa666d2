"""What is taken away: one message from every store, and a visitor's right to write."""

import secrets

import samtale

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.scenes.guests import guest, refusal
from app.demo.traces import places_with

BLOCKED_CODE = 4504


async def redaction(cast: Cast) -> str:
    """One message is redacted: its place stays, its text is in no key, no row, and no answer to anybody."""
    secret = f"{secrets.randbelow(10**11):011d}-{secrets.token_hex(8)}"
    store = samtale.MemoryStore()
    async with guest(cast, "Nora", store) as phone:
        desk = await cast.given(phone, "Hei, jeg har et spørsmål om fakturaen")
        conversation = phone.conversation
        planted = await phone.says(f"Fødselsnummeret mitt er {secret}")
        await desk.reads(conversation, planted.seq)
        await cast.record.stored()
        before = await _stores_with(cast, secret)
        require({"redis", "sql"} <= {place.split()[0] for place in before}, f"the search is blind: {before}")
        cast.narrator.sees("søket", f"teksten står {len(before)} steder: {', '.join(before)}")
        await desk.outcome(desk.client.redact(conversation, planted.seq), "redacts it")
        cast.narrator.does(desk.name, "sladder meldingen")
        for reader in (phone, desk):
            told = await reader.sees(conversation, samtale.Redacted)
            require(told.of == planted.seq, f"{reader.name} is told {told}")
        await cast.record.stored()
        left = await _stores_with(cast, secret)
        require(not left, f"the text is still in {left}")
        cast.narrator.sees("søket", "teksten står ingen steder")
    async with cast.phone("Nora", store=store) as back:
        tombstone = (await back.reads(conversation, planted.seq)).body
        require(isinstance(tombstone, samtale.Message) and tombstone.redacted, f"in its place is {tombstone}")
        require(not back.tape.holds(secret), "the text came to a phone again")
    return f"fra {len(before)} steder i Redis og SQL til ingen; seq {planted.seq} er en tom plass for alle som leser"


async def _stores_with(cast: Cast, text: str) -> list[str]:
    """Return the keys and rows that hold `text`; of a journal on disk the servers are the only readers."""
    found = await places_with(cast.stage.settings, text)
    return [place for place in found if not place.startswith("file ")]


async def block(cast: Cast) -> str:
    """A blocked visitor is sent away, finds everything closed, may read and not write; until somebody relents."""
    store = samtale.MemoryStore()
    async with guest(cast, "Oskar", store) as phone:
        desk = await cast.given(phone, "KJØP BILLIGE SOLBRILLER")
        conversation = phone.conversation
        await desk.outcome(desk.client.block(conversation), "blocks the visitor")
        cast.narrator.does(desk.name, "sperrer den besøkende")
        sent_away = await phone.is_told("is sent away", samtale.Disconnected, lambda told: told.again_in_s is None)
        require(sent_away.code == BLOCKED_CODE, f"sent away with {sent_away.code}")
        closed = await desk.sees(conversation, samtale.Closed)
        require(closed.reason == "blocked", f"closed for {closed.reason}")
    async with cast.phone("Oskar", store=store) as back:
        require(back.client.steps.blocked, "steps do not say that the visitor is blocked")
        code = await refusal(back, back.client.send("SOLBRILLER!"))
        cast.narrator.sees("Oskar", f"får ikke skrive: {code}")
        require(code == "blocked", f"refused with {code}")
        await desk.outcome(desk.client.block(conversation, on=False), "lets them write again")
        cast.narrator.does(desk.name, "angrer seg")
    async with cast.phone("Oskar", store=store) as forgiven:
        await forgiven.says("Unnskyld")
    return f"sendt bort med {sent_away.code}, samtalen lukket ({closed.reason}), nytt forsøk: {code}; så tilgitt"
