"""Applying a workspace file: the whole of it in one transaction, or nothing and every mistake.

Invariant: applying the same file again changes nothing; an account that the file does not name is left alone.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from app.workspace import references, shape
from app.workspace.compile import Ground, compile_account
from app.workspace.places import BadWorkspace, Mistake, parse
from app.workspace.shape import Workspace
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId
from store.redis.keys import cell_names
from store.sql.database import DirectDatabase
from store.sql.queries import publications
from store.sql.queries.publications import Survey

MAX_FILE_CHARS = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one account: its version, which is a new one if it `changed`."""

    account: AccountId
    version: int
    changed: bool


@dataclass(frozen=True, slots=True)
class Means:
    """What applying needs: how many cells an installation begun now gets, chance, and the time."""

    cells: int
    entropy: Callable[[int], bytes]
    now_ms: Callable[[], int]


def read(text: str) -> Workspace:
    """Return the workspace in `text`, or raise BadWorkspace with everything that is wrong with it."""
    if len(text) > MAX_FILE_CHARS:
        raise BadWorkspace([Mistake(0, "", f"the file has more than {MAX_FILE_CHARS} characters")])
    top = parse(text)
    placed = top.read(shape.workspace)
    if placed is not None:
        references.check(placed.thing)
    if top.mistakes:
        raise BadWorkspace(top.mistakes)
    assert placed is not None, "nothing was wrong"
    return placed.thing


def apply(text: str, config: DirectDatabase, means: Means) -> list[Applied]:
    """Make the installation as `text` says; raises BadWorkspace, or StoreAway."""
    workspace = read(text)
    names = [AccountId(placed.thing.id) for placed in workspace.accounts]
    while True:
        survey = config.run(partial(publications.survey, named=names, cells=means.cells))
        _refuse_strangers(workspace, survey)
        compiled = _compile(workspace, survey, means.entropy)
        changed = [one for one in compiled if one != survey.present.get(one.account)]
        publish = partial(publications.publish_all, configs=changed, on=survey, now_ms=means.now_ms())
        if config.run(publish):
            return [Applied(one.account, one.version, one in changed) for one in compiled]
        # Somebody else applied a file in between: look again.


def _compile(workspace: Workspace, survey: Survey, entropy: Callable[[int], bytes]) -> list[AccountConfig]:
    in_use = Counter(survey.in_use)
    compiled = []
    for placed in workspace.accounts:
        emptiest = min(cell_names(survey.cells), key=lambda cell: (in_use[cell], cell))
        present = survey.present.get(AccountId(placed.thing.id))
        if present is None:
            in_use[emptiest] += 1
        compiled.append(compile_account(placed.thing, Ground(present, emptiest, entropy)))
    return compiled


def _refuse_strangers(workspace: Workspace, survey: Survey) -> None:
    """Refuse app keys and e-mails that accounts outside the file hold."""
    mistakes: list[Mistake] = []
    named = {placed.thing.id for placed in workspace.accounts}
    for account in workspace.accounts:
        for app in account.thing.apps:
            if survey.app_keys.get(app.thing.key, account.thing.id) not in named:
                mistakes.append(app.mistake("key", f"{app.thing.key} is the key of another account's app"))
        for agent in account.thing.agents:
            if survey.logins.get(agent.thing.email.lower(), account.thing.id) not in named:
                mistakes.append(agent.mistake("email", f"{agent.thing.email} is an agent of another account"))
    if mistakes:
        raise BadWorkspace(mistakes)
