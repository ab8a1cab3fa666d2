"""Having something done to a conversation: as an agent would, by the same command to its cell.

Invariant: the cell judges it as if the agent in whose name it is done had asked; what is done is in the audit log, and
done twice is done once.
"""

import unicodedata
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from admin.conversations.seeing import conversation_of
from admin.http.operations import Call
from admin.http.problems import CONFLICT, FORBIDDEN, INVALID, NOT_FOUND, UNAVAILABLE, Fault, Kind, Problem
from admin.http.replies import Reply
from admin.office import Office
from protocol.bus.commands import Asked, Origin
from protocol.bus.config import AccountConfig
from protocol.bus.records import Outcome
from protocol.bus.tombstones import emptied_entry
from protocol.ids import AccountId, AgentId, CellName, ConversationId, InboxId
from protocol.wire.codes import BY_WIRE, Code
from store.sql.queries import transcripts

Put = Callable[[CellName, Callable[[Origin], Asked]], Awaitable[Outcome]]  # raises Problem, Away, Refused
TicketStatus = Literal["new", "waiting_us", "waiting_visitor", "closed"]
AgentText = Annotated[str, Meta(max_length=64, description="in whose name: only of API keys, which must say so")]
_KINDS: dict[Code, Kind] = {
    Code.NOT_FOUND: NOT_FOUND,
    Code.NOT_PERMITTED: FORBIDDEN,
    Code.TOO_LARGE: INVALID,
    Code.EMPTY_TEXT: INVALID,
    Code.BAD_CONTENT: INVALID,
    Code.RATE_LIMITED: UNAVAILABLE,
    Code.OVERLOADED: UNAVAILABLE,
    Code.UNAVAILABLE: UNAVAILABLE,
}


class Acting(Struct, forbid_unknown_fields=True, kw_only=True):
    """Something to be done. `agent`: in whose name, if an API key asks."""

    agent: AgentText = ""


class Done(Struct, frozen=True):
    """It is done. `seq`, `event`: the log entry that says so; 0 and "" if it was so already, or needs none."""

    conversation: str
    seq: int
    event: str


class Whom(Struct, frozen=True):
    """Where a command goes and who asks for it. `entry`: what is left of the one that the body names by `seq`."""

    account: AccountId
    origin: Origin
    conversation: ConversationId
    agent: AgentId
    entry: bytes = b""

    @property
    def at(self) -> tuple[AccountId, Origin, ConversationId, AgentId]:
        """The first fields of most commands."""
        return self.account, self.origin, self.conversation, self.agent


class Act(Struct, frozen=True):
    """What is to be done: by which name, by which command, and what the audit log says beside."""

    name: str
    make: Callable[[Whom], Asked]
    lines: list[str] = []


class Actor:
    """Does things to conversations. `put` puts a command into a cell."""

    def __init__(self, office: Office, put: Put) -> None:
        self._office, self._put = office, put

    async def act(self, call: Call, act: Act) -> Reply:
        """Have `act` done to the conversation that the path names. Raises Problem, StoreAway, Away, Refused."""
        if (before := await self._office.answered(call)) is not None:
            return before
        found = await conversation_of(self._office, call)
        config = await self._office.present(call.caller.account)
        agent = _agent(call, config, found.head.inbox)
        entry = await self._entry(found.id, getattr(call.body, "seq", 0))

        def command(origin: Origin) -> Asked:
            return act.make(Whom(config.account, origin, found.id, agent, entry))

        outcome = await self._put(config.cell, command)
        if outcome.code:
            raise _problem(outcome)
        done = Reply(Done(found.id, outcome.seq, outcome.event))
        return await self._office.noted(call, act.name, f"conversations/{found.id}", done, f"as {agent}", *act.lines)

    async def _entry(self, conversation: ConversationId, seq: int) -> bytes:
        """Return what is left of an entry without what was said, so that the asking stores nothing again."""
        if not seq:
            return b""
        page = partial(transcripts.page, conversation=conversation, audience="staff", after_seq=seq - 1, limit=1)
        found = await self._office.record.read(page)
        return emptied_entry(found[0].frame) if found else b""


def nfc(text: str) -> str:
    """Return a text as agents' consoles have it written, too."""
    return unicodedata.normalize("NFC", text)


def _agent(call: Call, config: AccountConfig, inbox: InboxId) -> AgentId:
    """Return who does it: the user who asks, or whom a key names. Raises Problem."""
    kind, _, own = call.caller.actor.partition(":")
    named = call.body.agent
    if kind == "agent" and named not in ("", own):
        raise _wrong("a user does nothing in another's name")
    agent = own if kind == "agent" else named
    if not agent:
        raise _wrong("an API key says in whose name: an agent who works in the inbox")
    if not any(one.id == inbox and agent in one.agents for one in config.inboxes):
        raise _wrong(f"{agent} does not work in the inbox {inbox}")
    return AgentId(agent)


def _wrong(detail: str) -> Problem:
    return Problem(INVALID, "1 field is wrong", [Fault("/agent", detail)])


def _problem(outcome: Outcome) -> Problem:
    code = BY_WIRE.get(outcome.code, Code.UNAVAILABLE)
    kind = _KINDS.get(code, CONFLICT)
    headers: dict[str, Any] = {"Retry-After": "1"} if kind is UNAVAILABLE else {}
    return Problem(kind, code.text, more={"code": code.wire}, headers=headers)
