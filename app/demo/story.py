"""Telling stories: their chapters in order, told and checked.

Invariant: exit status 0 only if every fact holds; a chapter that fails does not keep the others from being told.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence

import click

from app.demo.cast import Cast
from app.demo.facts import FAILURES, Fact, all_hold, check, to_json
from app.demo.narrator import Narrator
from app.demo.own import CannotPlay
from app.demo.playbill import Chapter, Story
from app.demo.stage import Stage, a_stage
from app.settings import Settings

CHAPTER_S = 120.0  # each takes one to five; a machine may have other work


def tell(settings: Settings, stories: Sequence[Story], *, as_json: bool, server: str | None) -> int:
    """Tell the stories. Exit status: 0 every fact holds, 1 some do not, 2 there is nowhere to play them."""
    narrator = Narrator(_nobody if as_json else click.echo)
    try:
        facts = asyncio.run(_tell_all(settings, stories, server, narrator))
    except CannotPlay as nowhere:
        click.echo(f"samtale: {nowhere}", err=True)
        return 2
    except KeyboardInterrupt:
        return 130
    return conclude(facts, as_json=as_json)


def conclude(facts: list[Fact], *, as_json: bool) -> int:
    """Print the facts as JSON if asked to; return the exit status."""
    if as_json:
        click.echo(to_json(facts))
    return 0 if all_hold(facts) else 1


async def _tell_all(settings: Settings, stories: Sequence[Story], server: str | None, narrator: Narrator) -> list[Fact]:
    async with a_stage(settings, server, [story.setting for story in stories]) as stage:
        return [fact for story in stories for fact in await tell_one(story, stage, narrator)]


async def tell_one(story: Story, stage: Stage, narrator: Narrator) -> list[Fact]:
    """Tell a story from beginning to end and return its facts."""
    began = time.monotonic()
    narrator.opens(story.title, stage.where(story.tongue), story.tongue)
    try:
        async with Cast(stage, story.setting, narrator).on_stage() as cast:
            facts = await perform(story.chapters, cast)
    except FAILURES as failure:
        facts = [Fact(each.fact, False, f"the agents are not at their desks: {failure}") for each in story.chapters]
    narrator.ends(facts, time.monotonic() - began)
    return facts


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
