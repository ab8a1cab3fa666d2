"""The demo's facts and its voice, without an installation."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import click
import pytest
import samtale

from admin.workspace import read
from app.demo import people
from app.demo.cast import Cast
from app.demo.facts import Fact, NotSo, all_hold, check, to_json
from app.demo.narrator import Narrator
from app.demo.playbill import Chapter, Story
from app.demo.pulse import Pulse
from app.demo.setting import Setting
from app.demo.stage import Stage
from app.demo.stories import FIRST, STORIES
from app.demo.story import conclude, perform, tell_one
from app.demo.tape import Tape
from app.demo.tongue import ENGLISH, NORWEGIAN, Tongue
from app.demo.traces import files_with
from app.settings import Settings
from store.sql.database import StoreAway

NOWHERE = Stage(Settings.model_construct(), ["http://nowhere.invalid"], True)
HOLDS, FAILS = Fact("one", True, "seen"), Fact("two", False, "not seen")


def bare_cast() -> tuple[Cast, list[str]]:
    """A cast whose agents have not come yet, and what its narrator says."""
    said: list[str] = []
    narrator = Narrator(lambda line: said.append(click.unstyle(line)), lambda: "12:00:00.0")
    return Cast(NOWHERE, FIRST.setting, narrator), said


def scene(evidence: str = "", error: Exception | None = None) -> Callable[[Cast], Awaitable[str]]:
    async def play(cast: Cast) -> str:
        if error is not None:
            raise error
        return evidence

    return play


async def test_a_chapter_that_fails_is_told_and_the_next_is_played() -> None:
    """The story goes on; each chapter has its heading and its verdict."""
    cast, said = bare_cast()
    chapters = [
        Chapter("broken", "A broken promise", scene(error=NotSo("nothing came"))),
        Chapter("kept", "A promise kept", scene("it came")),
    ]
    facts = await perform(chapters, cast)
    assert facts == [Fact("broken", False, "nothing came"), Fact("kept", True, "it came")]
    assert [line for line in said if line] == [
        " 1  A broken promise", "    ✗ nothing came", " 2  A promise kept", "    ✓ it came",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "failure",
    [
        NotSo("late"),
        samtale.RefusedError(samtale.Refused("not_found", "no such thing")),
        samtale.LineLost(1006, "gone"),
        StoreAway("disk full"),
        ConnectionRefusedError("nobody listens"),
    ],
)
async def test_whatever_the_installation_does_wrong_is_a_fact_that_fails(failure: Exception) -> None:
    """Refused, cut off, or without its database: the evidence says which."""
    fact = await check("fact", scene(error=failure)(bare_cast()[0]), 1.0)
    assert not fact.holds
    assert fact.evidence == str(failure)


async def test_a_bug_of_the_demos_own_is_not_reported_as_a_fact() -> None:
    """A KeyError is ours to see, whole."""
    with pytest.raises(KeyError):
        await check("fact", scene(error=KeyError("oops"))(bare_cast()[0]), 1.0)


async def test_a_scene_that_does_not_end_fails() -> None:
    """Its time is bounded."""

    async def endless() -> str:
        await asyncio.Event().wait()
        raise AssertionError

    assert not (await check("fact", endless(), 0.0)).holds


async def test_a_wait_says_what_did_not_happen() -> None:
    """The deadline's message names it."""
    with pytest.raises(NotSo, match="the bus comes"):
        await Pulse().until("the bus comes", lambda: None, 0.0)


async def test_a_wait_ends_with_the_beat_that_makes_it_true() -> None:
    """Nobody polls: whoever waits looks at each beat."""
    pulse, seen = Pulse(), list[int]()
    waiting = asyncio.create_task(pulse.until("two beats", lambda: len(seen) if len(seen) == 2 else None))
    for number in range(2):
        await asyncio.sleep(0)
        seen.append(number)
        pulse.beat()
    assert await waiting == 2


