"""Chatflows as REST sees them: what is live at once, the published version, and the draft of the next one.

Invariant: a draft is kept only while it differs from what is published; of a chatflow that was never published it also
holds what will be live.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from admin.http.problems import NOT_FOUND, Problem
from admin.http.reading import fault_of, invalid
from admin.workspace.compile import headed
from admin.workspace.document import Document, account_document, flow_document
from admin.workspace.flows import CHATFLOW
from admin.workspace.places import tree
from admin.workspace.readers import Schema
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig
from protocol.ids import ChatflowId
from store.sql.queries.drafts import Draft

LIVE = ("enabled", "priority", "tags", "former_tags", "rollout")  # beside archived, which has operations of its own
_FIELDS: dict[str, Any] = CHATFLOW.schema["properties"]
LIVE_SCHEMA: Schema = {name: _FIELDS[name] for name in LIVE}
CONTENT: Schema = {
    "type": "object",
    "title": "ChatflowContent",
    "description": "what is versioned; every field but name, inbox and language has a default",
    "properties": {name: each for name, each in _FIELDS.items() if name not in LIVE and name != "id"},
    "required": ["name", "inbox", "language"],
    "additionalProperties": False,
}
SCHEMA: Schema = {
    "type": "object",
    "title": "Chatflow",
    "properties": {
        "id": _FIELDS["id"],
        "published": {"type": ["integer", "null"], "description": "the version that phones get; null: none yet"},
        "archived": {"type": "boolean"},
        **LIVE_SCHEMA,
        "draft_differs": {"type": "boolean", "description": "whether publishing would change anything"},
        "draft": CONTENT,
    },
    "required": ["id", "published", "archived", "enabled", "priority", "tags", "draft_differs", "draft"],
}


@dataclass(frozen=True, slots=True)
class Flow:
    """A chatflow. `live` and `content` are documents; `content` is the draft's, or what is published."""

    id: ChatflowId
    published: Chatflow | None
    live: Document
    content: Document
    differs: bool

    @property
    def archived(self) -> bool:
        """Whether it is put away."""
        return self.published is not None and self.published.archived

    def shown(self) -> Document:
        """Return what REST shows."""
        return {
            "id": self.id,
            "published": self.published.version if self.published else None,
            "archived": self.archived,
            **self.live,
            "draft_differs": self.differs,
            "draft": self.content,
        }

    def block(self) -> Document:
        """Return the chatflow of a workspace file that publishing the draft comes to."""
        return block(self.id, self.live, self.content)


def block(name: str, live: Document, content: Document) -> Document:
    """Return the chatflow of a workspace file that these come to."""
    return {"id": name, **live, **content}


def flows_of(config: AccountConfig, drafts: dict[ChatflowId, Draft]) -> dict[str, Flow]:
    """Return every chatflow of an account, those that are no more than drafts too."""
    published: dict[str, Flow] = {flow.id: _flow(config, flow, drafts.get(flow.id)) for flow in config.chatflows}
    return {**published, **{name: _unpublished(draft) for name, draft in drafts.items() if name not in published}}


def find(flows: dict[str, Flow], name: str) -> Flow:
    """Return a chatflow, or raise Problem."""
    if name not in flows:
        raise Problem(NOT_FOUND, "there is no chatflow of that name")
    return flows[name]


def split(block: Document) -> tuple[Document, Document]:
    """Return what of a chatflow's document is live, and what is content."""
    live = {name: block[name] for name in LIVE if name in block}
    return live, {name: value for name, value in block.items() if name not in LIVE and name != "id"}


def with_flow(config: AccountConfig, flow: Flow) -> tuple[Document, str]:
    """Return the account's document with the draft of `flow` in it, and the path of the chatflow there."""
    document = account_document(config)
    blocks = document["chatflows"]
    at = next((at for at, block in enumerate(blocks) if block["id"] == flow.id), len(blocks))
    blocks[at : at + 1] = [flow.block()]
    return document, f"chatflows[{at + 1}]"


def kept(flow: Flow, at_ms: int, by: str) -> Draft | None:
    """Return what is kept of a chatflow's draft; None if there is nothing to keep."""
    if flow.published is not None and not flow.differs:
        return None
    document = flow.content if flow.published else {**flow.live, **flow.content}
    return Draft(flow.id, orjson.dumps(document), at_ms, by)


def edited(config: AccountConfig, flow: Flow, content: Document) -> Flow:
    """Return the chatflow with another draft."""
    same = flow.published is not None and content == split(_linked(config, flow.published))[1]
    return Flow(flow.id, flow.published, flow.live, content, not same)


def lowest(flows: dict[str, Flow]) -> int:
    """Return a priority after those of all chatflows."""
    return max((flow.live.get("priority", 0) for flow in flows.values()), default=0) + 1


def normal(config: AccountConfig, said: Document) -> Document:
    """Return a chatflow's document with its defaults in it; raises Problem if it has not the shape of one."""
    place = tree(said)
    placed = place.read(CHATFLOW)
    if placed is None or place.mistakes:
        raise invalid([fault_of(mistake) for mistake in place.mistakes])
    flow, linked = placed.thing, said.get("survey")
    default = next((inbox.default_rule for inbox in config.inboxes if inbox.id == flow.inbox), None)
    named = msgspec.structs.replace(flow, rule=flow.rule or default, heading=headed(flow.heading, config.name))
    found = flow_document(named)
    if not flow.rule and default is None:
        del found["rule"]  # of an inbox that is not there
    return found | ({"survey": linked} if isinstance(linked, str) else {})


def _flow(config: AccountConfig, published: Chatflow, draft: Draft | None) -> Flow:
    live, content = split(_linked(config, published))
    flow = Flow(published.id, published, live, content, differs=False)
    if draft is None:
        return flow
    return Flow(flow.id, published, flow.live, orjson.loads(draft.document), differs=True)


def _linked(config: AccountConfig, flow: Chatflow) -> Document:
    """Return the document of a version; a survey that is as the account has it is a link."""
    document = flow_document(flow)
    return document | {"survey": flow.survey.id} if flow.survey and flow.survey in config.surveys else document


def _unpublished(draft: Draft) -> Flow:
    live, content = split(orjson.loads(draft.document))
    return Flow(draft.chatflow, None, live, content, differs=True)
