"""docs/howto/article.py as a reader runs it, a phone open beside it; then three visitors and three agents at what it made.

Invariant: the script's own process, which goes on when told to; all that phones and agents were told is kept.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import samtale

from tests.kit.commands import run_samtale
from tests.kit.persons import Desk, Phone, soon
from tests.kit.samtale_servers import RunningSamtale

SCRIPT = Path(__file__).parents[2] / "docs" / "howto" / "article.py"
WITHIN_S = 240.0
NEW, OLD = "sykkelhjelp", "gammel"
STAFF = {"ingrid": "Ingrid Lie", "jonas": "Jonas Berg", "amira": "Amira Haddad"}


class Article:
    """The script at work. `said`: its lines so far."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self.said: list[str] = []

    async def comes_to(self, step: str) -> str:
        """Return the line with which a step is done; what the script says before it is kept."""
        assert self._child.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            while line := (await self._child.stdout.readline()).decode().rstrip():
                self.said.append(line)
                if line.startswith(f"{step}: "):
                    return line
        raise AssertionError("\n".join(["it ended, having said", *self.said]))

    def goes_on(self) -> None:
        """Press Enter."""
        assert self._child.stdin is not None
        self._child.stdin.write(b"\n")

    async def ends(self) -> int:
        """Press Enter for the last time; return its exit status."""
        async with asyncio.timeout(WITHIN_S):
            self.said += (await self._child.communicate(b"\n"))[0].decode().splitlines()
        assert self._child.returncode is not None
        return self._child.returncode


@asynccontextmanager
async def running_article(server: RunningSamtale) -> AsyncIterator[Article]:
    """Run the script as its page says."""
    made = await run_samtale("key", "create", "builder", "--installation", environment=server.environment)
    assert made.status == 0, made.err
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), server.url, made.out.strip(), "--wait",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield Article(child)
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


def serves(chatflow: str, version: int) -> Callable[[Any], bool]:
    """Whether a phone is told of that version, when it connects or once the last change is live."""

    def fits(event: Any) -> bool:
        flow = getattr(event, "chatflow", None)
        return isinstance(flow, samtale.Chatflow) and (flow.id, flow.version) == (chatflow, version)

    return fits


async def is_served(phone: Phone, chatflow: str, version: int, since: int = 0) -> samtale.Chatflow:
    """Return how that version looks, once it is served to the phone."""
    flow: samtale.Chatflow = (await phone.until(serves(chatflow, version), since)).chatflow
    return flow


@dataclass
class Seen:
    """What there was to see. `flows`: what the open phone was served at each step of the script, and the preview."""

    server: RunningSamtale
    api: httpx2.AsyncClient
    ida: Phone
    others: list[Phone]
    desks: dict[str, Desk]
    said: list[str] = field(default_factory=list)
    flows: dict[str, samtale.Chatflow] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    had_by: list[str] = field(default_factory=list)

    @property
    def log(self) -> list[Any]:
        """The log of Ida's conversation as the agent who had it read it."""
        return [event.body for event in self.desks[self.had_by[0]].log(self.ida.conversation)]

    def logged(self, kind: type[samtale.Body]) -> list[Any]:
        """Return the entries of that kind."""
        return [body for body in self.log if isinstance(body, kind)]


@asynccontextmanager
async def gone_through(server: RunningSamtale) -> AsyncIterator[Seen]:
    """Run the script with a phone open, then let three visitors and three agents go through what it made."""
    device = samtale.Device("ios", "2.1", "nb-NO")
    phones = [Phone(server.url, tag="sykkel", app_key="app_nordlys", device=device) for _ in range(3)]
    desks = {name: Desk(server.url, f"{name}@nordlys.example", f"{name}-of-nordlys") for name in STAFF}
    async with AsyncExitStack() as stack, running_article(server) as article:
        await article.comes_to("before")
        api = await stack.enter_async_context(await asks(server))
        for person in (*phones, *desks.values()):
            await stack.enter_async_context(person.client)
        seen = Seen(server, api, phones[0], phones[1:], desks)
        await step_by_step(seen, article)
        await everybody_talks(seen)
        yield seen


async def asks(server: RunningSamtale) -> httpx2.AsyncClient:
    """Return a client of the API, with a key of the account."""
    made = await run_samtale("key", "create", "reader", "--account", "nordlys", environment=server.environment)
    headers = {"Authorization": f"Bearer {made.out.strip()}"}
    return httpx2.AsyncClient(base_url=f"{server.url}/api/v1", headers=headers, timeout=60)


