"""What the visitor is never told: who behind the brand answers, what colleagues say, that a button closed anything."""

import secrets

import samtale

from admin.workspace import read
from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.people import Person
from app.demo.scenes.guests import guest, refusal, shown
from app.demo.scenes.lines import types

BRAND = "Nordlys Sykkel"


async def close_button(cast: Cast) -> str:
    """The X is shown; pressing it tells the app, and closes nothing."""
    async with guest(cast, "Nora") as phone:
        require(shown(phone).close_button, "the view has no close button")
        desk = await cast.given(phone, "Vent litt, jeg må bare av bussen")
        conversation = phone.conversation
        cast.narrator.does("Nora", "trykker på krysset")
        phone.client.press_close()
        await phone.is_told("the app is told", samtale.ClosePressed, lambda told: told.conversation == conversation)
        await desk.says(conversation, "Ta den tiden du trenger")
        await phone.hears(conversation, "Ta den tiden du trenger")
        await phone.says("Nå er jeg her igjen")
        kinds = [type(event.body) for event in phone.log(conversation)]
        require(samtale.Closed not in kinds, "pressing it closed the conversation")
        [ticket] = await cast.record.tickets_of(conversation)
        require(ticket["status"] == "waiting_us", f"the ticket is {ticket}")
    return "appen fikk ClosePressed; samtalen går videre i loggen, og saken venter på oss"


async def among_colleagues(cast: Cast) -> str:
    """A note with a mention, a whisper, a tag and a field are for staff; no byte of them comes to the phone."""
    secret = f"BX{secrets.randbelow(10**12):012d}"
    note, whisper = f"Ring verkstedet om {secret}", f"Gi henne en gratis time på {secret}"
    async with guest(cast, "Selma") as phone:
        desk = await cast.given(phone, "Bremsen hyler")
        kari, conversation = cast.desk("Kari"), phone.conversation
        colleague = next(each for each in cast.desks if each not in (desk, kari))
        cast.narrator.does(desk.name, f"noterer for {colleague.name}: «{note}»")
        noted = desk.client.note(conversation, note, mentions=[colleague.client.who])
        at = (await desk.outcome(noted, "takes a note")).seq
        key = f"mention:{conversation}:{at}"
        await colleague.is_told("the colleague is told", samtale.FeedChanged, lambda told: told.key == key)
        cast.narrator.does("Kari", f"hvisker: «{whisper}»")
        await kari.outcome(kari.client.whisper(conversation, whisper), "whispers")
        await desk.outcome(desk.client.tag(conversation, add=[f"bremse-{secret}"]), "tags")
        await desk.outcome(desk.client.set_fields(conversation, {"ramme": secret}), "sets a field")
        await desk.says(conversation, "Prøv å ta det rolig i bakken")
        heard = await phone.hears(conversation, "Prøv å ta det rolig i bakken")
        staff = [type(event.body).__name__ for event in desk.log(conversation)]
        require({"Note", "TagsChanged", "FieldsSet"} <= set(staff), f"the desk's log is {staff}")
        code = await refusal(desk, desk.client.whisper(conversation, "Hvisk"))
        require(code == "not_permitted", f"who is no supervisor may whisper: {code}")
        await phone.client.history(conversation, heard.seq + 1)
        require(not phone.tape.holds(secret), "something of it came to the phone")
        seqs = {event.seq for event in phone.log(conversation)}
        hidden = len([seq for seq in range(1, heard.seq) if seq not in seqs])
    return f"notat, hvisking, merke og felt: {hidden} plasser i loggen som telefonen bare vet at finnes"


async def alias(cast: Cast) -> str:
    """Behind the brand nobody has an id, a name or an address, in any byte that any phone of this story received."""
    store = samtale.MemoryStore()
    async with guest(cast, "Selma", store) as phone:
        desk = await cast.given(phone, "Hvem er det jeg snakker med?")
        conversation = phone.conversation
        await desk.hears(conversation, "Hvem er det jeg snakker med?")
        typing = await types(lambda: desk.client.typing(conversation), phone, conversation)
        cast.narrator.sees("Selma", f"{typing.name} skriver …")
        said = await desk.outcome(desk.client.send(conversation, canned="velkommen"), "answers")
        answer = next(event for event in desk.log(conversation) if event.seq == said.seq)
        cast.narrator.says(desk.name, answer.body.text if isinstance(answer.body, samtale.Message) else "")
        await desk.closes(conversation)
        await phone.sees(conversation, samtale.Closed)
        await phone.client.history(conversation, 1_000)
    async with cast.phone("Selma", store=store) as back:
        await back.hears(conversation, f"Hei! Dette er {BRAND} i Kundesenteret. Jeg ser på saken med en gang.")
        names = {author.name for each in (phone, back) for author in _agents(each, conversation)}
        ids = {author.id for each in (phone, back) for author in _agents(each, conversation)}
    require((names, ids) == ({BRAND}, {""}), f"agents are {names} with ids {ids}")
    staff = {author.id for author in _agents(desk, conversation)}
    require(staff == {desk.client.who}, f"colleagues read that it was {staff}")
    wanted = _identities(cast)
    heard = sum(len(tape.heard) for tape in cast.tapes)
    require(phone.tape.holds(BRAND), "the search is blind: not even the brand is found")
    leaked = [identity for identity in wanted if any(tape.holds(identity) for tape in cast.tapes)]
    require(not leaked, f"phones were sent {leaked}")
    return (
        f"alle heter {BRAND}; av {len(wanted)} navn og adresser er ingen i {heard} byte til {len(cast.tapes)} telefoner"
    )


def _identities(cast: Cast) -> list[str]:
    [account] = read(cast.setting.workspace).accounts
    agents = [agent.thing for agent in account.thing.agents]
    return [identity for agent in agents for identity in (agent.id, agent.name, agent.email)]


def _agents(reader: Person, conversation: str) -> list[samtale.Author]:
    """Return whoever of staff an entry of the log names."""
    bodies = [event.body for event in reader.log(conversation)]
    named = [getattr(body, field, None) for body in bodies for field in ("by", "agent")]
    return [author for author in named if isinstance(author, samtale.Author) and author.role == "agent"]
