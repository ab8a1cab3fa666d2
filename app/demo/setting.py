"""Where a story is set: an account of its own, as its workspace file makes it.

Invariant: no two stories share an account.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources

from protocol.ids import AccountId


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


@cache
def _text_of(file: str) -> str:
    return resources.files("app.demo").joinpath(file).read_text(encoding="utf-8")
