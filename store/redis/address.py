"""Where a Redis or Valkey server is, and how to be let in.

Invariant: the password shows in no `repr` and in no error text.
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Address:
    """One server; `db` is always 0 on a cluster."""

    host: str = "127.0.0.1"
    port: int = 6379
    db: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False

    @property
    def url(self) -> str:
        """The address as a URL, credentials included: for child processes and libraries, never for a log."""
        user = quote(self.username, safe="")
        login = f"{user}:{quote(self.password, safe='')}@" if self.password else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis{'s' if self.tls else ''}://{login}{host}:{self.port}/{self.db}"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse(url: str) -> Address:
    """Return the address in `redis://[user[:password]@]host[:port][/db]` (`rediss` for TLS) or raise ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss"):
        raise ValueError("a Redis URL begins with redis:// or rediss://")
    if not parts.hostname:
        raise ValueError("a Redis URL names a host")
    db = parts.path.strip("/") or parse_qs(parts.query).get("db", ["0"])[0]
    if not db.isascii() or not db.isdigit():
        raise ValueError("the path of a Redis URL is the number of a database")
    try:
        port = parts.port or 6379
    except ValueError:
        raise ValueError("the port of a Redis URL is a number from 1 to 65535") from None
    return Address(
        host=parts.hostname,
        port=port,
        db=int(db),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=parts.scheme == "rediss",
    )
