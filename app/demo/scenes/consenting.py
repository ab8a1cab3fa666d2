"""What the visitor allows, refuses and takes back; the ledger has each of it, with the words that were shown."""

import secrets
from hashlib import sha256
from typing import Any

import samtale

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.phone import Phone
from app.demo.scenes.guests import guest, refusal, shown


async def explicit(cast: Cast) -> str:
    """The company's own text; "not now" is recorded and lets nothing through, "I agree" does."""
    async with cast.phone("Selma") as phone:
        card = shown(phone).consent
        require(card is not None, "no consent is asked for")
        assert card is not None
        require(card.text in cast.setting.workspace, f"the text is not the company's own: “{card.text}”")
        cast.narrator.says("kortet", card.text)
        cast.narrator.does("Selma", "sier ikke nå")
        await phone.outcome(phone.client.answer_consent(False), "says not now")
        code = await refusal(phone, phone.client.send("Jeg skriver likevel"))
        cast.narrator.sees("Selma", f"får ikke skrive: {code}")
        require(code == "consent_required", f"refused with {code}")
        await phone.agrees()
        cast.narrator.does("Selma", "sier ja")
        await phone.says("Har dere barneseter?")
        answers = [event.body for event in phone.log(phone.conversation)]
        logged = [(body.answer, body.text_hash) for body in answers if isinstance(body, samtale.ConsentAnswered)]
        wanted = [("declined", card.text_hash), ("granted", card.text_hash)]
        require(card.text_hash == sha256(card.text.encode()).hexdigest(), "the hash is not that of the text")
        require(logged == wanted, f"the log says {logged}")
        lines = await ledger(cast, phone)
        require([(line["answer"], line["text_hash"]) for line in lines] == wanted, f"the ledger says {lines}")
        version, locale = shown(phone).version, cast.setting.locale
        require({(line["version"], line["locale"]) for line in lines} == {(version, locale)}, f"it says {lines}")
    seen = f"{locale}, versjon {version}, tekst {card.text_hash[:8]}…"
    return f"nei og ja står i loggen og i protokollen: {seen}; før ja: {code}"


async def communicate(cast: Cast) -> str:
    """The box on the card: ticked, it waits for the contact, and is then a subscription."""
    address = f"selma.{secrets.token_hex(4)}@eksempel.no"
    async with cast.phone("Selma") as phone:
        card = shown(phone).consent
        box = card.communicate if card else None
        require(box is not None, "there is no box on the card")
        assert box is not None
        cast.narrator.says("boksen", box.label)
        require(box.label == "Ja, send meg gjerne tips om turer og tilbud.", f"beside it stands “{box.label}”")
        cast.narrator.does("Selma", "krysser av, og sier ja")
        await phone.agrees(communicate=True)
        await phone.says("Når åpner dere i morgen?")
        await phone.sees(phone.conversation, samtale.EmailAsked)
        await phone.outcome(phone.client.answer_email(address), "gives an address")
        cast.narrator.does("Selma", f"gir adressen {address}")
        lines = [line for line in await ledger(cast, phone) if line["purpose"] == "communicate"]
        said = [(line["answer"], line["subscription"], line["text_hash"]) for line in lines]
        require(said == [("granted", "sykkelnytt", box.text_hash)], f"the ledger says {lines}")
        [contact] = [each for each in await cast.record.report("contacts") if each["email"] == address]
        wants = await cast.record.subscriptions_of(contact["id"])
        require(wants == {"sykkelnytt": True}, f"the contact's subscriptions are {wants}")
        cast.narrator.sees("rapporten", f"{address} vil ha sykkelnytt")
    return "avkrysset på kortet, i protokollen med sin egen tekst, og en tegning av sykkelnytt da kontakten fantes"


async def analytics(cast: Cast) -> str:
    """What is optional about the device is kept only once the visitor's app says it may be."""
    async with guest(cast, "Oskar") as phone:
        phone.client.set_context(screen="/leie/114", properties={"sykkel": "BX-114"}, device={"modell": "Pixel 9"})
        desk = await cast.given(phone, "Lyset virker ikke")
        before = await desk.knows(phone.conversation, lambda known: known.properties == {"sykkel": "BX-114"})
        cast.narrator.sees(desk.name, f"skjerm {before.screen}, sykkel {before.properties['sykkel']}, enhet: —")
        require(before.device == {}, f"without consent the agent was told of {before.device}")
        cast.narrator.does("Oskar", "tillater statistikk")
        await phone.outcome(phone.client.set_analytics_consent(True), "allows analytics")
        phone.client.set_context(device={"modell": "Pixel 9"})
        after = await desk.knows(phone.conversation, lambda known: bool(known.device))
        cast.narrator.sees(desk.name, f"enhet: {after.device['modell']}")
        require(after.device == {"modell": "Pixel 9"}, f"with consent the agent is told of {after.device}")
        lines = [line["answer"] for line in await ledger(cast, phone) if line["purpose"] == "analytics"]
        require(lines == ["granted"], f"the ledger says {lines}")
    return "uten samtykke så ingen hvilken telefon det var; med samtykke: Pixel 9, og en linje i protokollen"


async def withdrawal(cast: Cast) -> str:
    """Taken back, the consent closes what is open; no survey is asked, and nothing more is taken."""
    async with guest(cast, "Nora") as phone:
        desk = await cast.given(phone, "Jeg vil egentlig ikke at dere lagrer dette")
        conversation = phone.conversation
        await desk.says(conversation, "Det skjønner jeg godt")
        await phone.hears(conversation, "Det skjønner jeg godt")
        cast.narrator.does("Nora", "trekker samtykket")
        await phone.outcome(phone.client.withdraw("process"), "withdraws")
        closed = await phone.sees(conversation, samtale.Closed)
        cast.narrator.sees(desk.name, f"samtalen er lukket: {closed.reason}")
        require(closed.reason == "consent_withdrawn", f"closed for {closed.reason}")
        code = await refusal(phone, phone.client.send("Hallo?"))
        cast.narrator.sees("Nora", f"får ikke skrive: {code}")
        require(code == "consent_required", f"what was said after it was refused with {code}")
        lines = [line["answer"] for line in await ledger(cast, phone) if line["purpose"] == "process"]
        require(lines == ["granted", "withdrawn"], f"the ledger says {lines}")
        asked = [event for event in phone.log(conversation) if isinstance(event.body, samtale.SurveyAsked)]
        require(not asked, "a survey was asked")
    return f"lukket ({closed.reason}), ingen undersøkelse, neste ord avvist ({code}); protokollen: {', '.join(lines)}"


async def ledger(cast: Cast, phone: Phone) -> list[dict[str, Any]]:
    """Return what the consent ledger says of the visitor, oldest first."""
    return [line for line in await cast.record.report("consents") if line["visitor"] == phone.client.who]
