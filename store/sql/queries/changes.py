"""A change that somebody administering makes: configuration, drafts, audit log and kept answer in one transaction.

Invariant: all of it or nothing; written only over what was seen; a request already answered is not done again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from protocol.bus.config import AccountConfig
from protocol.ids import AccountId, ChatflowId, preview_of
from store.sql.dialects import take_turns
from store.sql.queries import access, answers, audit_log, drafts, erasures, previews, publications
from store.sql.queries.access import Key
from store.sql.queries.answers import KeptAnswer
from store.sql.queries.audit_log import Deed
from store.sql.queries.drafts import Draft
from store.sql.queries.previews import Preview
from store.sql.queries.publications import Survey

PREVIEW_DAYS = 1
INSTALLATION = AccountId("")
_WRITERS = "configurations"  # one at a time: what was compared stays as it was until it is written over


@dataclass(frozen=True, slots=True)
class Seen:
    """What a change is made of: the account and its drafts as they were, and the names that others hold."""

    account: AccountId
    survey: Survey
    drafts: dict[ChatflowId, Draft]


@dataclass(frozen=True, slots=True)
class Written:
    """What a change comes to. `config` None: it stays. `kept`: the Idempotency-Key and the answer under it."""

    deed: Deed
    config: AccountConfig | None
    drafts: Mapping[ChatflowId, Draft | None]
    kept: tuple[str, KeptAnswer] | None = None


def look(connection: Connection, account: AccountId, cells: int) -> Seen:
    """See an account as it is now."""
    return Seen(account, publications.survey(connection, [account], cells), drafts.of_account(connection, account))


def make(connection: Connection, seen: Seen, written: Written) -> Literal["made", "stale"]:
    """Make the change if all is as `seen`. Raises AnsweredBefore if it was made under its key before."""
    take_turns(connection, _WRITERS)
    if publications.survey(connection, seen.survey.named, seen.survey.cells) != seen.survey:
        return "stale"
    if not drafts.swap(connection, seen.account, seen.drafts, dict(written.drafts)):
        return "stale"
    now_ms = written.deed.at_ms
    if written.config is not None:
        publications.publish(connection, [written.config], now_ms)
    audit_log.add(connection, seen.account, written.deed)
    if written.kept is not None:
        answers.keep(connection, seen.account, *written.kept, now_ms)
    return "made"


def note(connection: Connection, account: AccountId, deed: Deed, kept: tuple[str, KeptAnswer] | None) -> None:
    """Note what was done elsewhere, and keep its answer. Raises AnsweredBefore if there is one under its key."""
    audit_log.add(connection, account, deed)
    if kept is not None:
        answers.keep(connection, account, *kept, deed.at_ms)


def publish_all(connection: Connection, on: Survey, made: Sequence[tuple[AccountConfig, Deed]]) -> bool:
    """Make configurations present if everything is as `on` says; else change nothing and return False."""
    take_turns(connection, _WRITERS)
    now_ms = max((deed.at_ms for _, deed in made), default=0)
    if not publications.publish_all(connection, [config for config, _ in made], on, now_ms):
        return False
    for config, deed in made:
        audit_log.add(connection, config.account, deed)
    return True


def begin_account(
    connection: Connection, config: AccountConfig, on: Survey, deed: Deed, kept: tuple[str, KeptAnswer] | None
) -> bool:
    """Make a new account if everything is as `on` says; else change nothing and return False.

    The answer is kept for whoever makes accounts: the installation. Raises AnsweredBefore.
    """
    take_turns(connection, _WRITERS)
    if not publications.publish_all(connection, [config], on, deed.at_ms):
        return False
    audit_log.add(connection, config.account, deed)
    if kept is not None:
        answers.keep(connection, INSTALLATION, *kept, deed.at_ms)
    return True


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What previews of an account are made of: what they show comes of the account, and goes into its hidden one."""

    seen: Seen
    previews: list[Preview]


def look_at_previews(connection: Connection, account: AccountId, cells: int) -> Rehearsal:
    """See an account, its hidden one, and its previews as they are now."""
    survey = publications.survey(connection, [account, preview_of(account)], cells)
    seen = Seen(account, survey, drafts.of_account(connection, account))
    return Rehearsal(seen, previews.of_account(connection, account))


@dataclass(frozen=True, slots=True)
class Begun:
    """A preview that begins, the hash of its token, and the answer that is kept."""

    preview: Preview
    hashed: bytes
    kept: tuple[str, KeptAnswer] | None


def show_previews(
    connection: Connection, on: Rehearsal, config: AccountConfig | None, begun: Begun | None, now_ms: int
) -> bool:
    """Show previews as `config` has them, and keep the one that was `begun`; False if not all is as `on` says.

    What is said in a preview is kept for a day. Raises AnsweredBefore.
    """
    take_turns(connection, _WRITERS)
    if look_at_previews(connection, on.seen.account, on.seen.survey.cells) != on:
        return False
    if begun is not None:
        preview = begun.preview
        previews.begin(connection, preview, begun.hashed)
        target, shows = f"chatflows/{preview.chatflow}", f"shows: {preview.shows}"
        audit_log.add(connection, on.seen.account, Deed(now_ms, preview.created_by, "preview.begun", target, (shows,)))
        if begun.kept is not None:
            answers.keep(connection, on.seen.account, *begun.kept, now_ms)
    if config is not None:
        publications.publish(connection, [config], now_ms)
        erasures.keep_days(connection, config.account, PREVIEW_DAYS)
    return True


def end_preview(connection: Connection, account: AccountId, preview: str, deed: Deed) -> bool:
    """End a preview; False if the account has no such one that goes on."""
    if not previews.end(connection, account, preview, deed.at_ms):
        return False
    audit_log.add(connection, account, deed)
    return True


def add_key(connection: Connection, key: Key, hashed: bytes, deed: Deed) -> None:
    """Keep a new API key."""
    access.add_key(connection, key, hashed)
    audit_log.add(connection, key.account, deed)


def revoke_key(connection: Connection, account: AccountId, key: str, deed: Deed) -> bool:
    """Let nobody in with `key` any more; False if the account has no such key that lives."""
    if not access.revoke_key(connection, account, key, deed.at_ms):
        return False
    audit_log.add(connection, account, deed)
    return True
