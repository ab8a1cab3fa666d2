"""What passes between a phone and a desk, and what a lost line does to it: nothing."""

import secrets
from collections.abc import Callable
from contextlib import suppress

import samtale
from samtale.line import encode

from app.demo.cast import Cast
from app.demo.desk import Desk
from app.demo.facts import NotSo, require
from app.demo.people import Person, text_of
from app.demo.phone import Phone
from app.demo.relay import Relay

TYPING_AGAIN_S = 3.0
_FRAME_BYTES_AROUND = 8  # of a WebSocket frame from a client: head, length, mask


async def passing(cast: Cast) -> str:
    """Typing, receipts and presence go by, and leave nothing in the log."""
    async with cast.phone("Tarik") as phone:
        desk = await cast.served(phone, "Do you speak Danish?")
        conversation = phone.conversation
        await desk.hears(conversation, "Do you speak Danish?")
        await types(lambda: phone.client.typing(True), desk, conversation)
        cast.narrator.sees(desk.name, "Tarik is typing …")
        typing = await types(lambda: desk.client.typing(conversation, True), phone, conversation)
        cast.narrator.sees("Tarik", f"{typing.name} is typing …")
        said = await desk.says(conversation, "Litt norsk går også")
        await phone.hears(conversation, "Litt norsk går også")
        phone.client.read(conversation, said.seq)
        await desk.is_told(
            "the agent sees that it was read", samtale.Receipts,
            lambda receipts: receipts.who == "visitor" and receipts.read >= said.seq,
        )  # fmt: skip
        cast.narrator.sees(desk.name, f"Tarik has read up to {said.seq}")
        since = len(desk.heard)
    cast.narrator.does("Tarik", "puts the phone away")
    await desk.is_told(
        "the agent sees that the visitor went offline", samtale.Presence, lambda seen: not seen.online, since
    )
    cast.narrator.sees(desk.name, "Tarik is offline")
    kinds = [type(event.body).__name__.lower() for event in desk.log(conversation)]
    require(kinds == ["started", "message", "queued", "assigned", "message"], f"the log holds more: {kinds}")
    return f"typing both ways, read up to {said.seq}, offline; the log holds {', '.join(kinds)} and nothing of it"


async def types(press: Callable[[], None], watcher: Person, conversation: str) -> samtale.Typing:
    """Press a key, and again after a while as SPEC 9.2 has it, until the other side sees it."""

    def look() -> samtale.Typing | None:
        return next((seen for seen in watcher.told(samtale.Typing) if seen.conversation == conversation), None)

    press()
    with suppress(NotSo):  # what passes by may be lost
        return await watcher.pulse.until("somebody types", look, TYPING_AGAIN_S)
    press()
    return await watcher.pulse.until(f"{watcher.name} sees that the other side types", look)


async def cut(cast: Cast) -> str:
    """The line is cut in the middle of a send; the phone comes back, and nothing is missing, double or out of order."""
    async with Relay(cast.stage.gateways).laid() as relay, cast.phone("Emil", url=relay.url) as phone:
        desk = await cast.served(phone, "I am on a train")
        conversation = phone.conversation
        words = [f"This is sentence number {number}" for number in range(1, 6)]
        cast.narrator.does("Emil", f"says {len(words)} sentences into a tunnel; the line is cut in the third")
        relay.cut_after(_bytes_of(conversation, words[0]) * 5 // 2)
        asked = [phone.client.send(text) for text in words]
        arrived = await _before_the_cut(cast, relay, desk, words)
        unheard = [await desk.says(conversation, text) for text in ("Hello?", "Are you still there?")]
        cast.narrator.does("Emil", "is out of the tunnel")
        since = len(phone.heard)
        relay.mend()
        await phone.connected(since)
        acked = [await phone.outcome(each, f"says “{text}”") for each, text in zip(asked, words, strict=True)]
        last = max(outcome.seq for outcome in [*acked, *unheard])
        await _same_log(cast, phone, desk, last)
        said = [text for text in phone.messages(conversation) if text in words]
        require(said == words, f"the sentences are not there once each and in order: {said}")
        there, back = relay.carried[0], relay.carried[-1]
    way = "on the other gateway" if there != back else "on the only gateway"
    cast.narrator.sees("Emil", f"every sentence once, in order, {len(unheard)} answers caught up with, {way}")
    return (
        f"{arrived} of {len(words)} sentences had arrived when the line was cut, none was acknowledged; back {way}: "
        f"seq 1 to {last} on both sides, no gap, no repeat"
    )


async def _before_the_cut(cast: Cast, relay: Relay, desk: Desk, words: list[str]) -> int:
    """Return how many of the sentences the agent has got, once the line is gone."""

    def look() -> int | None:
        arrived = [text for event in desk.told(samtale.LogEvent) if (text := text_of(event)) in words]
        return len(arrived) or None if relay.is_cut else None

    return await cast.pulse.until("the agent hears what was said before the cut", look)


async def _same_log(cast: Cast, phone: Phone, desk: Desk, last: int) -> None:
    """Wait until both have read up to `last`; NotSo if the two logs differ, or have a gap or a repeat."""
    conversation = phone.conversation
    for reader in (phone, desk):
        await cast.pulse.until_true(
            f"{reader.name} reads up to {last}",
            lambda reader=reader: any(event.seq >= last for event in reader.log(conversation)),  # type: ignore[misc]
        )
        seqs = [event.seq for event in reader.log(conversation)]
        require(seqs == list(range(1, len(seqs) + 1)), f"{reader.name} read {seqs}")
    read, shown = ([(event.seq, event.id) for event in each.log(conversation)][:last] for each in (phone, desk))
    require(read == shown, f"{phone.name} and {desk.name} read different logs")


def _bytes_of(conversation: str, text: str) -> int:
    frame = {"t": "send", "conversation": conversation, "text": text, "n": 2, "id": secrets.token_hex(12)}
    return len(encode(frame, samtale.MSGPACK)) + _FRAME_BYTES_AROUND
