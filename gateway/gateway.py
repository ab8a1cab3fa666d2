"""One gateway process: the hub of sessions behind one port for sockets and public HTTP.

Invariant: `run` returns only when every socket is gone and everything that was asked has its outcome or its time is up;
what runs, runs in one TaskGroup.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct
from starlette.routing import BaseRoute, Route

from gateway.attachments import Attachments
from gateway.core.limits import SessionLimits
from gateway.core.seals import Seals
from gateway.counts import Counts, Gauge, Gauges
from gateway.credentials import Proofs
from gateway.drain import drain
from gateway.handshake import Doorway
from gateway.hub import Hub, HubSettings
from gateway.public.attachments import AttachmentDesk
from gateway.public.company import CompanyDesk
from gateway.public.images import ImageDesk
from gateway.public.login import LoginDesk
from gateway.public.preview import PreviewDesk
from gateway.public.routes import public_app
from gateway.rules import SocketRules
from gateway.server import Server, listen
from gateway.services import Outside, Services
from gateway.sockets import Sockets
from protocol.ids import CellName
from store.files.brand import BrandImages
from store.files.bucket import Bucket
from store.redis.connection import Dial
from store.sql.database import Databases


class FileSettings(Struct, frozen=True):
    """`bucket`: where files lie (store.files.bucket). `scratch`: a directory of this process's machine for those on
    their way. `key`: what the installation seals addresses with (gateway.core.seals)."""

    bucket: str
    scratch: str
    key: bytes


class GatewaySettings(Struct, frozen=True):
    """Times in seconds; port 0 means any free one.

    `drain_s`: over how long clients are sent away at a stop; half as long again is waited for outcomes.
    `agent_origins`: the exact origins of agents' consoles. `trusted_proxies`: whose X-Forwarded-For is believed.
    `files` None: no attachments are taken.
    """

    cells: list[CellName]
    host: str = "127.0.0.1"
    port: int = 8080
    lease_s: float = 6.0
    drain_s: float = 5.0
    agent_origins: frozenset[str] = frozenset()
    trusted_proxies: frozenset[str] = frozenset()
    rules: SocketRules = SocketRules()
    limits: SessionLimits = SessionLimits()
    files: FileSettings | None = None


class Gateway:
    """Listens from `run` until `stop`; `listening` is set, and `port` known, in between."""

    def __init__(
        self,
        settings: GatewaySettings,
        dial: Dial,
        databases: Databases,
        entropy: Callable[[int], bytes],
        now_ms: Callable[[], int],
        log: Any,
    ) -> None:
        self._settings, self._log = settings, log
        outside = Outside(databases.record, Proofs(settings.cells), entropy, now_ms, log, databases.config)
        files = _attachments(settings.files, outside)
        self.bucket = files.bucket if files is not None else None
        self.images = BrandImages(files.bucket, files.scratch, entropy) if files is not None else None
        self.hub = Hub(HubSettings(settings.cells, settings.lease_s, settings.limits, files), dial, outside)
        self.sockets = Sockets(
            settings.rules, Doorway(self.hub, settings.agent_origins, settings.rules), settings.trusted_proxies
        )
        self.logins = LoginDesk(self.sockets, self.hub.cells, databases.config, entropy)
        company = CompanyDesk(self.sockets, self.hub.services)
        desk = _file_routes(self.hub.services, files, self.sockets.counts) if files is not None else []
        pages = [*desk, *PreviewDesk(self.sockets, self.hub.services).routes()]
        self._app = public_app(self.sockets, self.hub, self.logins, company, self._gauges(), pages)
        self.port = settings.port
        self.listening = asyncio.Event()

    def serve_too(self, pages: Iterable[BaseRoute]) -> None:
        """Serve `pages` over HTTP, too; before `run`."""
        self._app.router.routes.extend(pages)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then send everybody elsewhere. Raises OSError if the port cannot be had."""
        settings = self._settings
        listener = listen(settings.host, settings.port, settings.rules.send_deadline_s)
        try:
            server = Server(self._app, self.sockets, listener)
            self.port = server.port
            async with asyncio.TaskGroup() as tasks:
                serving = tasks.create_task(server.serve())
                beside = [tasks.create_task(work) for work in (self.hub.run(), self.sockets.pulse.run())]
                self._log.info("gateway listens", host=settings.host, port=self.port)
                self.listening.set()
                await stop.wait()
                await self._leave()
                server.stop()
                await serving
                for task in beside:
                    task.cancel()
        finally:
            self.listening.clear()
            listener.close()

    async def _leave(self) -> None:
        self._log.info("gateway drains", sockets=len(self.sockets.open), over_s=self._settings.drain_s)
        await drain(self.sockets, self._settings.drain_s)
        await self.hub.settle(self._settings.drain_s / 2)

    def _gauges(self) -> Gauges:
        return Gauges(
            [
                Gauge("samtale_sessions", "Admitted sessions.", lambda: self.hub.sessions),
                Gauge("samtale_commands_unresolved", "Commands awaiting their outcome.", lambda: self.hub.unresolved),
                Gauge(
                    "samtale_commands_put_again",
                    "Commands put in again, since they or their outcome may have been lost.",
                    lambda: self.hub.put_again,
                    only_grows=True,
                ),
            ]
        )


def _attachments(settings: FileSettings | None, outside: Outside) -> Attachments | None:
    if settings is None:
        return None
    scratch = Path(settings.scratch)
    files = Attachments(Seals(settings.key), Bucket(settings.bucket), scratch, outside.entropy, outside.now_ms)
    files.tidy()
    return files


def _file_routes(services: Services, files: Attachments, counts: Counts) -> list[Route]:
    return [*AttachmentDesk(services, files, counts).routes(), *ImageDesk(files.bucket).routes()]
