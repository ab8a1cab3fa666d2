"""Lists in pages: filters, order, and a cursor that goes on after the last that was shown.

Invariant: a cursor is the sort key of the last item: what comes or goes in between makes none skipped or shown twice.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from admin.http.operations import Call, Parameter
from admin.http.problems import MALFORMED, Problem
from admin.http.replies import Reply
from admin.workspace.readers import Schema
from store.sql.order import Order

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
LIMIT = Parameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}, "of a page"
)
# A name of 200 characters of four bytes and an id are 870 bytes, and a third more in Base64.
CURSOR = Parameter("cursor", {"type": "string", "maxLength": 1_500}, "`next` of the page before")
PAGING = (LIMIT, CURSOR)
SortKey = list[str | int | bool | None]
T = TypeVar("T")


def sorting(*fields: str) -> Parameter:
    """Return the parameter `sort`: one of `fields`, with a minus for falling."""
    return Parameter("sort", {"type": "string", "enum": [*fields, *(f"-{field}" for field in fields)]}, "order")


def page_schema(item: Schema | Any) -> Schema:
    """Return the schema of a page of items."""
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": item},
            "next": {"type": "string", "description": "the cursor of the next page; not there on the last"},
        },
        "required": ["items"],
    }


def limit_of(call: Call) -> int:
    """Return how many items are wanted."""
    return int(call.query.get("limit", DEFAULT_LIMIT))


def page_reply(items: Sequence[Any], following: SortKey | None) -> Reply:
    """Return a page; `following`: the sort key of its last item, if others come after it."""
    more = {"next": cursor_of(following)} if following is not None else {}
    return Reply({"items": items, **more})


def cursor_of(key: SortKey) -> str:
    """Return the cursor that goes on after `key`."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def following(found: Sequence[T], limit: int, key: Callable[[T], SortKey]) -> str | UnsetType:
    """Return the cursor after the first `limit` of what was found; UNSET if there is no more."""
    return cursor_of(key(found[limit - 1])) if len(found) > limit else UNSET


def key_of(call: Call, kinds: Sequence[type]) -> SortKey | None:
    """Return the sort key that the call goes on after, its parts of `kinds`; None from the beginning."""
    said = call.query.get("cursor")
    if said is None:
        return None
    try:
        key = msgspec.json.decode(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        key = None
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds) or not all(map(_is_kept, key)):
        raise Problem(MALFORMED, "cursor is none that a page gave")
    return key


def order_of(call: Call, otherwise: str) -> Order:
    """Return the order that `sort` says, or `otherwise`: a column whose name ends in `_at_ms` has numbers."""
    said = call.query.get("sort", otherwise)
    by = said.removeprefix("-")
    after = key_of(call, (int if by.endswith("_at_ms") else str, str))
    return Order(by, said.startswith("-"), None if after is None else (after[0], after[1]))  # type: ignore[arg-type]


def _is_kept(part: str | int | bool | None) -> bool:
    """Whether SQL could hold it: no larger number than JSON's, no text with U+0000."""
    return "\x00" not in part if isinstance(part, str) else abs(part or 0) <= 2**53


def paged(call: Call, things: Iterable[Mapping[str, Any]], identity: str) -> Reply:
    """Return a page of things that are all at hand, by `sort`, a field of theirs, then by `identity`."""
    said = call.query.get("sort", identity)
    field, falls = said.removeprefix("-"), said.startswith("-")

    def key(thing: Mapping[str, Any]) -> list[str]:
        value = thing.get(field, "")
        return [str(value).zfill(20) if isinstance(value, int) else str(value), str(thing[identity])]

    ordered = sorted(things, key=key, reverse=falls)
    after = key_of(call, (str, str))
    if after is not None:
        ordered = [thing for thing in ordered if key(thing) != after and (key(thing) < after) == falls]  # type: ignore[operator]
    limit = limit_of(call)
    shown = ordered[:limit]
    return page_reply(shown, [*key(shown[-1])] if len(ordered) > limit else None)
