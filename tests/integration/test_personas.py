"""Each persona of the load kit lives through a real installation, and what it stands for is seen."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import count
from pathlib import Path
from urllib.request import urlopen

import pytest
import pytest_asyncio

from admin.workspace import apply_text
from app.stores import databases, redis_address
from loadtests.chaos.evidence import files_with, gather, raised, until_stored
from loadtests.chaos.installation import Installation, Size
from loadtests.chaos.journal import Notebook
from loadtests.chaos.traffic import CANARY
from loadtests.checker.history import Acked, ClientFact, History, Leak, Refused, Sent
from loadtests.checker.verdict import violations
from loadtests.load import agents
from loadtests.load.personas import PERSONAS
from loadtests.load.recorder import NAMES, Recorder
from loadtests.load.stage import Habits, Seat, Stage
from store.redis.connection import dial
from store.redis.keys import APPS

pytestmark = pytest.mark.xdist_group("personas")  # everybody lives once

LIVES = 2  # of each persona
SAYS = 4
APP = "app_load"
AGENTS = tuple(f"agent{number}" for number in range(1, 5))
ALL_THAT_DESKS_DO = {"set_state", "accept", "decline", "send", "transfer", "close"}
HABITS = Habits(
    says=SAYS, pace_s=0.2, fault_every_s=0.5, fault_s=0.3, consents=1.0, allows_storage=1.0, is_hasty=0.5,
    answers_survey=1.0, ends=1.0, answers_s=0.1, declines=0.4, transfers=0.5, closes_after=3,
    away_every_s=2.0, away_s=0.3,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lived:
    """What came of all lives. `ends`: how sockets ended, as the gateway counts them."""

    history: History
    recorder: Recorder
    ends: Counter[str]

    def of(self, persona: str) -> list[Sent | Acked | Refused]:
        """What visitors of that persona sent, and what became of it."""
        facts = self.history.facts
        mine = (fact for fact in facts if fact.client.startswith(f"{persona}-"))
        return [fact for fact in mine if isinstance(fact, Sent | Acked | Refused)]

    def words(self, persona: str) -> set[str]:
        """The ids of what they said, once they were allowed to."""
        facts = self.of(persona)
        early = {fact.id for fact in facts if isinstance(fact, Refused) and fact.code == "consent_required"}
        return {fact.id for fact in facts if isinstance(fact, Sent) and fact.kind == "send"} - early


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lived(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lived]:
    """Everybody lives at once, in one installation with the kit's own account."""
    data = tmp_path_factory.mktemp("personas")
    installation = Installation(
        data, Size(1, 1, 1), environment={"SAMTALE_LEASE_S": "4", "SAMTALE_GATEWAY_LEASE_S": "30"}
    )
    async with asyncio.timeout(400), asyncio.TaskGroup() as tasks:
        await installation.start(tasks)
        try:
            yield await live(installation, data)
        finally:
            await installation.stop()


async def live(installation: Installation, data: Path) -> Lived:
    settings = installation.settings
    apply_text(settings.config_url, resources.files("loadtests.load").joinpath("workspace.yaml").read_text(), cells=4)
    stores, line = databases(settings), await dial(await redis_address(settings))
    try:
        while await line.call("HGET", APPS, APP) is None:
            await asyncio.sleep(0.05)
        notebook, recorder = Notebook(), Recorder()
        await everybody(installation.gateway_urls, notebook, recorder)
        figures = await asyncio.to_thread(urlopen, f"{installation.gateway_urls[0]}/metrics")
        await until_stored(stores, line, settings.cells)
        history = History(facts=notebook.facts, misserved=notebook.misserved, raised=list(raised(data)))
        await gather(stores, line, history)
    finally:
        line.abort()
        await stores.close()
    history.leaks += [Leak(CANARY, name) for name in files_with(data, CANARY)]
    return Lived(history, recorder, ends_in(figures.read().decode()))


async def everybody(urls: list[str], notebook: Notebook, recorder: Recorder) -> None:
    """Let visitors live, with agents there until the last has left."""
    leaving, closing = asyncio.Event(), asyncio.Event()

    def stage(name: str, stop: asyncio.Event) -> Stage:
        chance = random.Random(name)
        return Stage(name, "load", urls, APP, "load", notebook, recorder, chance, HABITS, stop=stop)

    async with asyncio.TaskGroup() as office:
        for agent in AGENTS:
            desk = stage(agent, closing)
            desk.is_visitor = False
            colleagues = tuple(other for other in AGENTS if other != agent)
            office.create_task(agents.run(desk, Seat(agent, f"{agent}@load.example", "load-password", colleagues)))
        async with asyncio.TaskGroup() as visitors:
            for name, persona in PERSONAS.items():
                for number in range(LIVES):
                    visitors.create_task(persona(stage(f"{name}-{number}", leaving)))
        further = count(LIVES)
        while not asked_by_agents(notebook.facts) >= ALL_THAT_DESKS_DO:  # a slow machine leaves them less to do
            await PERSONAS["steady"](stage(f"steady-{next(further)}", leaving))
        closing.set()


