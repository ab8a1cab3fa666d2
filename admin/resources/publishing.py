"""Publishing chatflows: checking a draft, what differs between versions, publishing, rolling back, who gets which.

Invariant: a version that was published never changes; rolling back publishes an earlier one's content as a new version.
"""

from functools import partial
from typing import Annotated, Any

from msgspec import Meta, Struct, to_builtins

from admin.http.operations import Call, Operation, Parameter
from admin.http.problems import CONFLICT, NOT_FOUND, Problem
from admin.http.replies import Reply, shown
from admin.office import Change, Office, recompiled
from admin.resources.differences import differing
from admin.resources.flows import CONTENT, SCHEMA, Flow, find, flows_of, split, with_flow
from admin.workspace.cautions import cautions
from admin.workspace.changes import changes
from admin.workspace.document import Document, flow_document
from admin.workspace.readers import Schema
from admin.workspace.versions import CannotPublish, rolled_back, version_of
from protocol.bus.config import AccountConfig
from protocol.bus.targeting import Device, serve
from store.sql.queries import changes as store_changes
from store.sql.queries.changes import Seen


class Publishing(Struct, forbid_unknown_fields=True):
    """`ask_again`: consents to process under earlier versions no longer count."""

    ask_again: bool = False


class RollingBack(Struct, forbid_unknown_fields=True):
    """Whose content is published anew; none: the version before the newest."""

    version: Annotated[int, Meta(ge=1)] | None = None


class Asking(Struct, forbid_unknown_fields=True):
    """A device that asks for a tag. `id` is what shares hang on; `at_ms` 0: now."""

    tag: Annotated[str, Meta(min_length=1, max_length=64)]
    platform: Annotated[str, Meta(max_length=20)] = "ios"
    app_version: Annotated[str, Meta(max_length=40)] = ""
    locale: Annotated[str, Meta(max_length=35)] = "en"
    id: Annotated[str, Meta(max_length=64)] = ""
    identified: bool = False
    attributes: Annotated[dict[str, str], Meta(max_length=50)] = {}
    at_ms: Annotated[int, Meta(ge=0, le=253_402_300_799_999)] = 0


