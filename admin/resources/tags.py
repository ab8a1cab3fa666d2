"""The tags that conversations of the account have, and how many have each.

Invariant: counted where it is asked, of conversations that the caller may see.
"""

from functools import partial

from msgspec import UNSET, Struct, UnsetType

from admin.conversations.seeing import inboxes_of
from admin.http.operations import Call, Operation
from admin.http.paging import PAGING, cursor_of, key_of, limit_of
from admin.http.replies import Reply
from admin.office import Office
from store.sql.queries import tickets


class Tag(Struct, frozen=True):
    """A tag, and how many conversations have it."""

    tag: str
    conversations: int


class TagPage(Struct, omit_defaults=True):
    items: list[Tag]
    next: str | UnsetType = UNSET


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about tags."""

    async def listed(call: Call) -> Reply:
        key, limit = key_of(call, (str,)), limit_of(call)
        page = partial(tickets.tags, account=call.caller.account, inboxes=await inboxes_of(office, call))
        found = await office.record.read(partial(page, after=str(key[0]) if key else "", limit=limit + 1))
        following = cursor_of([found[limit - 1][0]]) if len(found) > limit else UNSET
        return Reply(TagPage([Tag(*each) for each in found[:limit]], following))

    return [
        Operation("GET", "/tags", "list_tags", "List the tags of conversations", listed, "conversations.read",
                  answer=TagPage, parameters=PAGING, tag="tags"),
    ]  # fmt: skip
