"""The story: its chapters in order, told and checked.

Invariant: exit status 0 only if every fact holds; a chapter that fails does not keep the others from being told.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import click

from app.demo.cast import Cast
from app.demo.facts import FAILURES, Fact, all_hold, check, to_json
from app.demo.narrator import Narrator
from app.demo.own import CannotPlay
from app.demo.scenes import handing, lines, opening, record, waiting
from app.demo.stage import a_stage
from app.settings import Settings

CHAPTER_S = 20.0


@dataclass(frozen=True, slots=True)
class Chapter:
    """One fact, what it says, and the scene that shows it."""

    fact: str
    title: str
    scene: Callable[[Cast], Awaitable[str]]


CHAPTERS = (
    Chapter("priority", "Two chatflows have one tag: the higher priority serves", opening.priority),
    Chapter("consent_first", "Nothing said before consent is kept anywhere", opening.consent),
    Chapter("capacity_and_queue", "Two agents have one conversation each; the third waits", waiting.capacity),
    Chapter("offer_expires", "An offer that nobody answers goes on", waiting.expiry),
    Chapter("passing_by", "Typing, receipts and presence pass by", lines.passing),
    Chapter("line_cut", "The line is cut in mid-send", lines.cut),
    Chapter("same_send_same_seq", "The same send, repeated, is one message", lines.repeat),
    Chapter("transfer", "A colleague takes over", handing.transfer),
    Chapter("close_and_reopen", "Closed, and opened again", handing.reopening),
    Chapter("replay_equal", "Every log, played again, gives the stored state", record.replay),
)


def tell(settings: Settings, *, as_json: bool, server: str | None) -> int:
    """Tell the story. Exit status: 0 every fact holds, 1 some do not, 2 there is nowhere to play it."""
    began = time.monotonic()
    narrator = None if as_json else Narrator(click.echo)
    try:
        facts = asyncio.run(_tell(settings, server, narrator or Narrator(_nobody)))
    except CannotPlay as nowhere:
        click.echo(f"samtale: {nowhere}", err=True)
        return 2
    except KeyboardInterrupt:
        return 130
    return conclude(facts, narrator, time.monotonic() - began)


def conclude(facts: list[Fact], narrator: Narrator | None, took_s: float) -> int:
    """Have the narrator sum up, or print the facts as JSON if there is none; return the exit status."""
    if narrator is None:
        click.echo(to_json(facts))
    else:
        narrator.ends(facts, took_s)
    return 0 if all_hold(facts) else 1


async def _tell(settings: Settings, server: str | None, narrator: Narrator) -> list[Fact]:
    async with a_stage(settings, server) as stage:
        narrator.opens(stage.where)
        try:
            async with Cast(stage, narrator).on_stage() as cast:
                return await perform(CHAPTERS, cast)
        except FAILURES as failure:
            return [Fact(chapter.fact, False, f"the agents are not at their desks: {failure}") for chapter in CHAPTERS]


async def perform(chapters: Iterable[Chapter], cast: Cast) -> list[Fact]:
    """Play the chapters one after the other and return their facts."""
    facts: list[Fact] = []
    for number, chapter in enumerate(chapters, 1):
        cast.narrator.chapter(number, chapter.title)
        fact = await check(chapter.fact, _alone(chapter, cast), CHAPTER_S)
        cast.narrator.verdict(fact)
        facts.append(fact)
    return facts


async def _alone(chapter: Chapter, cast: Cast) -> str:
    """Play a scene on desks that hold nothing of the one before."""
    await cast.clear()
    return await chapter.scene(cast)


def _nobody(_: str) -> None:
    """Hear nothing: the facts are printed instead."""
