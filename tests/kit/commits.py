"""Commits as an engine would make them, for tests of whoever copies them.

Invariant: every frame and state is a real one; only the conversation's own bytes are left empty.
"""

import msgspec

from protocol.bus.records import (
    Commit,
    Head,
    JobRow,
    LedgerRow,
    LogRow,
    Outcome,
    RosterRow,
    Snapshot,
    StateRow,
    VisitorRecord,
)
from protocol.ids import (
    AccountId,
    AppKey,
    ChatflowId,
    ConversationId,
    DeviceId,
    EventId,
    InboxId,
    VisitorId,
    event_id,
)
from protocol.wire.content import AnyBody, Author, Event, Message, Role, Transferred

ACCOUNT = AccountId("acc_nordvik")
VISITOR = VisitorId("vis_1")
PHONE = DeviceId("dev_phone")
INBOX = InboxId("inb_1")
NOW_MS = 1_700_000_000_000
encode = msgspec.msgpack.encode


def conversation(number: int) -> ConversationId:
    return ConversationId(f"cnv_{number}")


def commit(commit_no: int, *, epoch: int = 1, events: list[LogRow] | None = None, **rows: list[object]) -> Commit:
    """Return one commit with `events` and, for each of their conversations, a snapshot."""
    log = events or []
    last = {row.conversation: row.seq for row in log}
    states = [state(name, seq) for name, seq in last.items()]
    states.extend(rows.pop("states", []))  # type: ignore[arg-type]
    fields: dict[str, object] = {"log": log, "states": states, **rows}
    return msgspec.structs.replace(Commit(epoch, commit_no, NOW_MS + commit_no, f"{commit_no}-0:1"), **fields)


def said(name: ConversationId, seq: int, text: str = "Hei", *, commit_no: int = 1, index: int = 0) -> LogRow:
    """Return the log entry of a visitor's message."""
    body = Message(Author(Role.VISITOR, VISITOR), text)
    return LogRow(name, seq, index, _frame(name, seq, body, commit_no, index), None, PHONE, seq, f"id-{seq}")


def handed_on(name: ConversationId, seq: int, *, commit_no: int = 1, index: int = 0) -> LogRow:
    """Return the log entry of a transfer, which visitors do not see."""
    body = Transferred(Author(Role.AGENT, "agt_kari", "Kari"), "agt_ola", "Yours")  # type: ignore[arg-type]
    return LogRow(name, seq, index, _frame(name, seq, body, commit_no, index), b"")


def state(
    name: ConversationId,
    seq: int,
    *,
    status: str = "open",
    account: AccountId = ACCOUNT,
    visitor: VisitorId = VISITOR,
    inbox: InboxId = INBOX,
) -> StateRow:
    """Return a conversation's snapshot."""
    head = Head(account, visitor, inbox, ChatflowId("flw_1"), status, "waiting", seq, EventId("1.1.0"), None)
    return StateRow("conversation", name, account, seq, encode(Snapshot(1, head, msgspec.Raw(b"\xc0"))))


def visitor_state(visitor: VisitorId = VISITOR, account: AccountId = ACCOUNT) -> StateRow:
    """Return a visitor's record as a state."""
    record = VisitorRecord(visitor, account, AppKey("app_nordvik"), False, NOW_MS, NOW_MS, {}, {}, {})
    return StateRow("visitor", visitor, account, 0, encode(record))


def outcome(owner: str, n: int, *, device: DeviceId = PHONE) -> LedgerRow:
    """Return the remembered outcome of frame `n`."""
    return LedgerRow(owner, device, n, encode(Outcome("ses_1", device, n, f"id-{n}", conversation=owner, seq=n)))


def roster_event(seq: int, event: bytes = b"event", account: AccountId = ACCOUNT) -> RosterRow:
    return RosterRow(account, seq, event)


def job(name: str, kind: str = "ring") -> JobRow:
    return JobRow(name, ACCOUNT, kind, b"payload of " + name.encode())


def _frame(name: ConversationId, seq: int, body: AnyBody, commit_no: int, index: int) -> bytes:
    return encode(Event(name, seq, event_id(1, commit_no, index), NOW_MS, body))
