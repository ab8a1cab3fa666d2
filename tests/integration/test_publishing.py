"""Publishing while people talk: running conversations keep their version, new ones get the new one, and it comes back."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib import resources
from pathlib import Path

import pytest
import samtale

from tests.kit.commands import run_samtale
from tests.kit.persons import Phone, soon
from tests.kit.samtale_servers import RunningSamtale

pytestmark = pytest.mark.xdist_group("publishing")

EXAMPLE = resources.files("app").joinpath("examples/workspace.yaml").read_text(encoding="utf-8")
FIRST, SECOND = "Hello. Just write.", "Hello from the second version."
RUNNING = 50


async def samtale_does(server: RunningSamtale, *arguments: str) -> str:
    """Run `samtale` on the installation and return what it says."""
    ended = await run_samtale(*arguments, environment=server.environment)
    assert ended.status == 0, ended.err
    return ended.out


async def start(phone: Phone) -> samtale.LogEvent:
    """Begin a conversation and return its first entry."""
    await phone.told(samtale.Connected)
    await soon(phone.client.send("hello"))
    begun: samtale.LogEvent = await phone.reads(phone.conversation, samtale.Started)
    return begun


def shows(welcome: str) -> Callable[[samtale.Event], bool]:
    """Whether the phone is told of a chatflow with this welcome."""
    return lambda event: isinstance(event, samtale.Serving) and getattr(event.chatflow, "welcome", None) == welcome


async def goes_on(phone: Phone) -> None:
    """Say one more thing, end it, and find that it is the same conversation under the version it began with."""
    await soon(phone.client.send("still here"))
    await soon(phone.client.close())
    await phone.reads(phone.conversation, samtale.Closed)
    begun = [entry.body for entry in phone.log(phone.conversation) if isinstance(entry.body, samtale.Started)]
    assert [(body.version, body.welcome) for body in begun] == [(1, FIRST)]


async def test_publishing_while_fifty_conversations_run(samtale_server: RunningSamtale, tmp_path: Path) -> None:
    """Each ends on the version it began with; new ones get the new one; rolling back is one command; all of it live."""
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(EXAMPLE.replace(FIRST, SECOND), encoding="utf-8")
    running = [Phone(samtale_server.url) for _ in range(RUNNING)]
    looking, later, last = (Phone(samtale_server.url) for _ in range(3))
    async with AsyncExitStack() as stack:
        for phone in [*running, looking]:
            await stack.enter_async_context(phone.client)
        assert {begun.body.version for begun in await asyncio.gather(*map(start, running))} == {1}
        await looking.told(samtale.Connected)

        said = await samtale_does(samtale_server, "apply", str(workspace))
        kept_at = time.monotonic()
        assert f"chatflow plain: version 1 → 2\n    welcome.en: “{FIRST}” → “{SECOND}”" in said
        await looking.until(shows(SECOND))
        print(f"on the phone {time.monotonic() - kept_at:.2f} s after apply was done")  # a figure to read, not to judge
        await stack.enter_async_context(later.client)
        begun = await start(later)
        assert (begun.body.version, begun.body.welcome) == (2, SECOND)

        await asyncio.gather(*map(goes_on, running))

        heard = len(looking.heard)
        assert "chatflow plain: version 2 → 3" in await samtale_does(samtale_server, "chatflow", "rollback", "plain")
        await looking.until(shows(FIRST), since=heard)
        await stack.enter_async_context(last.client)
        begun = await start(last)
        assert (begun.body.version, begun.body.welcome) == (3, FIRST)
        assert (await start(later)).body.version == 2


async def test_a_chatflow_is_switched_off_and_on_while_people_talk(samtale_server: RunningSamtale) -> None:
    """Disabled, it starts nothing new and lets running conversations finish."""
    running, new = (Phone(samtale_server.url) for _ in range(2))
    async with running.client, new.client:
        await start(running)
        await new.told(samtale.Connected)
        assert "enabled: yes → no" in await samtale_does(samtale_server, "chatflow", "disable", "plain")
        gone = await new.told(samtale.Serving)
        assert (gone.chatflow, gone.reason) == (None, "no_chatflow")
        await soon(running.client.send("still here"))
        heard = len(new.heard)
        assert "enabled: no → yes" in await samtale_does(samtale_server, "chatflow", "enable", "plain")
        await new.until(shows(FIRST), since=heard)
        await start(new)


async def test_what_is_published_can_be_read(samtale_server: RunningSamtale) -> None:
    """The list, the versions with what each changed, what differs, and which device gets what."""
    listed = await samtale_does(samtale_server, "chatflow", "list", "--account", "fjord")
    assert [line.split()[1] for line in listed.splitlines()][:2] == ["fjord_gold", "fjord_support"]
    gold = ("--identified", "--attribute", "plan=gold", "--account", "fjord")
    explained = await samtale_does(samtale_server, "chatflow", "explain", "support", *gold)
    assert explained.splitlines()[0] == "fjord: support: chatflow fjord_gold, version 1"
    explained = await samtale_does(samtale_server, "chatflow", "explain", "support", "--account", "fjord")
    assert "fjord_gold is passed over (identified): for identified visitors only" in explained
    versions = await samtale_does(samtale_server, "chatflow", "versions", "fjord_support")
    assert versions == "version 1    the first one kept\n"
    refused = await run_samtale("chatflow", "rollback", "fjord_support", environment=samtale_server.environment)
    assert (refused.status, refused.err) == (2, "samtale: fjord_support has no version before 1\n")
