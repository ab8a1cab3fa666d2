"""The consent gate: whether what a visitor types may leave this process.

It stands in memory, before the stream, because what reaches a stream reaches Redis's append-only file, even if refused.

Invariant: it opens only on what is committed, and not knowing counts as closed.
"""

import msgspec

from protocol.bus.config import AccountConfig
from protocol.bus.records import VisitorRecord
from protocol.bus.topics import Hint
from protocol.ids import ChatflowId
from protocol.wire.content import ConsentAnswered, Event

PURPOSE = "process"
_EVENT = msgspec.msgpack.Decoder(Event)
_MARK = b"consent"  # the kind of a ConsentAnswered body, as its bytes hold it


class Gate:
    """One visitor's gate, seen from one session."""

    def __init__(self, config: AccountConfig, record: VisitorRecord) -> None:
        self._granted = False
        self._explicit: dict[ChatflowId, bool] = {}
        self.configured(config)
        self.known(record)

    def configured(self, config: AccountConfig) -> None:
        """Take a newer configuration: consent follows the current version of a chatflow."""
        self._explicit = {flow.id: flow.consent.mode == "explicit" for flow in config.chatflows}

    def known(self, record: VisitorRecord) -> None:
        """Take the committed record of the visitor."""
        consent = record.consents.get(PURPOSE)
        self._granted = consent is not None and consent.answer == "granted"

    def passed(self, entries: list[Hint]) -> None:
        """Take committed entries on their way to the visitor; decodes only those that may be about consent."""
        for entry in entries:
            if _MARK in entry.frame:
                body = _EVENT.decode(entry.frame).body
                if isinstance(body, ConsentAnswered) and body.answer != "implied":
                    self._granted = body.answer == "granted"

    def is_open(self, chatflow: ChatflowId | None) -> bool:
        """Whether words may pass to a conversation under `chatflow`."""
        if chatflow is None or self._granted:
            return self._granted
        return not self._explicit.get(chatflow, True)
