"""Every setting of an installation: read once from the environment (`SAMTALE_…`), with defaults that work.

Invariant: nothing else reads the environment; a wrong value is refused at start with its name and why.
"""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.trouble import Trouble
from store.files.bucket import fit_url
from store.redis.address import parse
from store.redis.server import Durability
from store.sql.dialects import driver_url


def _redis_url(url: str) -> str:
    parse(url)
    return url


def _database_url(url: str) -> str:
    driver_url(url)
    return url


Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65_535)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
BucketUrl = Annotated[str, AfterValidator(fit_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]

_NO_SETTINGS = {"SAMTALE_PARENT", "SAMTALE_AGENT_PASSWORD"}  # who started us; an option of `samtale agent`


class Settings(BaseSettings):
    """What an operator may set. Times in seconds; ports 0 mean any free one."""

    model_config = SettingsConfigDict(env_prefix="SAMTALE_", extra="ignore", env_ignore_empty=True)

    data: Annotated[Path, Field(description="the data directory")] = Path(".data")
    redis_url: Annotated[RedisUrl | None, Field(description="an external Redis or Valkey; none: our own")] = None
    database_url: Annotated[DatabaseUrl | None, Field(description="an external PostgreSQL; none: SQLite")] = None
    durability: Annotated[
        Durability,
        Field(description="what an ack survives with our own Valkey: process (kill -9) or stored (power loss)"),
    ] = "process"
    attachments_url: Annotated[
        BucketUrl | None,
        Field(description="where files lie: file:///… or s3://bucket/prefix; none: the data directory"),
    ] = None
    erased_list: Annotated[
        Path | None,
        Field(description="the file that lists who was erased, best on another disk; none: in the data directory"),
    ] = None
    host: Annotated[str, Field(description="the address that gateways listen on")] = "127.0.0.1"
    port: Annotated[Port, Field(description="the first gateway's port; further ones count up")] = 8080
    cells: Annotated[int, Field(ge=1, le=1024, description="fixed at first start")] = 8
    gateways: Annotated[int, Field(ge=1, le=64, description="processes that `samtale run` starts")] = 1
    engines: Annotated[int, Field(ge=1, le=64, description="processes that `samtale run` starts")] = 1
    workers: Annotated[int, Field(ge=1, le=64, description="processes that `samtale run` starts")] = 1
    start_deadline_s: Annotated[Seconds, Field(description="`samtale run` gives up if not ready by then")] = 60.0
    lease_s: Annotated[Seconds, Field(description="a cell's lease: fail-over takes this and at most 2 s")] = 4.0
    gateway_lease_s: Annotated[Seconds, Field(description="a gateway's presence lease")] = 6.0
    drain_s: Annotated[Seconds, Field(description="over how long a stopping gateway sends its clients away")] = 5.0
    agent_origins: Annotated[str, Field(description="comma-separated origins of agent consoles")] = ""
    trusted_proxies: Annotated[str, Field(description="comma-separated; whose X-Forwarded-For is believed")] = ""
    visitor_messages_per_minute: Annotated[int, Field(ge=1, description="per device")] = 30
    visitor_message_burst: Annotated[int, Field(ge=1, description="per device")] = 10
    log_level: Annotated[
        str, Field(pattern="^(debug|info|warning|error)$", description="debug, info, warning or error")
    ] = "info"
    failpoints: Annotated[str, Field(description="for `make chaos` only: name=kill@0.01,…")] = ""
    failpoint_hits: Annotated[str, Field(description="the file that counts hits")] = ""

    def as_environment(self) -> dict[str, str]:
        """Return these settings as the environment of a child."""
        return {f"SAMTALE_{name.upper()}": str(value) for name, value in self if value is not None}

    def gateway_url(self, at: int = 0, scheme: str = "http") -> str:
        """Return the address of gateway number `at`, as this machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - recognised, not bound
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port + at}"

    @property
    def config_url(self) -> str:
        """The SQL database of configuration, as a SQLAlchemy URL without a driver."""
        return self.database_url or f"sqlite:///{self.data.resolve()}/config.db"

    @property
    def record_url(self) -> str:
        """The SQL database of history, as a SQLAlchemy URL without a driver."""
        return self.database_url or f"sqlite:///{self.data.resolve()}/record.db"

    @property
    def bucket_url(self) -> str:
        """Where files lie."""
        return self.attachments_url or f"file://{self.data.resolve()}/files"

    @property
    def files_directory(self) -> Path | None:
        """Where files lie, if that is a directory."""
        return Path(self.bucket_url.removeprefix("file://")) if self.bucket_url.startswith("file://") else None

    @property
    def erased_file(self) -> Path:
        """The list of erasures, which a restored backup is told."""
        return self.erased_list or self.data / "erased.jsonl"

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


def settings_from(**overrides: Any) -> Settings:
    """Return the settings, `overrides` before the environment; raises Trouble that names what is wrong."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        said = ((str(e["loc"][0]).upper(), e["msg"].removeprefix("Value error, ")) for e in error.errors())
        raise Trouble("; ".join(f"SAMTALE_{name}: {why}" for name, why in said)) from None


def unknown_settings() -> list[str]:
    """Return the names in the environment that look like settings and are none: misspelt, most likely."""
    known = {f"SAMTALE_{name.upper()}" for name in Settings.model_fields} | _NO_SETTINGS
    return sorted(name for name in os.environ if name.startswith("SAMTALE_") and name not in known)


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