_FAULTS: Schema = {
    "type": "array",
    "items": {"type": "object", "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}}},
}
_CHECKED: Schema = {
    "type": "object",
    "properties": {
        "valid": {"type": "boolean"},
        "errors": _FAULTS,
        "cautions": {"type": "array", "items": {"type": "string"}, "description": "allowed, and maybe not meant"},
    },
    "required": ["valid", "errors", "cautions"],
}
_VERSION: Schema = {
    "type": "object",
    "properties": {"version": {"type": "integer"}, "newest": {"type": "boolean"}, "content": CONTENT},
    "required": ["version", "newest", "content"],
}
_DIFFERENCE: Schema = {
    "type": "object",
    "properties": {
        "from": {"type": "string"},
        "to": {"type": "string"},
        "changes": {
            "type": "array",
            "items": {"type": "object", "properties": {"field": {"type": "string"}, "before": {}, "after": {}}},
        },
    },
    "required": ["from", "to", "changes"],
}
_SERVED: Schema = {
    "type": "object",
    "properties": {
        "chatflow": {"type": ["string", "null"]},
        "version": {"type": ["integer", "null"]},
        "held_back": {"type": "string", "description": "why not the newest version; empty if it is"},
        "passed_over": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["chatflow", "version", "passed_over"],
}
_WHICH: Schema = {"type": "string", "pattern": "^(draft|published|[1-9][0-9]{0,8})$"}


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about publishing."""
    desk, one, tag = _Desk(office), "/chatflows/{chatflow}", "chatflows"
    versions = {"type": "object", "properties": {"items": {"type": "array", "items": _VERSION}}, "required": ["items"]}
    which = (Parameter("from", _WHICH | {"default": "published"}), Parameter("to", _WHICH | {"default": "draft"}))
    return [
        Operation("POST", f"{one}/check", "check_draft", "Say what keeps the draft from being published, and cautions",
                  desk.check, "chatflows.edit", answer=_CHECKED, problems=(404,), tag=tag),
        Operation("POST", f"{one}/publish", "publish_chatflow", "Make the draft the version that phones get",
                  desk.publish, "chatflows.publish", Publishing, SCHEMA, problems=(404, 409, 412), tag=tag,
                  body_optional=True, once=True),
        Operation("POST", f"{one}/roll-back", "roll_back_chatflow", "Publish the content of an earlier version anew",
                  desk.roll_back, "chatflows.publish", RollingBack, SCHEMA, problems=(404, 409), tag=tag,
                  body_optional=True, once=True),
        Operation("GET", f"{one}/versions", "list_versions", "List the versions that are kept, newest first",
                  desk.versions, "settings.read", answer=versions, problems=(404,), tag=tag),
        Operation("GET", f"{one}/difference", "compare_versions", "Say what differs between two versions",
                  desk.difference, "settings.read", answer=_DIFFERENCE, parameters=which, problems=(404,), tag=tag),
        Operation("POST", "/chatflows/explain", "explain_serving", "Say which chatflow a device gets, and why",
                  desk.explain, "settings.read", Asking, _SERVED, tag=tag),
    ]  # fmt: skip


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def check(self, call: Call) -> Reply:
        account, cells = call.caller.account, self._office.cells
        seen = await self._office.config.transact(lambda sql: store_changes.look(sql, account, cells))
        config = seen.survey.present[account]
        flow = find(flows_of(config, seen.drafts), call.path["chatflow"])
        document, path = with_flow(config, flow)
        try:
            after = recompiled(seen, document, self._office.entropy, path)
        except Problem as problem:
            faults = [to_builtins(fault) for fault in problem.faults]
            return Reply({"valid": False, "errors": faults, "cautions": []})
        return Reply({"valid": True, "errors": [], "cautions": _of_flow(after, flow)})

    async def publish(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._published, call))

    async def roll_back(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._rolled_back, call))

    async def versions(self, call: Call) -> Reply:
        config = await self._office.present(call.caller.account)
        name = call.path["chatflow"]
        flow = find(flows_of(config, await self._office.drafts(call.caller.account)), name)
        past = sorted((one for one in config.past if one.id == name), key=lambda one: -one.version)
        kept = [flow.published, *past] if flow.published else []
        items = [
            {"version": one.version, "newest": one is flow.published, "content": split(flow_document(one))[1]}
            for one in kept
        ]
        return Reply({"items": items})

    async def difference(self, call: Call) -> Reply:
        config = await self._office.present(call.caller.account)
        flow = find(flows_of(config, await self._office.drafts(call.caller.account)), call.path["chatflow"])
        before, after = call.query.get("from", "published"), call.query.get("to", "draft")
        found = differing(_content(config, flow, before), _content(config, flow, after))
        lines = [{"field": field, "before": one, "after": other} for field, one, other in found]
        return Reply({"from": before, "to": after, "changes": lines})

    async def explain(self, call: Call) -> Reply:
        config, asking = await self._office.present(call.caller.account), call.body
        at_ms = asking.at_ms or self._office.now_ms()
        device = Device(
            asking.platform, asking.app_version, asking.locale, asking.id, at_ms, asking.identified, asking.attributes
        )
        served = serve(config, asking.tag, device)
        return Reply(
            {
                "chatflow": served.flow.id if served.flow else None,
                "version": served.flow.version if served.flow else None,
                "held_back": served.held_back,
                "passed_over": served.passed_over,
            }
        )

    def _published(self, call: Call, seen: Seen, config: AccountConfig) -> Change:
        flow = find(flows_of(config, seen.drafts), call.path["chatflow"])
        if call.if_match is not None:
            call.guard(flow.shown())
        if flow.archived:
            raise Problem(CONFLICT, "it is archived: take it out first")
        if call.body.ask_again:
            flow = _asking_again(flow)
        document, path = with_flow(config, flow)
        after = recompiled(seen, document, self._office.entropy, path)
        left = {name: draft for name, draft in seen.drafts.items() if name != flow.id}
        published = find(flows_of(after, left), flow.id)
        number = published.published.version if published.published else 0
        lines = (f"version {number}", *changes(config, after), *(f"note: {line}" for line in _of_flow(after, flow)))
        changed = after if after.version != config.version else None
        gone = {flow.id: None} if flow.id in seen.drafts else {}
        return Change("chatflow.published", f"chatflows/{flow.id}", shown(published.shown()), lines, changed, gone)

    def _rolled_back(self, call: Call, seen: Seen, config: AccountConfig) -> Change:
        flow = find(flows_of(config, seen.drafts), call.path["chatflow"])
        try:
            after = rolled_back(config, flow.id, call.body.version)
        except CannotPublish as cannot:
            raise Problem(CONFLICT, str(cannot)) from None
        shown_now = find(flows_of(after, seen.drafts), flow.id)
        changed = after if after.version != config.version else None
        lines = tuple(changes(config, after))
        return Change("chatflow.rolled_back", f"chatflows/{flow.id}", shown(shown_now.shown()), lines, changed)


def _asking_again(flow: Flow) -> Flow:
    """Return the chatflow whose next version is the first under which consents count."""
    version = flow.published.version + 1 if flow.published else 1
    consent = {**flow.content.get("consent", {}), "ask_again_from": version}
    return Flow(flow.id, flow.published, flow.live, {**flow.content, "consent": consent}, differs=True)


def _content(config: AccountConfig, flow: Flow, which: str) -> Document:
    if which == "draft":
        return flow.content
    if flow.published is None:
        raise Problem(NOT_FOUND, "it was never published")
    try:
        found = flow.published if which == "published" else version_of(config, flow.id, int(which))
    except CannotPublish as cannot:
        raise Problem(NOT_FOUND, str(cannot)) from None
    if found is flow.published:  # shown as its draft is, so that nothing differs by form alone
        return find(flows_of(config, {}), flow.id).content
    return split(flow_document(found))[1]


def _of_flow(config: AccountConfig, flow: Flow) -> list[str]:
    """Return the cautions about one chatflow."""
    about = f"chatflow {flow.id}: "
    found: list[Any] = cautions(config)
    return [line.removeprefix(about) for line in found if line.startswith(about)]
