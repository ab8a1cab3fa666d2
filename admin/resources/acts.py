"""What can be done to a conversation: closed, tagged, put off, handed on, its ticket set, a message removed.

Invariant: each is the command that an agent's console would send, judged by the cell alone.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from admin.conversations.acting import Act, Acting, Actor, Done, TicketStatus, Whom, nfc
from admin.http.operations import Call, Operation
from admin.http.problems import INVALID, Fault, Problem
from admin.http.replies import Reply
from protocol.bus import commands
from protocol.bus.staff import Priority
from protocol.ids import AgentId, TeamId

Tag = Annotated[str, Meta(min_length=1, max_length=50)]
Tags = Annotated[list[Tag], Meta(max_length=50)]
FieldName = Annotated[str, Meta(min_length=1, max_length=64)]
FieldValue = Annotated[str, Meta(max_length=500)]
Seq = Annotated[int, Meta(ge=1, le=2**53)]


class Closing(Acting, kw_only=True):
    """`spam`: for that reason, so nobody is asked how it went. `close_ticket`: the ticket, too."""

    spam: bool = False
    close_ticket: bool = False


class Tagging(Acting, kw_only=True):
    """Tags to put on and to take off; one that is in both is put on."""

    add: Tags = []
    remove: Tags = []


class Filling(Acting, kw_only=True):
    """Custom fields by their names; "" removes one."""

    fields: Annotated[dict[FieldName, FieldValue], Meta(max_length=50)]


class Weighing(Acting, kw_only=True):
    """Its priority in the queue, and its ticket's."""

    priority: Priority


class Snoozing(Acting, kw_only=True):
    """Until when it is put off, in milliseconds since 1970; 0 wakes it."""

    until_ms: Annotated[int, Meta(ge=0, le=2**53)]


class Redacting(Acting, kw_only=True):
    """The message or note to remove for good."""

    seq: Seq


class Blocking(Acting, kw_only=True):
    """Whether its visitor may write no more."""

    on: bool


class Settling(Acting, kw_only=True):
    """What the ticket's status is from now on; the next word changes it. Where there is no ticket, this opens one."""

    status: TicketStatus


class Handing(Acting, kw_only=True):
    """To an agent who is connected, or to a team. `force`: above the agent's capacity, by a supervisor."""

    to: Annotated[str, Meta(max_length=64)] = ""
    team: Annotated[str, Meta(max_length=64)] = ""
    note: Annotated[str, Meta(max_length=10_000)] = ""
    force: bool = False


class _Kind(Struct, frozen=True):
    """One thing that can be done. `lines`: what the audit log says of it beside whose conversation it was."""

    name: str
    action: str
    summary: str
    body: type[Acting]
    make: Callable[[Whom, Any], Any]
    lines: Callable[[Any], list[str]] = lambda _: []


def _handed(whom: Whom, body: Handing) -> commands.TransferConversation:
    if bool(body.to) == bool(body.team):
        raise Problem(INVALID, "1 field is wrong", [Fault("/to", "an agent or a team, and not both")])
    account, origin, conversation, agent = whom.at
    team = TeamId(body.team) if body.team else None
    to = AgentId(body.to)
    return commands.TransferConversation(account, origin, agent, conversation, to, nfc(body.note), team, body.force)


def _tagged(whom: Whom, body: Tagging) -> commands.ChangeTags:
    return commands.ChangeTags(*whom.at, [nfc(tag) for tag in body.add], [nfc(tag) for tag in body.remove])


def _filled(whom: Whom, body: Filling) -> commands.SetFields:
    return commands.SetFields(*whom.at, {nfc(name): nfc(value) for name, value in body.fields.items()})


_KINDS: Final = (
    _Kind("close_conversation", "close", "Close a conversation", Closing,
          lambda whom, body: commands.AgentCloses(*whom.at, body.spam, body.close_ticket),
          lambda body: ["as spam"] if body.spam else []),
    _Kind("tag_conversation", "tags", "Put tags on a conversation, and take them off", Tagging, _tagged),
    _Kind("fill_conversation", "fields", "Set custom fields of a conversation", Filling, _filled),
    _Kind("prioritise_conversation", "priority", "Set the priority of a conversation", Weighing,
          lambda whom, body: commands.SetPriority(*whom.at, body.priority), lambda body: [body.priority]),
    _Kind("snooze_conversation", "snooze", "Put a conversation off", Snoozing,
          lambda whom, body: commands.SnoozeConversation(*whom.at, body.until_ms),
          lambda body: [f"until {body.until_ms}"]),
    _Kind("transfer_conversation", "transfer", "Hand a conversation on", Handing, _handed,
          lambda body: [f"to agents/{body.to}" if body.to else f"to teams/{body.team}"]),
    _Kind("set_ticket_of_conversation", "ticket", "Set the status of a conversation's ticket", Settling,
          lambda whom, body: commands.SetTicket(*whom.at, body.status), lambda body: [body.status]),
    _Kind("redact_entry", "redact", "Remove one message or note for good", Redacting,
          lambda whom, body: commands.RedactMessage(*whom.at, body.seq, whom.entry),
          lambda body: [f"entry {body.seq}"]),
    _Kind("block_visitor", "block", "Let the visitor write no more, or again", Blocking,
          lambda whom, body: commands.BlockVisitor(*whom.at, body.on), lambda body: ["on" if body.on else "off"]),
)  # fmt: skip


def operations(actor: Actor) -> list[Operation]:
    """Return what can be done to conversations."""

    async def act(call: Call, kind: _Kind) -> Reply:
        lines = kind.lines(call.body)
        return await actor.act(call, Act(f"conversation.{kind.action}", lambda whom: kind.make(whom, call.body), lines))

    return [
        Operation("POST", f"/conversations/{{conversation}}/{kind.action}", kind.name, kind.summary,
                  partial(act, kind=kind), "conversations.edit", kind.body, Done, problems=(404, 409),
                  tag="conversations", once=True)
        for kind in _KINDS
    ]  # fmt: skip
