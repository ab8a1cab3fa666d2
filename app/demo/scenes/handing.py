"""A conversation changes hands, ends, and begins again."""

import samtale

from app.demo.cast import Cast
from app.demo.desk import Desk
from app.demo.facts import require

_NOTE = "Knows everything about cards"


async def transfer(cast: Cast) -> str:
    """The agent hands the conversation on; the visitor hears the next one, and nothing of the note."""
    async with cast.phone("Nora") as phone:
        desk = await cast.served(phone, "A question about cards")
        other, conversation = cast.other(desk), phone.conversation
        cast.narrator.does(desk.name, f"hands it to {other.name}: “{_NOTE}”")
        await desk.outcome(desk.client.transfer(conversation, other.client.who, _NOTE), "transfers")
        await other.gets(conversation)
        noted = await other.sees(conversation, samtale.Transferred)
        require(noted.note == _NOTE, f"{other.name} does not see the note: {noted}")
        require(not desk.has(conversation), f"{desk.name} has it still")
        await other.says(conversation, "You have come to the right place")
        await phone.hears(conversation, "You have come to the right place")
        mine = [event.body for event in phone.log(conversation)]
        agents = [body.agent.name for body in mine if isinstance(body, samtale.Assigned)]
        require(agents == [desk.name, other.name], f"the visitor saw the conversation with {agents}")
        require(not any(isinstance(body, samtale.Transferred) for body in mine), "the visitor was shown the note")
        late = await _refused(desk, conversation)
        require(late == "not_assigned", f"{desk.name} may still speak: {late or 'acknowledged'}")
        return f"from {desk.name} to {other.name}; the note stayed between them, {desk.name}'s late word: {late}"


async def reopening(cast: Cast) -> str:
    """Closed by the agent, reopened by the visitor's next message, in the same conversation and its order."""
    async with cast.phone("Nora") as phone:
        desk = await cast.served(phone, "That was quick, thank you")
        conversation = phone.conversation
        cast.narrator.does(desk.name, "closes the conversation")
        await desk.closes(conversation)
        closed = await phone.sees(conversation, samtale.Closed)
        cast.narrator.sees("Nora", f"closed by {closed.by.name}")
        require((closed.reason, desk.has(conversation)) == ("agent", False), f"not closed as it should be: {closed}")
        since = len(phone.heard)
        again = await cast.served(phone, "One more thing")
        await phone.sees(conversation, samtale.Reopened, since)
        require(phone.conversation == conversation, "the message began another conversation")
        require(again is desk, f"{desk.name} knows the visitor, and {again.name} was asked")
        await again.says(conversation, "Of course")
        heard = await phone.hears(conversation, "Of course")
        return f"closed by {closed.by.name}, opened again by a message, back with {again.name}, up to seq {heard.seq}"


async def _refused(desk: Desk, conversation: str) -> str:
    """Let the agent say one word too many; return the code that it is refused with, "" if it is not."""
    try:
        await desk.outcome(desk.client.send(conversation, "And another thing"), "says one word too many")
    except samtale.RefusedError as error:
        return error.refused.code
    return ""
