"""What keeps a file that is right in itself from being published here: other accounts, versions, the size of a frame.

Invariant: each obstacle is a mistake at its place, all of them at once.
"""

from collections.abc import Iterator, Sequence

from admin.workspace.places import Mistake
from admin.workspace.shape import Account, Workspace
from admin.workspace.structs import Placed
from admin.workspace.wording import texts_of
from protocol.bus.catalogue import LOCALES, interface
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig
from store.sql.queries.publications import Survey

MAX_VIEW_BYTES = 49_152  # of the 65,536 of a frame (SPEC 2.5); the rest is for what concerns the visitor


def obstacles(workspace: Workspace, survey: Survey, compiled: Sequence[AccountConfig]) -> list[Mistake]:
    """Return everything that forbids publishing `compiled` over what `survey` found."""
    named = {placed.thing.id for placed in workspace.accounts}
    found: list[Mistake] = []
    for account, config in zip(workspace.accounts, compiled, strict=True):
        found += _strangers(account.thing, survey, named)
        flows = {flow.id: flow for flow in config.chatflows}
        for flow in account.thing.chatflows:
            found += _impatient(flow, flows[flow.thing.id].version)
            found += _heavy(flow, config)
    return found


def _strangers(account: Account, survey: Survey, named: set[str]) -> Iterator[Mistake]:
    """Refuse app keys and e-mails that accounts outside the file hold."""
    for app in account.apps:
        if survey.app_keys.get(app.thing.key, account.id) not in named:
            yield app.mistake("key", f"{app.thing.key} is the key of another account's app")
    for agent in account.agents:
        if survey.logins.get(agent.thing.email.lower(), account.id) not in named:
            yield agent.mistake("email", f"{agent.thing.email} is an agent of another account")


def _impatient(flow: Placed[Chatflow], version: int) -> Iterator[Mistake]:
    """Refuse to ask again from a version that is still to come: no consent would count until then."""
    since = flow.thing.consent.ask_again_from
    if since > version:
        why = f"is {since}, and this is version {version}: no consent would count"
        yield flow.mistake("consent.ask_again_from", why)


def _heavy(flow: Placed[Chatflow], config: AccountConfig) -> Iterator[Mistake]:
    """Refuse texts that no phone could be shown at once."""
    own = [texts for _, texts in texts_of(flow.thing)]
    for locale in {locale: None for texts in (LOCALES, config.texts, flow.thing.texts, *own) for locale in texts}:
        shown = [*interface(config, flow.thing, locale).values(), *(texts.get(locale, "") for texts in own)]
        size = sum(len(text.encode()) for text in shown)
        if size > MAX_VIEW_BYTES:
            why = f"the texts in {locale} have {size} bytes in all; a phone is shown at most {MAX_VIEW_BYTES}"
            yield flow.mistake("texts", why)
