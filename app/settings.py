"""Every setting of an installation: read once from the environment (`SAMTALE_…`), with defaults that work.

Invariant: nothing else reads the environment; a wrong value is refused at start with its name and why.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65_535)]


class Settings(BaseSettings):
    """What an operator may set. Times in seconds; ports 0 mean any free one."""

    model_config = SettingsConfigDict(env_prefix="SAMTALE_", extra="ignore")

    data: Annotated[Path, Field(description="the data directory")] = Path(".data")
    redis_url: Annotated[str | None, Field(description="an external Redis or Valkey; none: the embedded one")] = None
    database_url: Annotated[str | None, Field(description="an external PostgreSQL; none: SQLite in `data`")] = None
    host: Annotated[str, Field(description="the address that gateways listen on")] = "127.0.0.1"
    port: Annotated[Port, Field(description="the first gateway's port; further ones count up")] = 8080
    cells: Annotated[int, Field(ge=1, le=1024, description="fixed at first start")] = 8
    gateways: Annotated[int, Field(ge=1, le=64)] = 1
    engines: Annotated[int, Field(ge=1, le=64)] = 1
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    lease_s: Annotated[Seconds, Field(description="a cell's lease: fail-over takes this and at most 2 s")] = 4.0
    gateway_lease_s: Annotated[Seconds, Field(description="a gateway's presence lease")] = 6.0
    drain_s: Annotated[Seconds, Field(description="over how long a stopping gateway sends its clients away")] = 5.0
    agent_origins: Annotated[str, Field(description="comma-separated origins of agent consoles")] = ""
    trusted_proxies: Annotated[str, Field(description="comma-separated; whose X-Forwarded-For is believed")] = ""
    visitor_messages_per_minute: Annotated[int, Field(ge=1, description="per device")] = 30
    visitor_message_burst: Annotated[int, Field(ge=1, description="per device")] = 10
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    failpoints: Annotated[str, Field(description="for `make chaos` only: name=kill@0.01,…")] = ""
    failpoint_hits: Annotated[str, Field(description="the file that counts hits")] = ""

    def as_environment(self) -> dict[str, str]:
        """Return these settings as the environment of a child."""
        return {f"SAMTALE_{name.upper()}": str(value) for name, value in self if value is not None}

    @property
    def config_url(self) -> str:
        """The SQL database of configuration, as a SQLAlchemy URL without a driver."""
        return self.database_url or f"sqlite:///{self.data.resolve()}/config.db"

    @property
    def record_url(self) -> str:
        """The SQL database of history, as a SQLAlchemy URL without a driver."""
        return self.database_url or f"sqlite:///{self.data.resolve()}/record.db"

    @property
    def origins(self) -> list[str]:
        """The exact origins that agent consoles may come from."""
        return _listed(self.agent_origins)

    @property
    def proxies(self) -> list[str]:
        """The addresses of reverse proxies in front of gateways."""
        return _listed(self.trusted_proxies)

    @property
    def valkey_url_file(self) -> Path:
        """Where the embedded Valkey says how to reach it (mode 0600: the URL holds its password)."""
        return self.data / "valkey.url"


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
