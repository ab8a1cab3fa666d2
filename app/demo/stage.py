"""Where stories are played: the running installation of these settings, or one of the demo's own.

Invariant: a running installation keeps everything but the demo's own accounts as it was; an own one is gone afterwards.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import samtale

from admin.workspace import BadWorkspace, apply_text
from app.demo.own import CannotPlay, own_installation
from app.demo.setting import Setting
from app.demo.tongue import Tongue
from app.readiness import Readiness
from app.settings import Settings
from store.sql.database import StoreAway
from store.sql.migrate import is_current

LOOK_FOR_S = 3.0
SERVED_WITHIN_S = 60.0
_LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Stage:
    """An installation that serves the demo's accounts at `gateways` (HTTP addresses)."""

    settings: Settings
    gateways: list[str]
    is_own: bool

    def where(self, tongue: Tongue) -> str:
        """Say in a few words where the story is played."""
        kind = tongue.own if self.is_own else tongue.running
        return f"{kind}, {', '.join(self.gateways)}"

    async def apply(self, workspace: str) -> None:
        """Make the accounts as the text of a workspace file says. Raises BadWorkspace."""
        await asyncio.to_thread(apply_text, self.settings.config_url, workspace, cells=self.settings.cells)


@asynccontextmanager
async def a_stage(settings: Settings, server: str | None, sets: Sequence[Setting]) -> AsyncIterator[Stage]:
    """Lend the stage, the accounts of `sets` on it: at `server`, else at the gateways of these settings if they answer,
    else an own one.
    """
    running = [server.rstrip("/")] if server else _gateways(settings)
    found = Stage(settings, running, is_own=False)
    why_not = await _why_not(found, sets)
    if why_not is None:
        yield found
    elif server:
        raise CannotPlay(f"the story cannot be played at {server}: {why_not}")
    else:
        async with own_installation() as own:
            stage = Stage(own, _gateways(own), is_own=True)
            if (why_not := await _why_not(stage, sets)) is not None:
                raise CannotPlay(f"the demo's own installation does not serve: {why_not}")
            yield stage


def _gateways(settings: Settings) -> list[str]:
    return [f"http://{settings.host}:{settings.port + at}" for at in range(settings.gateways)]


async def _why_not(stage: Stage, sets: Iterable[Setting]) -> str | None:
    """Set the accounts up; None if every gateway serves them then."""
    ready = Readiness(stage.settings)
    try:
        async with asyncio.timeout(SERVED_WITHIN_S if stage.is_own else LOOK_FOR_S):
            for gateway in stage.gateways:
                await ready.gateway(gateway)
        if not await asyncio.to_thread(is_current, stage.settings.config_url, "config"):
            return f"there is no installation in {stage.settings.data}"
        for setting in sets:
            await stage.apply(setting.workspace)
    except TimeoutError:
        return ready.waiting_for
    except StoreAway as away:
        return f"SQL cannot be used: {away.reason}"
    except BadWorkspace as bad:
        return "; ".join(map(str, bad.mistakes))
    asked = [(gateway, setting) for gateway in stage.gateways for setting in sets]
    refused = [why for gateway, setting in asked if (why := await _refusal(gateway, setting)) is not None]
    return refused[0] if refused else None


async def _refusal(gateway: str, setting: Setting) -> str | None:
    """Say hello until the app is known and served; None then, or why it is not."""
    deadline = time.monotonic() + SERVED_WITHIN_S
    while (why := await _greeted(gateway, setting)) is not None and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_AGAIN_S)
    return why and f"{gateway} does not know the demo's account {setting.account}: {why}"


async def _greeted(gateway: str, setting: Setting) -> str | None:
    async with samtale.VisitorClient(gateway, app_key=setting.app_key, tag=setting.tag) as client:
        async for event in client.events():
            match event:
                case samtale.Connected(chatflow=None, reason=reason):
                    return reason
                case samtale.Connected():
                    return None
                case samtale.Refused(code=code):
                    return code
                case samtale.Disconnected(code=code, reason=reason):
                    return f"{code} {reason}"
                case _:
                    pass
    return "it hung up"
