"""`samtale visitor`: a phone in a terminal.

Invariant: everything shown came over the real socket; closing the terminal and coming back continues the conversation.
"""

import asyncio
import fcntl
import re
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import samtale

from app.data_directory import open_directory
from app.settings import Settings
from app.terminal.phone import Phone
from app.terminal.sitting import NotIn, checked_server

_PROFILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")


def chat(settings: Settings, **options: Any) -> None:
    """Chat until the user leaves. Raises NotIn."""
    checked_server(options["server"])
    with _phone(settings.data / "phones", options["profile"]) as held, suppress(KeyboardInterrupt):
        store = samtale.FileStore(Path(held.name).with_suffix(".state"))
        asyncio.run(_talk(store, options))


def _phone(phones: Path, name: str) -> IO[str]:
    """Take the phone of that name for this terminal alone: two would use up each other's numbers."""
    if not _PROFILE.fullmatch(name):
        raise NotIn(f"--as {name}: letters, digits, _ . - are allowed")
    try:
        open_directory(phones.parent)
        phones.mkdir(exist_ok=True, mode=0o700)
        held = (phones / f"{name}.lock").open("a")
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotIn(f"another terminal is this phone; say --as NAME to be another visitor than {name}") from None
    except OSError as error:
        raise NotIn(f"the phone's memory {phones} cannot be used: {error.strerror}") from None
    return held


async def _talk(store: samtale.FileStore, options: dict[str, Any]) -> None:
    try:
        phone = Phone(store, options)
    except (ValueError, TypeError, AttributeError):
        raise NotIn("the phone's memory is not readable: --as NAME begins as another visitor") from None
    await phone.run()
