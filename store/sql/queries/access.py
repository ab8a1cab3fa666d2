"""Who may ask over REST: API keys and browser sessions, by the hash of their secret.

Invariant: a secret that is revoked, expired or unknown is found by nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from protocol.ids import AccountId, AgentId
from store.sql.admin_tables import api_key, browser_session
from store.sql.bulk import write


@dataclass(frozen=True, slots=True)
class Key:
    """An API key. `account` "": the installation's; times in ms, None: never."""

    id: str
    account: AccountId
    name: str
    scopes: tuple[str, ...]
    created_at_ms: int
    created_by: str
    expires_at_ms: int | None
    revoked_at_ms: int | None


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """Somebody who logged in. `csrf` is the hash of the token that their writes carry."""

    account: AccountId
    agent: AgentId
    csrf: bytes
    ends_at_ms: int


_KEYS = "key:"  # so begins the actor that a key is
_KEY = (
    api_key.c.id, api_key.c.account, api_key.c.name, api_key.c.scopes, api_key.c.created_at_ms, api_key.c.created_by,
    api_key.c.expires_at_ms, api_key.c.revoked_at_ms,
)  # fmt: skip


def add_key(connection: Connection, key: Key, hashed: bytes) -> None:
    """Keep a new key."""
    row = {
        "id": key.id, "account": key.account, "name": key.name, "hash": hashed, "scopes": " ".join(key.scopes),
        "created_at_ms": key.created_at_ms, "created_by": key.created_by, "expires_at_ms": key.expires_at_ms,
        "revoked_at_ms": key.revoked_at_ms,
    }  # fmt: skip
    write(connection, api_key, [row])


def keys(connection: Connection, account: AccountId) -> list[Key]:
    """Return an account's keys, revoked ones too, oldest first."""
    order = (api_key.c.created_at_ms, api_key.c.id)
    return [_key(row) for row in connection.execute(select(*_KEY).where(api_key.c.account == account).order_by(*order))]


def key_of(connection: Connection, hashed: bytes, now_ms: int) -> Key | None:
    """Return the key of that hash, if it lets anybody in now."""
    lives = (
        api_key.c.revoked_at_ms.is_(None),
        or_(api_key.c.expires_at_ms.is_(None), api_key.c.expires_at_ms > now_ms),
    )
    row = connection.execute(select(*_KEY).where(api_key.c.hash == hashed, *lives)).one_or_none()
    return None if row is None else _key(row)


def maker(connection: Connection, key: Key) -> str:
    """Return who made a key; of one that was made with another key, who made that one."""
    by, rows = key.created_by, api_key.c
    while by.startswith(_KEYS):
        before = connection.scalar(select(rows.created_by).where(rows.id == by.removeprefix(_KEYS)))
        if before is None:
            return by
        by = before
    return by


def revoke_key(connection: Connection, account: AccountId, key: str, now_ms: int) -> bool:
    """Let nobody in with `key` any more; False if the account has no such key that lives."""
    this = (api_key.c.account == account, api_key.c.id == key, api_key.c.revoked_at_ms.is_(None))
    return bool(connection.execute(update(api_key).where(*this).values(revoked_at_ms=now_ms)).rowcount)


def begin_session(connection: Connection, session: BrowserSession, hashed: bytes, now_ms: int) -> None:
    """Keep a new session, and forget those that have ended."""
    connection.execute(delete(browser_session).where(browser_session.c.ends_at_ms <= now_ms))
    row = {"hash": hashed, "account": session.account, "agent": session.agent, "csrf": session.csrf}
    write(connection, browser_session, [{**row, "began_at_ms": now_ms, "ends_at_ms": session.ends_at_ms}])


def session_of(connection: Connection, hashed: bytes, now_ms: int) -> BrowserSession | None:
    """Return the session of that hash, if it goes on."""
    rows = browser_session.c
    columns = (rows.account, rows.agent, rows.csrf, rows.ends_at_ms)
    row = connection.execute(select(*columns).where(rows.hash == hashed, rows.ends_at_ms > now_ms)).one_or_none()
    return None if row is None else BrowserSession(*row)


def end_session(connection: Connection, hashed: bytes) -> None:
    """End one session."""
    connection.execute(delete(browser_session).where(browser_session.c.hash == hashed))


def end_sessions(connection: Connection, account: AccountId, agents: Iterable[AgentId]) -> None:
    """End every session of these agents."""
    rows = browser_session.c
    connection.execute(delete(browser_session).where(rows.account == account, rows.agent.in_(list(agents))))


def _key(row: Any) -> Key:
    times = (row.expires_at_ms, row.revoked_at_ms)
    return Key(row.id, row.account, row.name, tuple(row.scopes.split()), row.created_at_ms, row.created_by, *times)