def asked_by_agents(facts: Sequence[ClientFact]) -> set[str]:
    return {fact.kind for fact in facts if isinstance(fact, Sent) and fact.client in AGENTS}


def ends_in(figures: str) -> Counter[str]:
    lines = (line for line in figures.splitlines() if line.startswith("samtale_socket_ends_total{"))
    return Counter({line.split('"')[1]: int(float(line.rpartition(" ")[2])) for line in lines})


def test_the_checker_finds_nothing(lived: Lived) -> None:
    """No promise is broken to anybody, whatever befalls them."""
    assert violations(lived.history) == []


@pytest.mark.parametrize("persona", list(PERSONAS))
def test_every_word_is_acknowledged(lived: Lived, persona: str) -> None:
    """Each life says all that it has to say, and all of it is in a log in the end."""
    words = lived.words(persona)
    logged = {entry.id for entry in lived.history.entries if entry.kind == "message"}
    assert len(words) >= LIVES * SAYS
    assert words <= logged
    assert words <= {fact.id for fact in lived.of(persona) if isinstance(fact, Acked)}


def test_the_hasty_are_refused(lived: Lived) -> None:
    """Words before the consent are sent, and no file holds them (that is the checker's)."""
    early = [fact for fact in lived.history.facts if isinstance(fact, Refused) and fact.code == "consent_required"]
    assert early


def test_chatty_visitors_do_not_wait(lived: Lived) -> None:
    """A second word is on its way before the first is acknowledged."""
    kinds = [(fact.client, type(fact)) for fact in lived.of("chatty") if fact.id in lived.words("chatty")]
    assert any(kinds[at] == kinds[at + 1] and kinds[at][1] is Sent for at in range(len(kinds) - 1))


@pytest.mark.parametrize(
    "what", ["put away", "line lost", "nothing gets through up", "nothing gets through down", "no network"]
)
def test_networks_go_bad(lived: Lived, what: str) -> None:
    """It happened to somebody."""
    assert lived.recorder.happened[what]


def test_who_changes_networks_replaces_their_old_line(lived: Lived) -> None:
    """The server still believed in it: 4005."""
    assert lived.recorder.happened["other network"] >= LIVES
    assert lived.ends["4005"] >= LIVES


def test_a_killed_app_goes_on_as_the_same_device(lived: Lived) -> None:
    """What it kept is enough to be known by, and to say the rest."""
    devices = {fact.client: fact.device for fact in lived.of("killed_app")}
    assert lived.recorder.happened["app killed"] >= LIVES
    for number in range(LIVES):
        assert devices[f"killed_app-{number}"] == devices[f"killed_app-{number}/1"]


def test_who_never_reads_is_cut(lived: Lived) -> None:
    """By the server, each time: what it says last is not read either. They are let in again, and say the rest (above)."""
    assert lived.recorder.happened["cut off for that"] == lived.recorder.happened["reads no more"] >= LIVES


def test_what_is_sent_twice_is_answered_twice_and_stands_once(lived: Lived) -> None:
    """The second copy gets the recorded outcome."""
    acks = [(fact.id, fact.seq) for fact in lived.of("duplicate_sender") if isinstance(fact, Acked)]
    again = {id_ for (id_, _), count in Counter(acks).items() if count > 1} & lived.words("duplicate_sender")
    entries = Counter(entry.id for entry in lived.history.entries if entry.kind == "message")
    assert again
    assert {entries[id_] for id_ in again} == {1}


def test_agents_do_all_that_desks_do(lived: Lived) -> None:
    """They accept and decline, answer, hand on and close, and come to their places by themselves."""
    assert asked_by_agents(lived.history.facts) >= ALL_THAT_DESKS_DO


def test_what_the_chatflow_asks_is_answered(lived: Lived) -> None:
    """Storage, consent and e-mail before the first word, a survey after the last."""
    kinds = {entry.kind for entry in lived.history.entries}
    assert kinds >= {"consent", "email_given", "survey_asked", "survey_answered"}


def test_every_latency_is_measured(lived: Lived) -> None:
    """Sending, delivery, coming in, waiting and catching up."""
    assert {name for name, took in lived.recorder.took.items() if took} == set(NAMES)
