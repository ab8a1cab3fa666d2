"""The versions of chatflows: which change makes a new one, what is kept, rolling back, switching on and off.

Invariant: a published version never changes but for what is live at once; numbers only rise; the same content
published again is the same version.
"""

from collections.abc import Iterable, Sequence

import msgspec

from protocol.bus.chatflow import LIVE, Chatflow
from protocol.bus.config import AccountConfig
from protocol.ids import ChatflowId

KEPT = 50  # versions of each chatflow before the newest


class CannotPublish(Exception):
    """What was asked of a chatflow cannot be; the text says why."""


def same_content(one: Chatflow, other: Chatflow) -> bool:
    """Whether the two differ in nothing that is versioned."""
    return _content(one) == _content(other)


def publish_flows(wanted: Sequence[Chatflow], present: AccountConfig | None) -> tuple[list[Chatflow], list[Chatflow]]:
    """Return the newest versions and those before them, once `wanted` are published over what is present.

    A chatflow that is not wanted any more is archived: its conversations go on under it.
    """
    before = {flow.id: flow for flow in present.chatflows} if present else {}
    newest = [_numbered(flow, before.get(flow.id)) for flow in wanted]
    named = {flow.id for flow in newest}
    archived = [_archived(flow) for flow in before.values() if flow.id not in named]
    replaced = [before[flow.id] for flow in newest if flow.id in before and before[flow.id].version != flow.version]
    return [*newest, *archived], kept([*replaced, *(present.past if present else [])])


def kept(past: Iterable[Chatflow]) -> list[Chatflow]:
    """Return the newest of `past` for each chatflow, newest first."""
    found: list[Chatflow] = []
    count: dict[ChatflowId, int] = {}
    for flow in sorted(past, key=lambda flow: (flow.id, -flow.version)):
        count[flow.id] = count.get(flow.id, 0) + 1
        if count[flow.id] <= KEPT:
            found.append(flow)
    return found


def find(config: AccountConfig, chatflow: str) -> Chatflow:
    """Return the newest version, or raise CannotPublish."""
    flow = next((flow for flow in config.chatflows if flow.id == chatflow), None)
    if flow is None:
        raise CannotPublish(f"{config.account} has no chatflow {chatflow}")
    return flow


def version_of(config: AccountConfig, chatflow: str, version: int | None) -> Chatflow:
    """Return a version of a chatflow, the one before the newest if none is named; raises CannotPublish."""
    newest = find(config, chatflow)
    versions = sorted((flow for flow in config.past if flow.id == newest.id), key=lambda flow: -flow.version)
    if version is None and not versions:
        raise CannotPublish(f"{chatflow} has no version before {newest.version}")
    if version is None:
        return versions[0]
    found = next((flow for flow in [newest, *versions] if flow.version == version), None)
    if found is None:
        there_are = ", ".join(str(flow.version) for flow in [newest, *versions])
        raise CannotPublish(f"{chatflow} has no version {version}; kept are {there_are}")
    return found


def rolled_back(config: AccountConfig, chatflow: str, to: int | None) -> AccountConfig:
    """Return `config` with an earlier version's content published anew; raises CannotPublish."""
    newest, old = find(config, chatflow), version_of(config, chatflow, to)
    if same_content(newest, old):
        return config
    live = {name: getattr(newest, name) for name in LIVE}
    again = msgspec.structs.replace(old, **live, version=newest.version + 1)
    _refuse_dangling(config, again)
    return _with(config, again, kept([newest, *config.past]))


def switched(config: AccountConfig, chatflow: str, *, on: bool) -> AccountConfig:
    """Return `config` with the chatflow enabled or disabled; raises CannotPublish."""
    flow = find(config, chatflow)
    if on:
        _refuse_dangling(config, flow)
    return _with(config, msgspec.structs.replace(flow, enabled=on, archived=flow.archived and not on), config.past)


def put_away(config: AccountConfig, chatflow: str) -> AccountConfig:
    """Return `config` with the chatflow archived: its conversations go on under it; raises CannotPublish."""
    return _with(config, _archived(find(config, chatflow)), config.past)


def taken_out(config: AccountConfig, chatflow: str) -> AccountConfig:
    """Return `config` with an archived chatflow back, disabled; raises CannotPublish."""
    flow = find(config, chatflow)
    _refuse_dangling(config, flow)
    return _with(config, msgspec.structs.replace(flow, archived=False, enabled=False), config.past)


def _with(config: AccountConfig, flow: Chatflow, past: list[Chatflow]) -> AccountConfig:
    flows = [flow if other.id == flow.id else other for other in config.chatflows]
    changed = msgspec.structs.replace(config, chatflows=flows, past=past)
    return config if changed == config else msgspec.structs.replace(changed, version=config.version + 1)


def _refuse_dangling(config: AccountConfig, flow: Chatflow) -> None:
    """Refuse to publish what names things that are no longer there."""
    availability, heading = flow.availability, flow.heading
    subscription = flow.communicate.subscription if flow.communicate else None
    names: list[tuple[str, Iterable[str | None], Iterable[str]]] = [
        ("inbox", [flow.inbox], (inbox.id for inbox in config.inboxes)),
        ("rule", [flow.rule], (rule.id for rule in config.rules)),
        ("hours", [availability.hours, flow.targeting.schedule], (hours.id for hours in config.hours)),
        ("agent", heading.agents, (agent.id for agent in config.agents)),
        ("team", heading.teams, (team.id for team in config.teams)),
        ("subscription", [subscription], (one.id for one in config.subscriptions)),
    ]
    for what, wanted, there_are in names:
        gone = {name for name in wanted if name} - set(there_are)
        if gone:
            raise CannotPublish(f"{flow.id}, version {flow.version}: there is no {what} {sorted(gone)[0]} any more")


def _content(flow: Chatflow) -> Chatflow:
    blank = Chatflow(flow.id, 0, "", flow.inbox, [], 0, False, "", None, flow.heading)
    return msgspec.structs.replace(flow, version=0, **{name: getattr(blank, name) for name in LIVE})


def _numbered(flow: Chatflow, before: Chatflow | None) -> Chatflow:
    if before is None:
        return flow
    version = before.version if same_content(flow, before) else before.version + 1
    return msgspec.structs.replace(flow, version=version)


def _archived(flow: Chatflow) -> Chatflow:
    return msgspec.structs.replace(flow, enabled=False, archived=True)
