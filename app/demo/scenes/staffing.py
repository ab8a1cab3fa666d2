"""Who answers: two agents and a team, in turn; nobody without a seat."""

from contextlib import AsyncExitStack

import samtale

from admin.workspace import BadWorkspace
from app.demo.cast import Cast
from app.demo.facts import NotSo, require
from app.demo.scenes.guests import away, guest

RULE = "skranken"
_NAMED, _WITH_EVA = "agents: [ingrid_lie, jonas_berg]", "agents: [ingrid_lie, jonas_berg, eva_solvang]"


async def seat_required(cast: Cast) -> str:
    """A rule that names an agent without a seat is refused where it says so, and nothing changes."""
    workspace = cast.setting.workspace
    assert workspace.count(_NAMED) == 1
    cast.narrator.does("Kari", "vil ha Eva, som bare leser, med i turen")
    try:
        await cast.apply(workspace.replace(_NAMED, _WITH_EVA))
    except BadWorkspace as bad:
        [mistake] = bad.mistakes
    else:
        raise NotSo("apply took a rule that names an agent without a seat")
    cast.narrator.sees("apply", str(mistake))
    require("eva_solvang" in mistake.reason and "seat" in mistake.reason, f"refused, but for {mistake}")
    return f"avvist på linje {mistake.line}: {mistake.reason}"


async def turns(cast: Cast) -> str:
    """Three visitors go to the two agents and the team's member, one each; then it is the first one's turn again."""
    wishes = {
        "Nora": "Sykkelen er låst",
        "Oskar": "Hvor leverer jeg sykkelen?",
        "Selma": "Kjedet falt av",
    }
    async with AsyncExitStack() as stack:
        got = []
        for name, wish in wishes.items():
            phone = await stack.enter_async_context(guest(cast, name))
            got.append((await cast.given(phone, wish)).name)
        require(sorted(got) == ["Amira", "Ingrid", "Jonas"], f"they went to {got}")
        following = await cast.desk("Kari").client.who_next(RULE)
        first = cast.desk(got[0]).client.who
        require(following.agent == first, f"after {got} it is {following.agent}'s turn")
        why = await cast.record.explained(phone.conversation)
        cast.narrator.sees("explain", " / ".join(line.strip() for line in why))
        require(any("is next in turn" in line for line in why), f"explain says {why}")
    return f"{', '.join(got[:-1])} og {got[-1]} fikk én hver (Amira for verkstedet); nå er det {got[0]} sin tur igjen"


async def to_team(cast: Cast) -> str:
    """Handed to a team, a conversation finds its member; the visitor sees nothing of teams and notes."""
    async with guest(cast, "Selma") as phone:
        async with away(cast, "Amira"):
            desk = await cast.given(phone, "Det knirker når jeg trår")
        amira, conversation, note = cast.desk("Amira"), phone.conversation, "Krankboks, tror jeg"
        cast.narrator.does(desk.name, f"gir den til verkstedet: «{note}»")
        await desk.outcome(desk.client.transfer(conversation, team="verkstedet", note=note), "hands it to the team")
        await amira.gets(conversation)
        cast.narrator.sees("Amira", cast.narrator.tongue.given)
        handed = await amira.sees(conversation, samtale.Transferred)
        require((handed.team, handed.note) == ("verkstedet", note), f"the log says {handed}")
        await amira.says(conversation, "Kom innom, så ser vi på den")
        await phone.hears(conversation, "Kom innom, så ser vi på den")
        mine = {type(event.body).__name__ for event in phone.log(conversation)}
        require("Transferred" not in mine, "the visitor was shown the transfer")
        require(not phone.tape.holds(note), "the phone was sent the note")
        require(not phone.tape.holds("verkstedet"), "the phone was sent the team")
    return f"fra {desk.name} til verkstedet, der Amira fikk den; lappen «{note}» kom aldri til telefonen"
