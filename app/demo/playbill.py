"""What is played: a story's name and tongue, the account it is set in, and who has a desk there.

Invariant: each story has an account of its own; a fact has one name over all stories.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from app.demo.tongue import Tongue
from protocol.ids import AccountId

if TYPE_CHECKING:
    from app.demo.cast import Cast


@dataclass(frozen=True, slots=True)
class Chapter:
    """One fact, what it says, and the scene that shows it."""

    fact: str
    title: str
    scene: Callable[["Cast"], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Setting:
    """An account of the demo's own, as its workspace `file` makes it. `agents`: those at their desks, name → e-mail."""

    account: AccountId
    app_key: str
    file: str
    tag: str
    locale: str
    agents: dict[str, str]

    @property
    def workspace(self) -> str:
        """The workspace file's text."""
        return _text_of(self.file)


@dataclass(frozen=True, slots=True)
class Story:
    """A story that can be told by its `name`."""

    name: str
    title: str
    tongue: Tongue
    setting: Setting
    chapters: tuple[Chapter, ...]


@cache
def _text_of(file: str) -> str:
    return resources.files("app.demo").joinpath(file).read_text(encoding="utf-8")
