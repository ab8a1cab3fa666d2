"""The gate: whether what a visitor types may leave this process, and which step must be answered first.

It stands in memory, before the stream, because what reaches a stream reaches Redis's append-only file, even if refused.
Which steps there are is `protocol.bus.steps`' to say, as it is in the engine.

Invariant: it opens only on what is committed, and not knowing counts as closed.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.core import clock
from protocol.bus import steps
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig
from protocol.bus.records import ConsentRecord, ContactRef, VisitorRecord
from protocol.bus.steps import STEPS, Step
from protocol.bus.topics import Hint
from protocol.ids import ChatflowId, ConversationId, RuleId
from protocol.wire.codes import Code
from protocol.wire.content import Closed, ConsentAnswered, EmailGiven, Event, Message, Role

PROCESS: Step = "consent_to_process"
_EVENT = msgspec.msgpack.Decoder(Event)
_MESSAGE = b"message"
_MARKS = (b"consent", b"email_given")  # kinds and reasons that move the gate, as an entry's bytes hold them


class RuleRow(msgspec.Struct, frozen=True):
    """What the roster tells of a rule: whether somebody is ready now; replies come within minutes, an hour, a day."""

    ready: bool = False
    reply: str = ""


Rows = Mapping[RuleId, RuleRow]


class Gate:
    """One visitor's gate, seen from one session. `rows` None: nothing is known of who is ready."""

    def __init__(self, config: AccountConfig, record: VisitorRecord | None, rows: Rows | None = None) -> None:
        self.config, self.record, self.rows = config, record, rows
        self.spoken: set[ConversationId] = set()  # where the visitor has spoken: no address is waited for there
        self._served: dict[ChatflowId, int] = {}
        self._open: tuple[Any, ...] = ()  # all that was looked at when words might pass last

    def served(self, flow: Chatflow) -> None:
        """The phone was shown this version."""
        self._served[flow.id] = flow.version
        self._open = ()

    def row(self, flow: Chatflow) -> RuleRow | None:
        """Return what is told of the rule of `flow`, or of its inbox's rules if it has none; None: nothing is known."""
        if self.rows is None:
            return None
        rules = (
            [rule.id for rule in self.config.rules if rule.inbox == flow.inbox] if flow.rule is None else [flow.rule]
        )
        found = [self.rows[rule] for rule in rules if rule in self.rows]
        return next((row for row in found if row.ready), found[0] if found else RuleRow())

    def outstanding(
        self, chatflow: ChatflowId | None, at_ms: int, conversation: ConversationId | None = None
    ) -> list[Step]:
        """Return what must be answered before words pass to `conversation`, in the order of the screen."""
        config, spoken = self.config, conversation in self.spoken
        flow = steps.current_flow(config, chatflow, self._version_of(chatflow))
        if flow is None:  # a running conversation outlives its chatflow
            return [] if spoken or self.may_process(chatflow, at_ms) else [PROCESS]
        row = self.row(flow)
        states = (True, False) if row is None else (row.ready,)  # not knowing: whatever either state asks
        away = {clock.is_away(config, flow, at_ms, ready=ready) for ready in states}
        asked = {step for each in away for step in steps.outstanding(config, flow, self.record, at_ms, each, spoken)}
        return [step for step in STEPS if step in asked]

    def closed_by(self, chatflow: ChatflowId | None, at_ms: int, conversation: ConversationId | None) -> Code | None:
        """Return why words may not pass to `conversation` under `chatflow`, or None.

        An open gate stays open for the rest of its second if nothing of what it looked at changed: hours begin and end
        on whole minutes.
        """
        second = at_ms // 1000
        seen = (second, conversation, chatflow, self.rows, self.record, self.config)
        if seen == self._open:
            return None
        if self.blocked:
            return Code.BLOCKED
        first = next(iter(self.outstanding(chatflow, at_ms, conversation)), None)
        if first is not None:
            return steps.REFUSED[first]
        lapses = steps.lapses_ms(self.record)
        self._open = seen if not any(second == lapse_ms // 1000 for lapse_ms in lapses) else ()
        return None

    def may_process(self, chatflow: ChatflowId | None, at_ms: int) -> bool:
        """Whether what the app tells of the visitor may be kept."""
        allowed = steps.may_process(self.config, chatflow, self._version_of(chatflow), self.record, at_ms)
        return allowed and not self.blocked

    def _version_of(self, chatflow: ChatflowId | None) -> int:
        return self._served.get(chatflow, 0) if chatflow is not None else 0

    @property
    def blocked(self) -> bool:
        return self.record is not None and self.record.blocked

    @property
    def analytics(self) -> bool:
        """Whether optional device properties may be kept."""
        answer = self.record.consents.get("analytics") if self.record is not None else None
        return answer is not None and answer.answer == "granted"

    def passed(self, conversation: ConversationId, chatflow: ChatflowId | None, entries: list[Hint]) -> None:
        """Take committed entries on their way to the visitor; decodes only those that may move the gate."""
        for entry in entries:
            said = conversation not in self.spoken and _MESSAGE in entry.frame
            if self.record is None or not (said or any(mark in entry.frame for mark in _MARKS)):
                continue
            event = _EVENT.decode(entry.frame)
            if isinstance(event.body, Message) and event.body.by.role is Role.VISITOR:
                self.spoken.add(conversation)
            self.record = moved(self.record, chatflow, event)


def moved(record: VisitorRecord, chatflow: ChatflowId | None, event: Event) -> VisitorRecord:
    """Return the record as `event` left it, unless it knows something later: logs are read from their beginning."""
    match event.body:
        case ConsentAnswered(purpose=("storage" | "process") as purpose) as said:
            answer = ConsentRecord(
                said.answer, event.at, said.text_hash, chatflow or ChatflowId(""), said.version, said.locale, ""
            )
            return _answered(record, purpose, answer)
        case Closed(reason="consent_withdrawn"):
            withdrawn = ConsentRecord("withdrawn", event.at, "", chatflow or ChatflowId(""), 0, "", "")
            return _answered(record, "process", withdrawn)
        case EmailGiven(email=email, contact=contact, verified=verified) if not steps.address_of(record):
            return replace(record, contact=ContactRef(contact, email, verified))
        case _:
            return record


def _answered(record: VisitorRecord, purpose: str, answer: ConsentRecord) -> VisitorRecord:
    known = record.consents.get(purpose)
    if known is not None and known.at_ms >= answer.at_ms:
        return record
    return replace(record, consents={**record.consents, purpose: answer})
