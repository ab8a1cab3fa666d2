"""Tickets of help desks: found by number, status, priority, inbox.

Invariant: a ticket is seen by who may see its conversation.
"""

import re
from dataclasses import asdict
from functools import partial
from typing import Final, get_args

from msgspec import UNSET, Struct, UnsetType

from admin.conversations.acting import TicketStatus
from admin.conversations.seeing import inboxes_of
from admin.http.operations import Call, Operation, Parameter
from admin.http.paging import PAGING, following, key_of, limit_of, sorting
from admin.http.problems import NOT_FOUND, Problem
from admin.http.replies import Reply
from admin.office import Office
from protocol.bus.staff import PRIORITIES
from store.sql.queries import tickets
from store.sql.queries.conversations import Place
from store.sql.queries.tickets import Ticket, Wanted

_NUMBER: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_STATUS: Final = get_args(TicketStatus)
_WORD = {"type": "string", "maxLength": 128}


class TicketCard(Struct, frozen=True):
    """The ticket of a conversation. `number` counts the account's tickets, in the order in which they were opened."""

    number: int
    conversation: str
    inbox: str
    status: str
    priority: str
    opened_at_ms: int
    changed_at_ms: int


class TicketPage(Struct, omit_defaults=True):
    items: list[TicketCard]
    next: str | UnsetType = UNSET


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about tickets."""

    async def listed(call: Call) -> Reply:
        query, limit, key = call.query, limit_of(call), key_of(call, (int,))
        told = {name: query[name] for name in ("status", "priority", "inbox") if name in query}
        wanted = Wanted(await inboxes_of(office, call), **told)
        place = Place((int(key[0] or 0), "") if key else None, query.get("sort", "-number") == "-number")
        page = partial(tickets.page, account=call.caller.account, wanted=wanted, place=place, limit=limit + 1)
        found = await office.record.read(page)
        cards = [_card(ticket) for ticket in found[:limit]]
        return Reply(TicketPage(cards, following(found, limit, lambda last: [last.number])))

    async def read(call: Call) -> Reply:
        said = call.path["ticket"]
        number = int(said) if _NUMBER.fullmatch(said) else 0
        seen = partial(tickets.numbered, account=call.caller.account, inboxes=await inboxes_of(office, call))
        found = await office.record.read(partial(seen, number=number))
        if found is None:
            raise Problem(NOT_FOUND, "there is no such ticket")
        return Reply(_card(found))

    return [
        Operation("GET", "/tickets", "list_tickets", "Find tickets, by their number", listed, "conversations.read",
                  answer=TicketPage, tag="tickets", parameters=(
                      *PAGING, sorting("number"), Parameter("status", {"type": "string", "enum": [*_STATUS]}),
                      Parameter("priority", {"type": "string", "enum": [*PRIORITIES]}), Parameter("inbox", _WORD))),
        Operation("GET", "/tickets/{ticket}", "get_ticket", "Read the ticket of a number", read, "conversations.read",
                  answer=TicketCard, problems=(404,), tag="tickets"),
    ]  # fmt: skip


def _card(ticket: Ticket) -> TicketCard:
    return TicketCard(**asdict(ticket))
