"""Looking through what was said, conversation after conversation.

Invariant: no index is kept, so whatever was redacted or erased is found by nobody from then on; one answer looks at a
bounded number of entries, and says where it goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from protocol.ids import AccountId, ConversationId
from store.sql.database import Database
from store.sql.queries import conversations, transcripts
from store.sql.queries.conversations import Found, Place, Sought
from store.sql.queries.history import Audience

LOOKED_AT = 20_000  # entries of one answer: 0.3 s while others keep the machine busy (docs/decisions/0017)
_AT_ONCE = 100  # conversations
_ENTRIES_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Search:
    """For which words, in which conversations, as who reads them."""

    account: AccountId
    sought: Sought
    words: Sequence[str]
    audience: Audience


@dataclass(slots=True)
class Looked:
    """What was found, in which entries, and after which conversation it goes on (None: all were looked through)."""

    found: list[Found] = field(default_factory=list)
    matches: dict[ConversationId, list[int]] = field(default_factory=dict)
    after: tuple[int, str] | None = None


async def look_through(record: Database, search: Search, place: Place, limit: int) -> Looked:
    """Return up to `limit` conversations that hold the words. Raises StoreAway."""
    looked, left = Looked(after=place.after), LOOKED_AT
    while True:
        page = partial(conversations.page, account=search.account, sought=search.sought, limit=_AT_ONCE)
        there = await record.read(partial(page, place=replace(place, after=looked.after)))
        for part in _parts(there):
            ids = [each.id for each in part]
            holding = partial(transcripts.holding, conversations=ids, words=search.words, audience=search.audience)
            matches = await record.read(holding)
            for each in part:
                looked.after = (each.opened_at_ms, each.id)
                if each.id in matches:
                    looked.found.append(each)
                    looked.matches[each.id] = matches[each.id]
                if len(looked.found) == limit:
                    return looked
            left -= sum(each.head.seq for each in part)
            if left <= 0:
                return looked
        if len(there) < _AT_ONCE:
            looked.after = None
            return looked


def _parts(there: Sequence[Found]) -> list[list[Found]]:
    """Return the conversations in parts whose logs are together not long; one that is, is a part of its own."""
    parts: list[list[Found]] = []
    entries = _ENTRIES_AT_ONCE
    for each in there:
        if entries + each.head.seq > _ENTRIES_AT_ONCE:
            parts.append([])
            entries = 0
        parts[-1].append(each)
        entries += each.head.seq
    return parts
