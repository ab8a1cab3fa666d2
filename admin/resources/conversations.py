"""Conversations: found, read, searched, and taken along as text or JSON.

Invariant: nothing here changes one. What is behind a gate, was erased, or is in an inbox that the caller does not see
is not there; of a log only what the asked audience may see.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
import orjson
from msgspec import UNSET, Struct, UnsetType

from admin.conversations.cards import ConversationCard, ConversationWhole, cards, whole
from admin.conversations.looking import Looked, Search, look_through
from admin.conversations.seeing import AUDIENCE, NOTES, audience_of, conversation_of, inboxes_of
from admin.conversations.transcript import lines
from admin.http.operations import Call, Operation, Parameter
from admin.http.paging import CURSOR, PAGING, cursor_of, key_of, limit_of, sorting
from admin.http.problems import NOT_FOUND, Problem
from admin.http.replies import Reply
from admin.office import Office
from protocol.ids import AgentId, ConversationId
from protocol.wire.content import Event
from store.sql.queries import conversations, transcripts
from store.sql.queries.audit import StoredEvent
from store.sql.queries.conversations import Place, Sought, Span
from store.sql.queries.history import Audience

EXPORTED = 10_000  # entries of one file
_NEXT = "Next-Cursor"
_EVENT = msgspec.msgpack.Decoder(Event)
_WORD = {"type": "string", "maxLength": 128}
_TIME = {"type": "integer", "minimum": 0}
_FILTERS = (
    Parameter("query", {"type": "string", "minLength": 1, "maxLength": 200}, "words of one message, in any case"),
    Parameter("status", {"type": "string", "enum": ["open", "snoozed", "closed", "parked"]}),
    Parameter("inbox", _WORD),
    Parameter("chatflow", _WORD),
    Parameter("environment", {"type": "string", "enum": ["production", "test"]}, "of the app it was begun in"),
    Parameter("agent", _WORD, "who has it, or had it last"),
    Parameter("team", _WORD, "a member of it has it, or had it last"),
    Parameter("tag", _WORD),
    Parameter("contact", _WORD, "of every visitor who is known as it"),
    Parameter("visitor", _WORD),
    Parameter("opened_from_ms", _TIME, "begun at this time or later"),
    Parameter("opened_to_ms", _TIME, "begun before"),
    Parameter("closed_from_ms", _TIME, "closed at this time or later, and not open again"),
    Parameter("closed_to_ms", _TIME, "closed before, and not open again"),
)
_PLAIN = ("status", "inbox", "chatflow", "environment", "tag", "contact", "visitor")


class ConversationPage(Struct, omit_defaults=True):
    items: list[ConversationCard]
    next: str | UnsetType = UNSET


class Entry(Struct, frozen=True):
    """An entry of a log. `body`: what happened, by its `kind`, as SPEC 7 says; redacted, its text is empty."""

    seq: int
    id: str
    at_ms: int
    body: dict[str, Any]


class EntryPage(Struct, omit_defaults=True):
    items: list[Entry]
    next: str | UnsetType = UNSET


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about conversations."""
    desk = _Desk(office)
    one, log = "/conversations/{conversation}", "/conversations/{conversation}/messages"
    whole_log = f"at most {EXPORTED} entries; the header {_NEXT} says where it goes on"
    return [
        Operation("GET", "/conversations", "list_conversations", "Find conversations, by when they were begun",
                  desk.listed, "conversations.read", answer=ConversationPage, problems=(404,), tag="conversations",
                  parameters=(*PAGING, sorting("opened"), *_FILTERS)),
        Operation("GET", one, "get_conversation", "Read a conversation", desk.read, "conversations.read",
                  answer=ConversationWhole, problems=(404,), tag="conversations"),
        Operation("GET", log, "list_entries", "Read a conversation's log, oldest first", desk.entries,
                  "conversations.read", answer=EntryPage, problems=(404,), tag="conversations",
                  parameters=(*PAGING, AUDIENCE)),
        Operation("GET", f"{one}/transcript.txt", "export_transcript_text", f"What was said, as text: {whole_log}",
                  desk.as_text, "conversations.read", answer={"type": "string"}, media="text/plain", problems=(404,),
                  tag="conversations", parameters=(CURSOR, AUDIENCE)),
        Operation("GET", f"{one}/transcript.json", "export_transcript", f"The log as JSON: {whole_log}", desk.as_json,
                  "conversations.read", answer={"type": "array", "items": {"type": "object"}}, problems=(404,),
                  tag="conversations", parameters=(CURSOR, AUDIENCE)),
    ]  # fmt: skip


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def listed(self, call: Call) -> Reply:
        key, account = key_of(call, (int, str)), call.caller.account
        falls = call.query.get("sort", "-opened") == "-opened"
        place = Place((int(key[0] or 0), str(key[1])) if key else None, falls)
        words = transcripts.words_of(call.query.get("query", ""))
        if words:
            audience: Audience = "staff" if NOTES in call.caller.scopes else "visitor"
            search = Search(account, await _sought(self._office, call), words, audience)
            looked = await look_through(self._office.record, search, place, limit_of(call))
        else:
            looked = await _page(self._office, call, place)
        shown = await self._office.record.read(partial(cards, account=account, found=looked.found))
        if words:
            shown = [msgspec.structs.replace(card, matches=looked.matches[card.id]) for card in shown]
        return Reply(ConversationPage(shown, UNSET if looked.after is None else cursor_of([*looked.after])))

    async def read(self, call: Call) -> Reply:
        found = await conversation_of(self._office, call)
        return Reply(await self._office.record.read(partial(whole, account=call.caller.account, found=found)))

    async def entries(self, call: Call) -> Reply:
        found, following = await _entries(self._office, call, limit_of(call))
        return Reply(EntryPage([_shown(entry, audience_of(call)) for entry in found], following or UNSET))

    async def as_text(self, call: Call) -> Reply:
        found, following = await _entries(self._office, call, EXPORTED)
        text = "".join(f"{line}\n" for line in lines(found, audience_of(call)))
        return _file(text.encode(), call, "txt", following)

    async def as_json(self, call: Call) -> Reply:
        found, following = await _entries(self._office, call, EXPORTED)
        told = [msgspec.to_builtins(_shown(entry, audience_of(call))) for entry in found]
        return _file(orjson.dumps(told, option=orjson.OPT_INDENT_2), call, "json", following)


