"""`samtale start`: a company's server in a terminal, which says the first word (SPEC 3.8).

Invariant: what was not answered is not asked again: it may have been said.
"""

import asyncio
from typing import Any

import click
import samtale

from app.terminal.sitting import NotIn, checked_server


def start_conversation(**options: Any) -> None:
    """Say it, and print where it stands. Raises NotIn with why not."""
    checked_server(options["server"])
    if not options["key"]:
        raise NotIn("a server key of the app is needed: --key, or SAMTALE_SERVER_KEY")
    asyncio.run(_start(options))


async def _start(options: dict[str, Any]) -> None:
    company = samtale.Server(options["server"], options["key"])
    more = {name: options[name] for name in ("tag", "name", "locale")}
    try:
        begun = await company.start_conversation(options["subject"], options["text"], **more)
    except samtale.RefusedError as error:
        raise NotIn(f"not said: {error.refused.text} ({error.refused.code})") from None
    except samtale.LineLost as lost:
        raise NotIn(f"no answer, so nobody knows whether it was said: {lost.reason}") from None
    click.echo(f"said in {begun.conversation} at {begun.seq}, to visitor {begun.visitor}")
