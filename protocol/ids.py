"""Every identifier, and the pure functions that derive one from another.

Invariant: an id is an opaque, printable ASCII string of at most 64 characters; nobody but this module looks inside.
"""

import base64
import hashlib
import re
from typing import NewType

AccountId = NewType("AccountId", str)
AppKey = NewType("AppKey", str)
InboxId = NewType("InboxId", str)
RuleId = NewType("RuleId", str)
TeamId = NewType("TeamId", str)
HoursId = NewType("HoursId", str)
SurveyId = NewType("SurveyId", str)
AttachmentId = NewType("AttachmentId", str)
SubscriptionId = NewType("SubscriptionId", str)
ContactId = NewType("ContactId", str)
ErasureId = NewType("ErasureId", str)
ChatflowId = NewType("ChatflowId", str)
VisitorId = NewType("VisitorId", str)
DeviceId = NewType("DeviceId", str)  # of a phone or of an agent's console
ConversationId = NewType("ConversationId", str)
AgentId = NewType("AgentId", str)
OfferId = NewType("OfferId", str)
SessionId = NewType("SessionId", str)
Incarnation = NewType("Incarnation", str)  # one life of one gateway process
EventId = NewType("EventId", str)  # "epoch.commit_no.index"; opaque to clients (SPEC 6.2)
CellName = NewType("CellName", str)  # "c00" … "c07"

_PREVIEW = "~preview"  # has not the form of an id: nobody can give an account such a name
_PRINTABLE = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")


def is_id(text: str) -> bool:
    """Whether `text` has the form of an id: 1–64 of `A–Z a–z 0–9 _ . : -` (SPEC 2.4)."""
    return _PRINTABLE.fullmatch(text) is not None


def preview_of(account: AccountId) -> AccountId:
    """Return the hidden account in which drafts of `account` are tried out."""
    return AccountId(account + _PREVIEW)


def is_preview(account: AccountId) -> bool:
    """Whether this is such a hidden account."""
    return account.endswith(_PREVIEW)


def keyed_hash(key: bytes, prefix: str, *parts: str) -> str:
    """Return `prefix` and 26 base32 characters (128 bit) that only the holder of `key` could have made of `parts`."""
    text = "\x00".join(parts).encode()
    digest = hashlib.blake2b(text, digest_size=16, key=key, person=prefix.encode()[:16]).digest()
    return prefix + base64.b32encode(digest).decode().rstrip("=").lower()


def conversation_id(key: bytes, visitor: VisitorId, chatflow: ChatflowId, ordinal: int) -> ConversationId:
    """Return the id of the visitor's `ordinal`-th (1, 2 …) conversation under a chatflow, on whatever phone."""
    return ConversationId(keyed_hash(key, "cnv_", visitor, chatflow, str(ordinal)))


def identified_visitor_id(key: bytes, app: AppKey, subject: str) -> VisitorId:
    """Return the visitor whom a company calls `subject`, the same on every phone."""
    return VisitorId(keyed_hash(key, "vis_", app, subject))


def contact_by_email(key: bytes, email: str) -> ContactId:
    """Return the contact whom a company knows by an e-mail address, however it is capitalised."""
    return ContactId(keyed_hash(key, "con_", "email", email.lower()))


def contact_by_subject(key: bytes, subject: str) -> ContactId:
    """Return the contact whom a company knows by its own user id (a token's `sub`)."""
    return ContactId(keyed_hash(key, "con_", "subject", subject))


def device_id(key: bytes, owner: str, device_key: str) -> DeviceId:
    """Return the id of the device that holds `device_key`, for one visitor or agent."""
    return DeviceId(keyed_hash(key, "dev_", owner, device_key))


def event_id(epoch: int, commit_no: int, index: int) -> EventId:
    """Return the id of event `index` (0, 1 …) of commit `commit_no` under `epoch`."""
    return EventId(f"{epoch}.{commit_no}.{index}")


def epoch_of(event: str) -> int:
    """Return the epoch under which `event` was committed; 0 for "", which names none."""
    return int(event.partition(".")[0] or 0)


def secret_hash(secret: str) -> bytes:
    """Return what is stored of a random 256 bit secret. Not for passwords, which people choose."""
    return hashlib.sha256(secret.encode()).digest()
