"""The hidden account in which chatflows of an account are tried out before they are published.

Invariant: it holds a copy of what the account is set to and nothing that anybody else has: its own app, visitors and
ids; users who answer there have neither their address nor their password. So nothing done there reaches the account.
"""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from admin.http.problems import NOT_FOUND, Problem
from admin.office import recompiled
from admin.resources.flows import find, flows_of, with_flow
from admin.workspace.versions import CannotPublish, version_of
from protocol.bus.chatflow import Chatflow, Rollout, Targeting
from protocol.bus.config import AccountConfig, Agent, App
from protocol.ids import AccountId, AppKey, ChatflowId, preview_of
from store.sql.queries.changes import Seen
from store.sql.queries.previews import Preview

_NO_HASH = "!"  # nobody logs in with it
_CAPACITY = 1_000  # whoever tries out a chatflow is never too many


def tried_out(seen: Seen, config: AccountConfig, preview: Preview, entropy: Callable[[int], bytes]) -> Chatflow:
    """Return the version that a preview shows, a draft as publishing would make it; raises Problem."""
    if preview.shows == "draft":
        flow = find(flows_of(config, seen.drafts), preview.chatflow)
        document, path = with_flow(config, flow)
        after = recompiled(seen, document, entropy, path)
        return next(one for one in after.chatflows if one.id == flow.id)
    number = None if preview.shows == "published" else int(preview.shows)
    try:
        newest = version_of(config, preview.chatflow, number) if number else _newest(config, preview.chatflow)
    except CannotPublish as cannot:
        raise Problem(NOT_FOUND, str(cannot)) from None
    return newest


def hidden_account(
    config: AccountConfig,
    present: AccountConfig | None,
    shown: Mapping[str, Chatflow | None],
    entropy: Callable[[int], bytes],
) -> AccountConfig:
    """Return the account in which `shown` is tried out: preview → version; None: it has ended, or stays as it was."""
    before = {flow.id: flow for flow in present.chatflows} if present is not None else {}
    made = replace(
        config,
        account=preview_of(config.account),
        version=present.version if present is not None else 0,
        cell=present.cell if present is not None else config.cell,
        id_key=present.id_key if present is not None else entropy(32),
        apps=present.apps if present is not None else [_app(config, entropy)],
        agents=[_actor(agent, preview_of(config.account)) for agent in config.agents],
        chatflows=_staged(before, shown),
        past=[],
        max_open=_CAPACITY,
    )
    return made if made == present else replace(made, version=made.version + 1)


def _app(config: AccountConfig, entropy: Callable[[int], bytes]) -> App:
    return App(AppKey(f"app_{entropy(16).hex()}"), config.name, environment="preview")  # so that it leaves no figures


def _newest(config: AccountConfig, chatflow: ChatflowId) -> Chatflow:
    found = find(flows_of(config, {}), chatflow).published
    assert found is not None, "without drafts there are only published ones"
    return found


def _staged(before: Mapping[ChatflowId, Chatflow], shown: Mapping[str, Chatflow | None]) -> list[Chatflow]:
    staged = []
    for place, (preview, flow) in enumerate(shown.items(), start=1):
        known = before.get(ChatflowId(preview))
        if flow is not None:
            staged.append(_alone(flow, ChatflowId(preview), place, known))
        elif known is not None:
            staged.append(replace(known, priority=place, enabled=False))
    return staged


def _alone(flow: Chatflow, name: ChatflowId, place: int, known: Chatflow | None) -> Chatflow:
    """Return a version by itself: enabled, for every device, under a tag that is its name."""
    alone = replace(
        flow,
        id=name,
        version=known.version if known is not None else 1,
        tags=[name],
        former_tags=[],
        priority=place,
        enabled=True,
        archived=False,
        rollout=Rollout(),
        targeting=Targeting(),
        consent=replace(flow.consent, ask_again_from=0),  # versions are counted anew here
    )
    return alone if known is None or alone == known else replace(alone, version=alone.version + 1)


def _actor(agent: Agent, account: AccountId) -> Agent:
    address = f"{agent.id}@{account}"  # no form that an address can have: nobody else's either
    return replace(agent, email=address, password=_NO_HASH, capacity=_CAPACITY)
