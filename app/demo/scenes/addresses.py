"""When an address is asked, how it is given, and what becomes of whom it belongs to."""

import secrets
from typing import Any

import samtale

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.phone import Phone
from app.demo.scenes.guests import guest, refusal

OLD_TAG = "gammel"


def _address(name: str) -> str:
    return f"{name}.{secrets.token_hex(4)}@eksempel.no"


async def after_delay(cast: Cast) -> str:
    """Asked two seconds after the first message, not if somebody answered first; a bad address gets a second chance."""
    address = _address("oskar")
    async with guest(cast, "Nora") as answered, guest(cast, "Oskar") as left_alone:
        desk = await cast.given(answered, "Får jeg leie to sykler?")
        await desk.says(answered.conversation, "Så klart!")
        await cast.given(left_alone, "Får jeg leie en lastesykkel?")
        asked = await left_alone.sees(left_alone.conversation, samtale.EmailAsked)
        cast.narrator.says("appen", asked.text)
        require((asked.why, asked.text) == ("delay", "Hvor kan vi skrive til deg?"), f"asked as {asked}")
        waited_ms = _at(left_alone, samtale.EmailAsked) - _at(left_alone, samtale.Message)
        require(2_000 <= waited_ms < 4_000, f"asked {waited_ms} ms after the first message")
        since = len(left_alone.heard)
        code = await refusal(left_alone, left_alone.client.answer_email("oskar på eksempel"))
        cast.narrator.sees("Oskar", f"skriver feil: {code}; appen spør en gang til")
        await left_alone.sees(left_alone.conversation, samtale.EmailAsked, since)
        await left_alone.says(address)
        given = await left_alone.sees(left_alone.conversation, samtale.EmailGiven)
        contact = await _contact(cast, address)
        require((given.email, given.contact) == (address, contact["id"]), f"given is {given}, kept {contact}")
        asks = [event for event in answered.log(answered.conversation) if isinstance(event.body, samtale.EmailAsked)]
        require(not asks, "whoever was answered at once was asked all the same")
    return (
        f"spurt etter {waited_ms / 1000:.1f} s; {code} og spurt på nytt; en melding med bare adressen holdt; Nora slapp"
    )


async def marketing(cast: Cast) -> str:
    """A contact that this chatflow creates is marked; one that was there before is not touched."""
    known, new = _address("kjent"), _address("ny")
    async with cast.phone("Oskar", tag=OLD_TAG) as before:
        cast.narrator.does("Oskar", f"var innom den gamle flyten som {known}")
        await before.says("Hei, det er Oskar")
        await before.sees(before.conversation, samtale.EmailAsked)
        await before.outcome(before.client.answer_email(known), "gives an address")
    created = await _contact(cast, known)
    async with guest(cast, "Oskar") as again, guest(cast, "Selma") as first:
        for phone, address in ((again, known), (first, new)):
            await phone.says("Hei!")
            cast.narrator.does(phone.name, f"gir adressen {address}")
        for phone, address in ((again, known), (first, new)):
            await phone.sees(phone.conversation, samtale.EmailAsked)
            await phone.outcome(phone.client.answer_email(address), "gives an address")
        given = await again.sees(again.conversation, samtale.EmailGiven)
    old, fresh = await _contact(cast, known), await _contact(cast, new)
    cast.narrator.sees("rapporten", f"{known}: {_mark(old)}; {new}: {_mark(fresh)}")
    require(given.contact == old["id"], "the known address made another contact")
    require(old == created, f"the existing contact was {created} and is {old}")
    require((old["marketing"], fresh["marketing"]) == (False, True), f"marked are {old} and {fresh}")
    return f"den nye kontakten er markedskontakt; den som fantes, er som før ({given.contact})"


def _mark(contact: dict[str, Any]) -> str:
    return "markedskontakt" if contact["marketing"] else "ikke markedskontakt"


async def _contact(cast: Cast, address: str) -> dict[str, Any]:
    found = [each for each in await cast.record.report("contacts") if each["email"] == address]
    require(len(found) == 1, f"the report has {len(found)} contacts with {address}")
    return found[0]


def _at(phone: Phone, kind: type[samtale.Body]) -> int:
    return next(event.at_ms for event in phone.log(phone.conversation) if isinstance(event.body, kind))
