"""What is played: a story's name and tongue, where it is set, and its chapters.

Invariant: a fact has one name over all stories.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.demo.cast import Cast
from app.demo.setting import Setting
from app.demo.tongue import Tongue


@dataclass(frozen=True, slots=True)
class Chapter:
    """One fact, what it says, and the scene that shows it."""

    fact: str
    title: str
    scene: Callable[[Cast], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Story:
    """A story that can be told by its `name`."""

    name: str
    title: str
    tongue: Tongue
    setting: Setting
    chapters: tuple[Chapter, ...]
