"""Applying a workspace file: the whole of it in one transaction, or nothing and every mistake.

Invariant: applying the same file again changes nothing; an account that the file does not name is left alone.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from admin.workspace import references, shape
from admin.workspace.changes import changes
from admin.workspace.compile import Ground, compile_account
from admin.workspace.document import Document
from admin.workspace.obstacles import obstacles
from admin.workspace.places import BadWorkspace, Mistake, Place, parse, tree
from admin.workspace.readers import Reader
from admin.workspace.shape import Workspace
from admin.workspace.structs import Placed
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId
from store.redis.keys import cell_names
from store.sql.database import DirectDatabase
from store.sql.queries import changes as store_changes
from store.sql.queries import publications
from store.sql.queries.audit_log import TERMINAL, Deed
from store.sql.queries.publications import Survey

MAX_FILE_CHARS = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one account: what it was (None: it is new), and what it is."""

    before: AccountConfig | None
    after: AccountConfig

    @property
    def changed(self) -> bool:
        """Whether it has a new version."""
        return self.before is None or self.before.version != self.after.version


@dataclass(frozen=True, slots=True)
class Means:
    """What applying needs: how many cells an installation begun now gets, chance, and the time."""

    cells: int
    entropy: Callable[[int], bytes]
    now_ms: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that was read and not yet checked."""

    top: Place
    workspace: Workspace

    @property
    def accounts(self) -> list[AccountId]:
        """Which accounts the file names."""
        return [AccountId(placed.thing.id) for placed in self.workspace.accounts if placed.thing.id]

    def checked(self, present: Mapping[AccountId, AccountConfig]) -> Workspace:
        """Return the workspace, or raise BadWorkspace with everything that is wrong with it."""
        references.check(self.workspace, present)
        if self.top.mistakes:
            raise BadWorkspace(self.top.mistakes)
        return self.workspace


def draft(text: str) -> Draft:
    """Read `text`; raises BadWorkspace if nothing can be read in it."""
    if len(text) > MAX_FILE_CHARS:
        raise BadWorkspace([Mistake(0, "", f"the file has more than {MAX_FILE_CHARS} characters")])
    return _draft(parse(text), shape.workspace)


def draft_of(account: Document) -> Draft:
    """Read an account as REST edits it: it may have no app, inbox or chatflow yet."""
    return _draft(tree({"accounts": [account]}), shape.bare_workspace)


def _draft(top: Place, reader: Reader[Placed[Workspace]]) -> Draft:
    placed = top.read(reader)
    if placed is None:
        raise BadWorkspace(top.mistakes)
    return Draft(top, placed.thing)


def read(text: str) -> Workspace:
    """Return the workspace in `text`, for an installation that has none; raises BadWorkspace."""
    return draft(text).checked({})


def plan(file: Draft, survey: Survey, entropy: Callable[[int], bytes]) -> list[Applied]:
    """Return what becomes of each account of `file` over what `survey` found; raises BadWorkspace."""
    workspace = file.checked(survey.present)
    compiled = _compile(workspace, survey, entropy)
    if mistakes := obstacles(workspace, survey, compiled):
        raise BadWorkspace(mistakes)
    return [Applied(survey.present.get(one.account), one) for one in compiled]


def apply(text: str, config: DirectDatabase, means: Means, *, dry: bool = False) -> list[Applied]:
    """Make the installation as `text` says unless `dry`; raises BadWorkspace, StoreAway."""
    file = draft(text)
    while True:
        survey = config.run(partial(publications.survey, named=file.accounts, cells=means.cells))
        applied = plan(file, survey, means.entropy)
        publish = partial(
            store_changes.publish_all, on=survey, made=deeds(applied, "workspace.applied", means.now_ms())
        )
        if dry or config.run(publish):
            return applied
        # Somebody else applied a file in between: look again.


def deeds(applied: Sequence[Applied], action: str, at_ms: int) -> list[tuple[AccountConfig, Deed]]:
    """Return each configuration that changed, with what the audit log says of it."""
    return [
        (one.after, Deed(at_ms, TERMINAL, action, "account", tuple(changes(one.before, one.after))))
        for one in applied
        if one.changed
    ]


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