async def _sought(office: Office, call: Call) -> Sought:
    query = call.query
    return Sought(
        await inboxes_of(office, call),
        agents=await _agents(office, call),
        opened=Span(query.get("opened_from_ms"), query.get("opened_to_ms")),
        closed=Span(query.get("closed_from_ms"), query.get("closed_to_ms")),
        **{name: query[name] for name in _PLAIN if name in query},
    )


async def _agents(office: Office, call: Call) -> list[AgentId] | None:
    """Return whose conversations are meant; None: anybody's."""
    named = [AgentId(call.query["agent"])] if "agent" in call.query else None
    if "team" not in call.query:
        return named
    config = await office.present(call.caller.account)
    team = next((team for team in config.teams if team.id == call.query["team"]), None)
    if team is None:
        raise Problem(NOT_FOUND, "there is no such team")
    return list(team.members) if named is None else [agent for agent in named if agent in team.members]


async def _page(office: Office, call: Call, place: Place) -> Looked:
    limit, sought = limit_of(call), await _sought(office, call)
    page = partial(conversations.page, account=call.caller.account, sought=sought, place=place, limit=limit + 1)
    found = await office.record.read(page)
    last = found[limit - 1] if len(found) > limit else None
    return Looked(found[:limit], after=None if last is None else (last.opened_at_ms, last.id))


async def _entries(office: Office, call: Call, limit: int) -> tuple[Sequence[StoredEvent], str]:
    """Return a page of the log, and the cursor of the next one, "" if there is none."""
    audience, key = audience_of(call), key_of(call, (int,))
    found = await conversation_of(office, call)
    page = partial(transcripts.page, conversation=ConversationId(found.id), audience=audience, limit=limit + 1)
    entries = await office.record.read(partial(page, after_seq=int(key[0] or 0) if key else 0))
    return entries[:limit], cursor_of([entries[limit - 1].seq]) if len(entries) > limit else ""


def _shown(entry: StoredEvent, audience: Audience) -> Entry:
    event = _EVENT.decode(entry.frame_for(audience))
    body: dict[str, Any] = msgspec.to_builtins(event.body)
    return Entry(entry.seq, entry.id, event.at, body)


def _file(body: bytes, call: Call, form: str, following: str) -> Reply:
    named = {"Content-Disposition": f'attachment; filename="{call.path["conversation"]}.{form}"'}
    return Reply(body, headers=named | ({_NEXT: following} if following else {}))
