"""What an agent says beside plain text: quick replies to choose from, ready replies with their variables filled in."""

import samtale

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.scenes.guests import guest, refusal

_WHICH = samtale.QuickReplies(
    [samtale.Option("by", "Bysykkel"), samtale.Option("el", "Elsykkel"), samtale.Option("last", "Lastesykkel")]
)


async def quick_replies(cast: Cast) -> str:
    """Chosen by a press; the choice names the message and the option, and can be made only while it is asked."""
    async with guest(cast, "Oskar") as phone:
        desk = await cast.given(phone, "Jeg vil leie en sykkel")
        conversation = phone.conversation
        asked = await desk.outcome(desk.client.send(conversation, "Hvilken?", content=_WHICH), "asks")
        said = await phone.reads(conversation, asked.seq)
        assert isinstance(said.body, samtale.Message)
        cast.narrator.says(desk.name, said.body.text.replace("\n", " / "))
        require(said.body.content == _WHICH, f"the phone is shown {said.body}")
        cast.narrator.does("Oskar", "trykker på Lastesykkel")
        chosen = await phone.outcome(phone.client.choose(said, "last"), "chooses")
        answer = (await desk.reads(conversation, chosen.seq)).body
        assert isinstance(answer, samtale.Message)
        cast.narrator.sees(desk.name, f"«{answer.text}»")
        require(answer.content == samtale.Choice(asked.seq, "last"), f"the agent reads {answer}")
        require(answer.text == "Lastesykkel", f"its plain form is “{answer.text}”")
        code = await refusal(phone, phone.client.choose(said, "by"))
        require(code == "bad_content", f"choosing again was refused {code}")
    return f"seq {chosen.seq} velger «last» av seq {asked.seq}; å velge om igjen: {code}"


async def canned(cast: Cast) -> str:
    """A ready reply is said in the visitor's language; its variables hold what the visitor may see."""
    async with guest(cast, "Nora") as phone:
        desk = await cast.given(phone, "Hei, er det noen der?")
        conversation = phone.conversation
        ready = next(reply for told in desk.told(samtale.Connected) for reply in told.canned)
        cast.narrator.does(desk.name, f"bruker det faste svaret «{ready.id}»: {ready.text['nb']}")
        said = await desk.outcome(desk.client.send(conversation, canned=ready.id), "answers")
        body = (await phone.reads(conversation, said.seq)).body
        assert isinstance(body, samtale.Message)
        cast.narrator.sees("Nora", f"{body.by.name}: «{body.text}»")
        wanted = ready.text["nb"].format(agent="Nordlys Sykkel", inbox="Kundesenteret")
        require(body.text == wanted, f"the phone reads “{body.text}”")
    return f"«{ready.id}» fylt ut: {{agent}} er {body.by.name}, {{inbox}} er Kundesenteret"