def test_no_facts_are_not_all_facts() -> None:
    """A story in which nothing was shown did not go well."""
    assert not all_hold([])
    assert all_hold([HOLDS])
    assert not all_hold([HOLDS, FAILS])


def test_json_names_every_fact_and_whether_all_hold() -> None:
    """The form that `samtale demo --json` promises."""
    told = json.loads(to_json([HOLDS, FAILS]))
    assert told["ok"] is False
    assert told["facts"][1] == {"name": "two", "holds": False, "evidence": "not seen"}


@pytest.mark.parametrize(("facts", "status"), [([HOLDS], 0), ([HOLDS, FAILS], 1)])
def test_the_exit_status_is_that_of_the_facts(
    facts: list[Fact], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 if every fact holds, 1 if one does not; JSON says the same, and nothing is printed that was not asked for."""
    assert conclude(facts, as_json=False) == status
    assert capsys.readouterr().out == ""
    assert conclude(facts, as_json=True) == status
    assert json.loads(capsys.readouterr().out)["ok"] is (status == 0)


def test_facts_have_names_of_their_own_over_all_stories() -> None:
    """They are told apart by name."""
    names = [chapter.fact for story in STORIES for chapter in story.chapters]
    assert len(set(names)) == len(names)


def test_stories_have_accounts_of_their_own() -> None:
    """Nobody of one is on the other's stage; each workspace names exactly its account."""
    for story in STORIES:
        [account] = read(story.setting.workspace).accounts
        assert account.thing.id == story.setting.account
        assert {agent.thing.email for agent in account.thing.agents} >= set(story.setting.agents.values())
    assert len({story.setting.account for story in STORIES}) == len(STORIES)


async def test_a_story_whose_agents_do_not_come_has_no_fact_that_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is summed up all the same, in its tongue."""
    monkeypatch.setattr(people, "CONNECTED_WITHIN_S", 0.0)
    said: list[str] = []
    absent = {"Ingrid": "ingrid@nowhere.example"}
    setting = Setting(FIRST.setting.account, "app", "counter.yaml", "counter", "nb", absent)
    story = Story("s", "Ingen hjemme", NORWEGIAN, setting, (Chapter("one", "En", scene("seen")),))
    [fact] = await tell_one(story, NOWHERE, Narrator(said.append))
    assert not fact.holds
    assert fact.evidence.startswith("the agents are not at their desks")
    assert "0 av 1 påstander holder" in "".join(said)


@pytest.mark.parametrize(("tongue", "said"), [(ENGLISH, "“Hei”"), (NORWEGIAN, "«Hei»")])
def test_each_tongue_has_its_own_quotation_marks(tongue: Tongue, said: str) -> None:
    """The narrator tells a story in its tongue."""
    lines: list[str] = []
    narrator = Narrator(lines.append)
    narrator.opens("A title", "somewhere", tongue)
    narrator.says("Nora", "Hei")
    assert lines[-1].endswith(said)


def test_a_tape_finds_what_came_in_whatever_case() -> None:
    """Names are looked for however they are written."""
    tape = Tape()
    tape.heard += "«Ingrid Lie» …".encode()
    assert tape.holds("INGRID LIE")
    assert not tape.holds("Jonas")


def test_the_narrator_gives_each_person_one_colour() -> None:
    """Whoever speaks twice is recognised."""
    said: list[str] = []
    narrator = Narrator(said.append, lambda: "12:00:00.0")
    for who in ("Nora", "Emil", "Nora"):
        narrator.says(who, "Hi")
    assert said[0] == said[2]
    assert said[0].replace("Nora", "Emil") != said[1]
    assert click.unstyle(said[1]) == "    12:00:00.0  Emil     “Hi”"


def test_a_text_is_found_in_files_also_across_the_reading_boundary(tmp_path: Path) -> None:
    """Files are read in pieces; a text that lies on an edge is found all the same."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log").write_bytes(b"." * ((1 << 20) - 3) + b"planted" + b"." * 10)
    (tmp_path / "clean").write_bytes(b"plant" * 100)
    assert files_with(tmp_path, "planted") == ["deep/log"]