async def step_by_step(seen: Seen, article: Article) -> None:
    """Let the script go on, and see each step at the phone that is open."""
    flows, phone = seen.flows, seen.ida
    flows["before"] = await is_served(phone, OLD, 1)
    article.goes_on()
    await article.comes_to("drafted")
    [address] = [line for line in article.said if line.startswith("preview: ")]
    flows["preview"] = await tried_out(seen, address.partition("#")[2])
    article.goes_on()
    await article.comes_to("published")
    for step, version in (("enabled", 1), ("default text", 2), ("taken back", 3), ("and that, too", 4)):
        since = len(phone.heard)
        article.goes_on()
        await article.comes_to(step)
        flows[step] = await is_served(phone, NEW, version, since)
    assert await article.ends() == 0
    seen.said = article.said


async def tried_out(seen: Seen, token: str) -> samtale.Chatflow:
    """Go through the preview as somebody with the token does, and return what it shows."""
    phone = Phone(seen.server.url, app_key="any", tag="any", preview=token)
    async with phone.client:
        flow: samtale.Chatflow = (await phone.until(lambda event: getattr(event, "chatflow", None))).chatflow
        await soon(phone.client.answer_storage(True))
        await soon(phone.client.answer_consent(True, communicate=True))
        await soon(phone.client.send("Bare en prøve"))
        await phone.reads(phone.conversation, samtale.EmailAsked)
        await soon(phone.client.answer_email("prove@eksempel.no"))
        await phone.reads(phone.conversation, samtale.EmailGiven)
    return flow


async def everybody_talks(seen: Seen) -> None:
    """Three visitors write; of the first one everything is asked, answered and closed."""
    for desk in seen.desks.values():
        desk.client.set_state("available")
        await desk.until(lambda _, desk=desk: is_there(desk))
    ida = seen.ida
    with pytest.raises(samtale.RefusedError) as refused:
        await soon(ida.client.send("for tidlig"))
    seen.refused.append(refused.value.refused.code)
    await soon(ida.client.answer_storage(True))
    with pytest.raises(samtale.RefusedError) as refused:
        await soon(ida.client.send("fortsatt for tidlig"))
    seen.refused.append(refused.value.refused.code)
    await soon(ida.client.answer_consent(True, communicate=True))
    await soon(ida.client.send("Har dere barneseter?"))
    await ida.reads(ida.conversation, samtale.EmailAsked)
    await soon(ida.client.answer_email("ida@eksempel.no"))
    for other in seen.others:
        await soon(other.client.answer_storage(False))
        await soon(other.client.answer_consent(True, communicate=False))
        await soon(other.client.send("Er dere åpne på lørdag?"))
    for phone in (ida, *seen.others):
        seen.had_by.append(await who_has(seen, phone.conversation))
    await answered_and_closed(seen, seen.desks[seen.had_by[0]])


def is_there(desk: Desk) -> bool:
    """Whether the roster has this agent available."""
    rows = (rows for feed, rows in desk.client.feeds.items() if feed.startswith("agent:"))
    return any(each.get("state", {}).get("state") == "available" for each in rows)


async def who_has(seen: Seen, conversation: str) -> str:
    """Return which agent the log says has a conversation; everybody at a desk reads it."""
    for desk in seen.desks.values():
        desk.client.follow(conversation)
    assigned = await seen.desks["ingrid"].reads(conversation, samtale.Assigned)
    return str(assigned.body.agent.id)


async def answered_and_closed(seen: Seen, desk: Desk) -> None:
    """Answer Ida, who presses the X; close, and ask how it was."""
    ida = seen.ida
    await desk.reads(ida.conversation, samtale.EmailGiven)
    await soon(desk.client.send(ida.conversation, "Ja, i alle størrelser."))
    await ida.hears("Ja, i alle størrelser.")
    ida.client.press_close()
    await ida.told(samtale.ClosePressed)
    await soon(ida.client.send("Så fint!"))
    await desk.hears("Så fint!")
    await soon(desk.client.close(ida.conversation))
    survey = (await ida.reads(ida.conversation, samtale.SurveyAsked)).body
    await soon(ida.client.answer_survey(ida.conversation, survey.ask, 2))
    await desk.reads(ida.conversation, samtale.SurveyAnswered)
