"""The name of every key. Nobody else spells one.

Invariant: a cell's keys carry its hash tag `{c07}`, so that one script may touch any of them, on a cluster too.
The keys of no cell share the tag `{samtale}`. A tombstone is the `Hint` that stands where an entry of the log was
erased: `x:{seq}` for staff, `y:{seq}` for visitors if theirs differs.

| key | type | holds |
|---|---|---|
| `cell` | hash | owner, run_id, epoch, commit_no, cursor ("entry:index"), status, stored |
| `lease` | string, PX | the owner's token; who may try to own the cell |
| `inbox` | stream | packs of commands: field `p` a msgpack list, fields `t` one fired command each |
| `outbox` | stream, per epoch | id = commit_no-0, field `c` = msgpack `Commit` |
| `timers` | sorted set | score = due in ms of Redis TIME; member = the encoded command it becomes |
| `gateways` | sorted set | incarnation → lease end in ms of Redis TIME |
| `active` | sorted set | "kind:id" → its last commit in ms, or up to 60 s before, or when to look again |
| `quarantine` | list | bytes of the last 1,000 commands that nobody could decide; for an operator |
| `conversation` | hash | `s` Snapshot, `q` seq, `c` commit_no, `o:{device}:{n mod 32}` Outcome, `x:` `y:` tombstones |
| `log` | stream | id = seq-0; `e` frame, `v` visitors' frame if it differs (empty: hidden), `i` event id |
| `receipts` | hash | `visitor` / `staff`: "delivered:read" |
| `visitor` | hash | `s` VisitorRecord, `c` commit_no |
| `desk` | hash | an agent device's outcomes, `o:{n mod 32}` |
| `roster` | hash | `s` snapshot bytes, `q` its seq, `c` commit_no |
| `rosters` | hash | account → commit_no that made its roster: who has one |
| `roster_log` | stream | id = seq-0; `e` = encoded roster event |
| `feed` | stream | id = seq-0; `f` = FeedChange frame; `i` event id |
| `feed_rows` | hash | row key → row (msgpack); `#` = "seq event-id" |
| `config` | hash | `version`, `bytes` |
| `ticket` | string, PX | one agent ticket's claims |
| `apps` (no cell) | hash | app key → "cell account" |
| `logins` (no cell) | hash | agent's e-mail, lower case → "cell account agent" |
| `servers` (no cell) | hash | hex SHA-256 of a server key → "cell account"; the configuration says if it still holds |
| `engines` (no cell) | sorted set | engine id → lease end in ms of Redis TIME |
| `workers` (no cell) | sorted set | worker id → lease end in ms of Redis TIME |
"""

from dataclasses import dataclass

from protocol.ids import AccountId, CellName, ConversationId, DeviceId, VisitorId

GLOBAL_TAG = "samtale"
APPS = "{samtale}:apps"
LOGINS = "{samtale}:logins"
SERVERS = "{samtale}:servers"
ENGINES = "{samtale}:engines"
WORKERS = "{samtale}:workers"


def cell_names(count: int) -> list[CellName]:
    """Return the names of an installation's cells: c00, c01 …"""
    return [CellName(f"c{number:02d}") for number in range(count)]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one cell."""

    name: CellName

    @property
    def cell(self) -> str:
        return f"{{{self.name}}}:cell"

    @property
    def lease(self) -> str:
        return f"{{{self.name}}}:lease"

    @property
    def inbox(self) -> str:
        return f"{{{self.name}}}:inbox"

    @property
    def timers(self) -> str:
        return f"{{{self.name}}}:timers"

    @property
    def gateways(self) -> str:
        return f"{{{self.name}}}:gateways"

    @property
    def active(self) -> str:
        return f"{{{self.name}}}:active"

    def outbox(self, epoch: int) -> str:
        return f"{{{self.name}}}:outbox:{epoch}"

    def conversation(self, conversation: ConversationId) -> str:
        return f"{{{self.name}}}:conv:{conversation}"

    def log(self, conversation: ConversationId) -> str:
        return f"{{{self.name}}}:log:{conversation}"

    def receipts(self, conversation: ConversationId) -> str:
        return f"{{{self.name}}}:rcpt:{conversation}"

    def visitor(self, visitor: VisitorId) -> str:
        return f"{{{self.name}}}:visitor:{visitor}"

    def desk(self, device: DeviceId) -> str:
        return f"{{{self.name}}}:desk:{device}"

    def roster(self, account: AccountId) -> str:
        return f"{{{self.name}}}:roster:{account}"

    @property
    def rosters(self) -> str:
        return f"{{{self.name}}}:rosters"

    @property
    def quarantine(self) -> str:
        return f"{{{self.name}}}:quarantine"

    def roster_log(self, account: AccountId) -> str:
        return f"{{{self.name}}}:rlog:{account}"

    def feed(self, name: str) -> str:
        return f"{{{self.name}}}:feed:{name}"

    def feed_rows(self, name: str) -> str:
        return f"{{{self.name}}}:rows:{name}"

    def config(self, account: AccountId) -> str:
        return f"{{{self.name}}}:config:{account}"

    def ticket(self, ticket_hash: str) -> str:
        return f"{{{self.name}}}:ticket:{ticket_hash}"
