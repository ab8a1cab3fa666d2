"""Where the story is played: the running installation of these settings, or one of the demo's own.

Invariant: a running installation keeps everything but the demo's own account as it was; an own one is gone afterwards.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources

import samtale

from app.demo.own import CannotPlay, own_installation
from app.readiness import Readiness
from app.settings import Settings
from app.workspace import BadWorkspace, apply_text
from store.sql.database import StoreAway
from store.sql.migrate import is_current

LOOK_FOR_S = 1.5
SERVED_WITHIN_S = 10.0
_LOOK_AGAIN_S = 0.1
_IN_FRONT, _LAST = "priority: 10", "priority: 30"


@dataclass(frozen=True, slots=True)
class Stage:
    """An installation that serves the demo's account at `gateways` (HTTP addresses)."""

    settings: Settings
    gateways: list[str]
    is_own: bool

    @property
    def where(self) -> str:
        """Say in a few words where the story is played."""
        kind = "an installation of its own" if self.is_own else "the running installation"
        return f"{kind}, {' and '.join(self.gateways)}"

    async def apply(self, *, front_last: bool = False) -> None:
        """Make the account as its workspace file says, or with the two chatflows' priorities the other way round."""
        text = resources.files("app.demo").joinpath("workspace.yaml").read_text(encoding="utf-8")
        assert text.count(_IN_FRONT) == 1
        text = text.replace(_IN_FRONT, _LAST) if front_last else text
        await asyncio.to_thread(apply_text, self.settings.config_url, text, cells=self.settings.cells)


@asynccontextmanager
async def a_stage(settings: Settings, server: str | None) -> AsyncIterator[Stage]:
    """Lend the stage: at `server`, else at the gateways of these settings if they answer, else an own one."""
    running = [server.rstrip("/")] if server else _gateways(settings)
    found = Stage(settings, running, is_own=False)
    why_not = await _why_not(found)
    if why_not is None:
        yield found
    elif server:
        raise CannotPlay(f"the story cannot be played at {server}: {why_not}")
    else:
        async with own_installation() as own:
            stage = Stage(own, _gateways(own), is_own=True)
            if (why_not := await _why_not(stage)) is not None:
                raise CannotPlay(f"the demo's own installation does not serve: {why_not}")
            yield stage


def _gateways(settings: Settings) -> list[str]:
    return [f"http://{settings.host}:{settings.port + at}" for at in range(settings.gateways)]


async def _why_not(stage: Stage) -> str | None:
    """Set the account up; None if every gateway serves it then."""
    ready = Readiness(stage.settings)
    try:
        async with asyncio.timeout(LOOK_FOR_S):
            for gateway in stage.gateways:
                await ready.gateway(gateway)
        if not await asyncio.to_thread(is_current, stage.settings.config_url, "config"):
            return f"there is no installation in {stage.settings.data}"
        await stage.apply()
    except TimeoutError:
        return ready.waiting_for
    except StoreAway as away:
        return f"SQL cannot be used: {away.reason}"
    except BadWorkspace as bad:
        return "; ".join(map(str, bad.mistakes))
    refused = [why for gateway in stage.gateways if (why := await _refusal(gateway)) is not None]
    return refused[0] if refused else None


async def _refusal(gateway: str) -> str | None:
    """Say hello until the demo's app is known; None then, or why it is not."""
    deadline = time.monotonic() + SERVED_WITHIN_S
    while (why := await _greeted(gateway)) is not None and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_AGAIN_S)
    return why and f"{gateway} does not know the demo's account: {why}"


async def _greeted(gateway: str) -> str | None:
    async with samtale.VisitorClient(gateway, app_key="app_samtale_demo", tag="demo") as client:
        async for event in client.events():
            match event:
                case samtale.Connected():
                    return None
                case samtale.Refused(code=code):
                    return code
                case samtale.Disconnected(code=code, reason=reason):
                    return f"{code} {reason}"
                case _:
                    pass
    return "it hung up"
