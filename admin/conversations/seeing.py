"""What of the account's conversations a caller may see.

Invariant: owners and admins see those of every inbox, other users those of inboxes they work in, keys those that who
made them sees; what they may not see is not there for them. Notes, and agents by their own names in a transcript, need
a scope of their own.
"""

from collections.abc import Sequence
from functools import partial

from admin.http.operations import Call, Parameter
from admin.http.problems import FORBIDDEN, NOT_FOUND, Problem
from admin.office import Office
from protocol.ids import ConversationId, InboxId
from store.sql.queries import conversations
from store.sql.queries.conversations import Found
from store.sql.queries.history import Audience

NOTES = "notes.read"
AUDIENCE = Parameter(
    "audience",
    {"type": "string", "enum": ["visitor", "staff"], "default": "visitor"},
    f"as its visitor sees it, or with notes, what only staff is told, and agents by their own names: needs `{NOTES}`",
)
_EVERYWHERE = ("owner", "admin")


async def inboxes_of(office: Office, call: Call) -> Sequence[InboxId] | None:
    """Return the inboxes whose conversations the caller may see; None: all. Raises Problem, StoreAway."""
    user = call.caller.user
    if not user or call.caller.role in _EVERYWHERE:
        return None
    config = await office.present(call.caller.account)
    return [inbox.id for inbox in config.inboxes if user in inbox.agents]


async def conversation_of(office: Office, call: Call) -> Found:
    """Return the conversation that the path names. Raises Problem, StoreAway."""
    find = partial(conversations.find, account=call.caller.account, inboxes=await inboxes_of(office, call))
    found = await office.record.read(partial(find, conversation=ConversationId(call.path["conversation"])))
    if found is None:
        raise Problem(NOT_FOUND, "there is no such conversation")
    return found


def audience_of(call: Call) -> Audience:
    """Return as whom the caller reads a log. Raises Problem if they may not."""
    if call.query.get("audience", "visitor") == "visitor":
        return "visitor"
    if NOTES not in call.caller.scopes:
        raise Problem(FORBIDDEN, f"this needs {NOTES}")
    return "staff"
