"""The app is opened in Norwegian: which chatflow it gets, in whose words, and what that leaves behind."""

import asyncio
import time
from functools import partial

import samtale

from admin.workspace.editing import account_of, edit
from admin.workspace.versions import switched
from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.phone import Phone
from app.demo.scenes.guests import shown
from app.explain import explain_device
from protocol.bus.targeting import Device

FRONT, BEHIND = "sykkelhjelp", "gamle_sykkelhjelp"


async def shared_tag(cast: Cast) -> str:
    """Two chatflows answer to the tag: the first is served, the other once that one is off, on the open phone too."""
    url, tag = cast.stage.settings.config_url, cast.setting.tag
    cast.narrator.does("Nora", f"åpner appen, som ber om «{tag}»")
    async with cast.phone("Nora") as phone:
        first = shown(phone).id
        require(first == FRONT, f"served is {first}")
        config = await asyncio.to_thread(account_of, url, FRONT, cast.setting.account)
        why = explain_device(config, tag, _device(cast, phone))
        cast.narrator.sees("explain", why[-1].strip())
        require(any(f"{BEHIND} is passed over (priority)" in line for line in why), f"explain says {why}")
        cast.narrator.does("Kari", f"slår av {FRONT}")
        try:
            await asyncio.to_thread(edit, url, config, partial(switched, chatflow=FRONT, on=False))
            await phone.is_told("the phone is served the other", samtale.Serving, partial(_is_served, BEHIND))
            cast.narrator.says("appen", shown(phone).welcome or "")
        finally:
            await cast.apply()
        await phone.is_told("the phone is served the first again", samtale.Serving, partial(_is_served, FRONT))
    return f"«{tag}» gir {FRONT}; avslått gir den {BEHIND}, på en telefon som allerede var åpen"


def _device(cast: Cast, phone: Phone) -> Device:
    return Device("python", "1", cast.setting.locale, id=phone.client.device_key, at_ms=time.time_ns() // 1_000_000)


def _is_served(chatflow: str, told: samtale.Serving) -> bool:
    return told.chatflow is not None and told.chatflow.id == chatflow


async def language(cast: Cast) -> str:
    """A phone that asks for nb-NO gets everything in nb: the welcome, the card, the words of the interface."""
    async with cast.phone("Nora") as phone:
        flow = shown(phone)
        cast.narrator.says("appen", flow.welcome or "")
        require(flow.locale == "nb", f"the texts are in {flow.locale}")
        words = {name: flow.texts.get(name, "") for name in ("send", "placeholder", "queue_place")}
        cast.narrator.sees("appen", " · ".join(words.values()))
        require(all(words.values()), f"the interface has no words: {words}")
        require(flow.display == samtale.Display("launcher", "welcome_prompt", "#0b6e4f", "#ffffff"), f"{flow.display}")
        title = flow.heading.title
        require((flow.heading.kind, title) == ("custom", "Nordlys Sykkel"), f"the heading is {flow.heading}")
    return f"{cast.setting.locale} får {flow.locale}: velkomst, {len(flow.texts)} ord i grensesnittet, «{title}» øverst"


async def welcome(cast: Cast) -> str:
    """Opening stores nothing; the first answer stores the welcome as seq 1, as it was shown."""
    async with cast.phone("Oskar") as phone:
        greeting = shown(phone).welcome
        before = len(await cast.record.conversations_of(phone.client.who))
        await phone.agrees(communicate=False)
        started = await phone.sees(phone.conversation, samtale.Started)
        require(started.welcome == greeting, f"seq 1 says “{started.welcome}”, shown was “{greeting}”")
        require(phone.log(phone.conversation)[0].body == started, "the log does not begin with it")
        require((started.locale, started.chatflow) == (cast.setting.locale, FRONT), f"started as {started}")
        after = await cast.record.conversations_of(phone.client.who)
        require((before, after) == (0, [phone.conversation]), f"the record had {before} conversations, then {after}")
        cast.narrator.sees("loggen", f"1: «{started.welcome}»")
    return (
        f"å åpne lagret ingenting; seq 1 er velkomsten slik den ble vist ({started.locale}, versjon {started.version})"
    )
