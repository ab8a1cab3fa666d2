"""The app is opened: which chatflow serves, and what happens to words said before consent."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Awaitable

import samtale

from app.demo.cast import Cast
from app.demo.facts import NotSo, require
from app.demo.pulse import PATIENCE_S
from app.demo.traces import places_with
from app.settings import Settings

FRONT, BEHIND = "demo_front", "demo_behind"
TAG = "demo"
_IN_FRONT, _LAST = "priority: 10", "priority: 30"
_PAUSE_S = 0.1


async def priority(cast: Cast) -> str:
    """Two chatflows have one tag: the higher priority serves, also after an admin has changed the order."""
    cast.narrator.does("Maja", "opens the app, which asks for the tag “demo”")
    first = await _served(cast, FRONT)
    try:
        await cast.apply(_front_last(cast.setting.workspace))
        cast.narrator.does("admin", "puts the other chatflow first")
        cast.narrator.does("Sofie", "opens the app")
        second = await _served(cast, BEHIND)
    finally:
        await cast.apply()
    await _served(cast, FRONT, aloud=False)
    return f"{first.id} served first, {second.id} once it had the higher priority; both have the tag “demo”"


def _front_last(workspace: str) -> str:
    """Return the workspace with the two chatflows' priorities the other way round."""
    assert workspace.count(_IN_FRONT) == 1
    return workspace.replace(_IN_FRONT, _LAST)


async def _served(cast: Cast, wanted: str, *, aloud: bool = True) -> samtale.Chatflow:
    """Return the chatflow that is served, as soon as it is the wanted one; a change takes a moment to get around."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        async with cast.phone("Maja", tag=TAG) as phone:
            flow = phone.client.chatflow
        if flow is not None and flow.id == wanted:
            if aloud:
                cast.narrator.says("the app", flow.welcome or "")
            return flow
        if time.monotonic() > deadline:
            raise NotSo(f"{wanted} does not serve the tag “demo”; served is {flow.id if flow else 'nothing'}")
        await asyncio.sleep(_PAUSE_S)


async def consent(cast: Cast) -> str:
    """What is said before an explicit consent is refused, and is found nowhere; what is said after it is."""
    planted, control = (f"{what}-{secrets.token_hex(12)}" for what in ("planted", "agreed"))
    async with cast.phone("Maja", tag=TAG) as phone:
        flow = phone.client.chatflow
        outstanding = "consent_to_process" in phone.client.steps.outstanding
        require(flow is not None and flow.consent is not None and outstanding, "no consent is asked for")
        assert flow is not None
        assert flow.consent is not None
        cast.narrator.says("the app", flow.consent.text)
        code = await _refusal(phone.says(f"My number is {planted}"))
        cast.narrator.sees("Maja", f"refused: {code}")
        require(code == "consent_required", f"what was said before consent was not refused consent_required: {code}")
        cast.narrator.does("Maja", "agrees")
        await phone.outcome(phone.client.answer_consent(True), "agrees")
        await phone.says(f"My case is {control}")
        await cast.record.stored()
    kept = Counter(place.split()[0] for place in await places_with(cast.stage.settings, control))
    for kind in _kinds(cast.stage.settings):
        require(kept[kind] > 0, f"the search is blind: no {kind} holds what was said after consent")
    leaked = await places_with(cast.stage.settings, planted)
    require(not leaked, f"what was said before consent is found in: {', '.join(leaked)}")
    found = ", ".join(f"{number} {kind}" for kind, number in sorted(kept.items()))
    cast.narrator.sees("search", f"the words after consent: {found}; those before: nowhere")
    return f"refused {code}; its text is in no file, Redis key or SQL row; the text after consent is (places: {found})"


def _kinds(settings: Settings) -> list[str]:
    """Return the kinds of places where whatever is kept must be found."""
    is_embedded = settings.redis_url is None or settings.database_url is None
    return ["redis", "sql", "file"] if is_embedded else ["redis", "sql"]


async def _refusal(saying: Awaitable[samtale.Acked]) -> str:
    """Return the code that it was refused with, "" if it was not."""
    try:
        await saying
    except samtale.RefusedError as error:
        return error.refused.code
    return ""
