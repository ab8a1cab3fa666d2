"""A chatflow is edited while somebody talks in it, and the edit is taken back."""

import asyncio
from functools import partial

import samtale

from admin.workspace.editing import account_of, edit
from admin.workspace.versions import rolled_back
from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.phone import Phone
from app.demo.scenes.guests import guest, shown
from app.demo.scenes.serving import FRONT

_GREETING, _NEW_GREETING = "Hei og velkommen til Nordlys Sykkel!", "Vinteren er her – nå har vi piggdekk!"
_QUESTION, _NEW_QUESTION = "Hvordan var det å få hjelp av oss?", "Fikk du det du kom for?"


async def versions(cast: Cast) -> str:
    """Who talks ends on the version they began with; whoever begins gets the new one; one action takes it back."""
    workspace = cast.setting.workspace
    assert workspace.count(_GREETING) == workspace.count(_QUESTION) == 1
    async with guest(cast, "Nora") as phone, cast.phone("Selma") as onlooker:
        desk = await cast.given(phone, "Har dere piggdekk?")
        began = (await phone.sees(phone.conversation, samtale.Started)).version
        require(_GREETING in (shown(onlooker).welcome or ""), "the first version is not served")
        cast.narrator.does("Kari", f"publiserer en ny velkomst: «{_NEW_GREETING}»")
        try:
            await cast.apply(workspace.replace(_GREETING, _NEW_GREETING).replace(_QUESTION, _NEW_QUESTION))
            second = await _served(onlooker, began + 1)
            cast.narrator.says("appen", second.welcome or "")
            require(_NEW_GREETING in (second.welcome or ""), f"version {second.version} says {second.welcome}")
            async with guest(cast, "Oskar") as other:
                started = await other.sees(other.conversation, samtale.Started)
            require((started.version, started.welcome) == (second.version, second.welcome), f"began as {started}")
            await desk.says(phone.conversation, "Ja, fra i dag")
            await phone.hears(phone.conversation, "Ja, fra i dag")
            await desk.closes(phone.conversation)
            asked = await phone.sees(phone.conversation, samtale.SurveyAsked)
            cast.narrator.sees("Nora", f"spørres med de gamle ordene: «{asked.question}»")
            require((asked.version, asked.question) == (began, _QUESTION), f"asked is {asked}")
            cast.narrator.does("Kari", "angrer, og ruller tilbake")
            await _roll_back(cast)
            third = await _served(onlooker, second.version + 1)
            cast.narrator.says("appen", third.welcome or "")
            require(_GREETING in (third.welcome or ""), f"version {third.version} says {third.welcome}")
        finally:
            await cast.apply()
    return f"versjon {began} til slutten for Nora, {second.version} for Oskar, og {third.version} er {began} om igjen"


async def _roll_back(cast: Cast) -> None:
    url = cast.stage.settings.config_url
    config = await asyncio.to_thread(account_of, url, FRONT, cast.setting.account)
    await asyncio.to_thread(edit, url, config, partial(rolled_back, chatflow=FRONT, to=None))


async def _served(phone: Phone, version: int) -> samtale.Chatflow:
    """Wait until the open phone is served that version."""

    def is_it(told: samtale.Serving) -> bool:
        return told.chatflow is not None and told.chatflow.version == version

    await phone.is_told(f"the phone is served version {version}", samtale.Serving, is_it)
    return shown(phone)
