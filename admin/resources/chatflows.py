"""Chatflows: made, drafted, ordered, switched, cloned, put away; publishing is `publishing`'s.

Invariant: a draft may name what is not there yet, but has the right shape; what is live is checked whole before it is.
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from admin.http.operations import Call, Operation, Parameter
from admin.http.paging import PAGING, page_schema, paged, sorting
from admin.http.problems import CONFLICT, INVALID, Fault, Problem
from admin.http.replies import Reply, shown
from admin.office import Change, Office, recompiled
from admin.resources.differences import lines_between
from admin.resources.flows import (
    CONTENT,
    LIVE_SCHEMA,
    SCHEMA,
    Flow,
    block,
    edited,
    find,
    flows_of,
    kept,
    lowest,
    normal,
    split,
    with_flow,
)
from admin.resources.things import a_document, merged
from admin.workspace.changes import changes
from admin.workspace.document import Document, account_document
from admin.workspace.versions import CannotPublish, put_away, taken_out
from protocol.bus.config import AccountConfig
from protocol.ids import ChatflowId
from store.sql.queries.changes import Seen

IdText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
TagText = Annotated[str, Meta(min_length=1, max_length=64)]


class NewChatflow(Struct, forbid_unknown_fields=True):
    """What a chatflow needs; every other field has a default."""

    id: IdText
    name: Name
    inbox: IdText
    language: Annotated[str, Meta(min_length=2, max_length=35)]
    tag: TagText
    kind: Literal["live_agent"] = "live_agent"
    knowledge_base: bool = False


class Clone(Struct, forbid_unknown_fields=True):
    """What the copy is called."""

    id: IdText
    name: Name


class Order(Struct, forbid_unknown_fields=True):
    """All chatflows that are not archived, the one that is served first first."""

    chatflows: Annotated[list[IdText], Meta(max_length=10_000)]


_CHANGED = (404, 409, 412, 428)
_FILTERS = (
    Parameter("archived", {"type": "boolean", "default": False}, "those that are put away"),
    Parameter("enabled", {"type": "boolean"}),
    Parameter("tag", {"type": "string", "maxLength": 64}, "those that answer to it, by a former tag too"),
)


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about chatflows and their drafts."""
    desk, one = _Desk(office), "/chatflows/{chatflow}"
    ordered = {"type": "object", "properties": {"chatflows": {"type": "array"}}, "required": ["chatflows"]}
    patched = a_document({"type": "object", "description": "the fields that change; null takes one away"})
    live = a_document({"type": "object", "properties": LIVE_SCHEMA, "additionalProperties": False})
    return [
        Operation("GET", "/chatflows", "list_chatflows", "List the chatflows", desk.list, "settings.read",
                  answer=page_schema(SCHEMA), parameters=(*PAGING, sorting("id", "priority"), *_FILTERS),
                  tag="chatflows"),
        Operation("POST", "/chatflows", "create_chatflow", "Make a chatflow: unpublished, disabled, served last",
                  desk.create, "chatflows.edit", NewChatflow, SCHEMA, 201, problems=(409,), once=True, tag="chatflows"),
        Operation("GET", "/chatflows/order", "get_order", "Say which chatflow is served before which", desk.get_order,
                  "settings.read", answer=ordered, tag="chatflows"),
        Operation("PUT", "/chatflows/order", "order_chatflows", "Have chatflows served in another order",
                  desk.order, "chatflows.publish", Order, ordered, problems=(409, 412, 428), guarded=True,
                  tag="chatflows"),
        Operation("GET", one, "get_chatflow", "Read a chatflow", desk.get, "settings.read", answer=SCHEMA,
                  problems=(404,), tag="chatflows"),
        Operation("PATCH", one, "switch_chatflow", "Change what is live at once: on and off, tags, rollout",
                  desk.switch, "chatflows.publish", live, SCHEMA, problems=_CHANGED, guarded=True, tag="chatflows"),
        Operation("PUT", f"{one}/draft", "replace_draft", "Replace the draft", desk.draft, "chatflows.edit",
                  a_document(CONTENT), SCHEMA, problems=_CHANGED, guarded=True, tag="chatflows"),
        Operation("PATCH", f"{one}/draft", "change_draft", "Change fields of the draft", desk.patch_draft,
                  "chatflows.edit", patched, SCHEMA, problems=_CHANGED, guarded=True, tag="chatflows"),
        Operation("DELETE", f"{one}/draft", "discard_draft", "Discard the draft; of an unpublished chatflow, all of it",
                  desk.discard, "chatflows.edit", answer=SCHEMA, problems=_CHANGED, guarded=True, tag="chatflows",
                  or_nothing=True),
        Operation("POST", f"{one}/clone", "clone_chatflow", "Make another chatflow of the draft", desk.clone,
                  "chatflows.edit", Clone, SCHEMA, 201, problems=(404, 409), once=True, tag="chatflows"),
        Operation("POST", f"{one}/archive", "archive_chatflow", "Put a chatflow away; its conversations go on",
                  desk.archive, "chatflows.publish", answer=SCHEMA, problems=(404, 409), tag="chatflows"),
        Operation("POST", f"{one}/take-out", "take_out_chatflow", "Take an archived chatflow out again, disabled",
                  desk.take_out, "chatflows.publish", answer=SCHEMA, problems=(404, 409), tag="chatflows"),
    ]  # fmt: skip


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def list(self, call: Call) -> Reply:
        flows = await self._flows(call)
        archived, tag, enabled = (call.query.get(name) for name in ("archived", "tag", "enabled"))
        things = [
            flow.shown()
            for flow in flows.values()
            if flow.archived is bool(archived)
            and (tag is None or tag in flow.live["tags"] or tag in flow.live.get("former_tags", []))
            and (enabled is None or flow.live["enabled"] is enabled)
        ]
        return paged(call, things, "id")

    async def get(self, call: Call) -> Reply:
        return shown(find(await self._flows(call), call.path["chatflow"]).shown())

    async def create(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._created, call))

    async def clone(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._cloned, call))

    async def draft(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._drafted, call, lambda _: call.plain))

    async def patch_draft(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._drafted, call, partial(merged, patch=call.plain)))

    async def discard(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._discarded, call))

    async def switch(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._switched, call))

    async def get_order(self, call: Call) -> Reply:
        return shown(_order(await self._flows(call)))

    async def order(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._ordered, call))

    async def archive(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._moved, call, "archived"))

    async def take_out(self, call: Call) -> Reply:
        return await self._office.change(call, partial(self._moved, call, "taken_out"))

    async def _flows(self, call: Call) -> dict[str, Flow]:
        config = await self._office.present(call.caller.account)
        return flows_of(config, await self._office.drafts(call.caller.account))

    def _created(self, call: Call, seen: Seen, config: AccountConfig) -> Change:
        new: NewChatflow = call.body
        if new.knowledge_base:
            raise Problem(
                INVALID, "the knowledge base is not in this version", [Fault("/knowledge_base", "must be false")]
            )
        live = {"enabled": False, "tags": [new.tag]}
        content = {"name": new.name, "inbox": new.inbox, "language": new.language, "kind": new.kind}
        return self._begun(call, seen, config, {"id": new.id, **live, **content})

    def _cloned(self, call: Call, seen: Seen, config: AccountConfig) -> Change:
        copied, clone = find(flows_of(config, seen.drafts), call.path["chatflow"]), call.body
        live = {"enabled": False, "tags": copied.live["tags"]}
        return self._begun(call, seen, config, {**copied.content, **live, "id": clone.id, "name": clone.name})

    def _begun(self, call: Call, seen: Seen, config: AccountConfig, said: Document) -> Change:
        """Keep a chatflow that is unpublished, disabled and of the lowest priority."""
        flows = flows_of(config, seen.drafts)
        if said["id"] in flows:
            raise Problem(CONFLICT, f"there is a chatflow {said['id']} already", [Fault("/id", "is used")])
        if said["inbox"] not in {inbox.id for inbox in config.inboxes}:
            raise Problem(INVALID, "it arrives in no inbox that there is", [Fault("/inbox", "there is no such inbox")])
        live, content = split(normal(config, {**said, "priority": lowest(flows)}))
        flow = Flow(ChatflowId(said["id"]), None, live, content, differs=True)
        reply = shown(flow.shown(), 201, {"Location": f"/api/v1/chatflows/{flow.id}"})
        return self._change(call, "chatflow.created", flow, reply, ())

    def _drafted(self, call: Call, make: Any, seen: Seen, config: AccountConfig) -> Change:
        flow = self._guarded(call, seen, config, {"draft": call.plain})
        content = make(flow.content)
        foreign = [name for name in content if name in (*LIVE_SCHEMA, "id")]
        if foreign:
            why = "is live at once, and not part of a draft"
            raise Problem(INVALID, "a draft holds what is versioned", [Fault(f"/{name}", why) for name in foreign])
        _, normalised = split(normal(config, block(flow.id, flow.live, content)))
        drafted = edited(config, flow, normalised)
        lines = tuple(line for line in lines_between(flow.content, normalised))
        return self._change(call, "chatflow.drafted", drafted, shown(drafted.shown()), lines)

    def _discarded(self, call: Call, seen: Seen, config: AccountConfig) -> Change:
        flow = self._guarded(call, seen, config)
        if flow.published is None:
            return Change("chatflow.removed", f"chatflows/{flow.id}", Reply(None), drafts={flow.id: None})
        clean = find(flows_of(config, {}), flow.id)
        return self._change(call, "chatflow.draft_discarded", clean, shown(clean.shown()), ())

    def _switched(self, call: Call, seen: Seen, config: AccountConfig) -> Change:
        """Change what is live at once."""
        flow = self._guarded(call, seen, config)
        foreign = [name for name in call.plain if name not in LIVE_SCHEMA]
        if foreign:
            raise Problem(INVALID, "this is not live at once", [Fault(f"/{name}", "is none of it") for name in foreign])
        if flow.archived or (flow.published is None and call.plain.get("enabled") is True):
            raise Problem(CONFLICT, "it is archived" if flow.archived else "publish it before you enable it")
        live, _ = split(normal(config, block(flow.id, merged(flow.live, call.plain), flow.content)))
        if flow.published is None:
            unpublished = Flow(flow.id, None, live, flow.content, differs=True)
            return self._change(call, "chatflow.switched", unpublished, shown(unpublished.shown()), ())
        published = find(flows_of(config, {}), flow.id)
        document, path = with_flow(config, Flow(flow.id, flow.published, live, published.content, differs=False))
        return self._live(seen, config, recompiled(seen, document, self._office.entropy, path), flow.id, "switched")

    def _ordered(self, call: Call, seen: Seen, config: AccountConfig) -> Change:
        flows = {name: flow for name, flow in flows_of(config, seen.drafts).items() if not flow.archived}
        call.guard(_order(flows))
        wanted: list[str] = call.body.chatflows
        if sorted(wanted) != sorted(flows):
            missing, strange = sorted(set(flows) - set(wanted)), sorted(set(wanted) - set(flows))
            detail = f"name each chatflow once; missing: {', '.join(missing) or 'none'}; unknown: {len(strange)}"
            raise Problem(INVALID, detail, [Fault("/chatflows", "is not all of them, each once")])
        places = {name: place for place, name in enumerate(wanted, 1)}
        document = account_document(config)
        for each in document["chatflows"]:
            each["priority"] = places[each["id"]]
        after = recompiled(seen, document, self._office.entropy, "")
        moved = [
            Flow(flow.id, None, flow.live | {"priority": places[flow.id]}, flow.content, differs=True)
            for flow in flows.values()
            if flow.published is None
        ]
        drafts = {flow.id: kept(flow, self._office.now_ms(), call.caller.actor) for flow in moved}
        lines = tuple(f"{place}: {name}" for place, name in enumerate(wanted, 1))
        changed = after if after.version != config.version else None
        return Change("chatflows.ordered", "chatflows", shown({"chatflows": wanted}), lines, changed, drafts)

    def _moved(self, call: Call, where: Literal["archived", "taken_out"], seen: Seen, config: AccountConfig) -> Change:
        flow = find(flows_of(config, seen.drafts), call.path["chatflow"])
        if flow.published is None:
            raise Problem(CONFLICT, "it was never published: remove its draft")
        try:
            after = (put_away if where == "archived" else taken_out)(config, flow.id)
        except CannotPublish as cannot:
            raise Problem(CONFLICT, str(cannot)) from None
        if where == "taken_out":
            after = recompiled(seen, account_document(after), self._office.entropy, "") if after != config else after
        return self._live(seen, config, after, flow.id, where)

    def _live(self, seen: Seen, config: AccountConfig, after: AccountConfig, name: str, did: str) -> Change:
        flow = find(flows_of(after, seen.drafts), name)
        changed = after if after.version != config.version else None
        lines = tuple(changes(config, after))
        return Change(f"chatflow.{did}", f"chatflows/{name}", shown(flow.shown()), lines, changed)

    def _guarded(self, call: Call, seen: Seen, config: AccountConfig, wanted: Any = None) -> Flow:
        flow = find(flows_of(config, seen.drafts), call.path["chatflow"])
        call.guard(flow.shown(), wanted)
        return flow

    def _change(self, call: Call, action: str, flow: Flow, reply: Reply, lines: tuple[str, ...]) -> Change:
        draft = kept(flow, self._office.now_ms(), call.caller.actor)
        return Change(action, f"chatflows/{flow.id}", reply, lines, drafts={flow.id: draft})


def _order(flows: Mapping[str, Flow]) -> Document:
    """Return which chatflow is served before which; archived ones are not."""
    served = [flow for flow in flows.values() if not flow.archived]
    return {"chatflows": [flow.id for flow in sorted(served, key=lambda flow: (flow.live["priority"], flow.id))]}
