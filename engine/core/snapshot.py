"""A conversation as stored bytes, and back.

Invariant: equal conversations freeze to equal bytes; thawing returns an equal conversation, or None for bytes of
another schema, whose conversation is then rebuilt from its log.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from engine.core.beside import survey_until_ms
from engine.core.conversation import Conversation, status_of
from engine.core.evolve import replay
from engine.core.phases import Closed, Gated, Phase, Talking
from protocol.bus.records import SCHEMA, Head
from protocol.ids import AccountId, AgentId
from protocol.wire.content import Event


class _Frozen(msgspec.Struct, array_like=True, gc=False):
    """`records.Snapshot` as written: the body in place, so that it is encoded once and not copied."""

    schema: int
    head: Head
    body: Conversation


class _Stored(msgspec.Struct, array_like=True):
    """`records.Snapshot` of any schema: nothing but the number is known of its form."""

    schema: int
    head: msgspec.Raw = msgspec.Raw()
    body: msgspec.Raw = msgspec.Raw()


_ENCODER = msgspec.msgpack.Encoder()
_EVENT = msgspec.msgpack.Decoder(Event)
_STORED: msgspec.msgpack.Decoder[_Stored] = msgspec.msgpack.Decoder(_Stored)
_BODY: msgspec.msgpack.Decoder[Conversation] = msgspec.msgpack.Decoder(Conversation)
_NAMES: dict[type[Any], str] = {phase: phase.__name__.lower() for phase in Phase.__subclasses__()}


def head_of(conversation: Conversation) -> Head:
    """Return what gateways read of a snapshot."""
    phase, terms = conversation.phase, conversation.terms
    return Head(
        conversation.account,
        terms.visitor,
        terms.inbox,
        terms.chatflow,
        status_of(conversation),
        _NAMES[type(phase)],
        conversation.seq,
        conversation.event,
        AgentId(phase.agent.id) if type(phase) is Talking else None,
        terms.alias,
        type(phase) is Gated and "email" in phase.missing,
        survey_until_ms(conversation.beside) if conversation.beside.surveys else 0,
        not conversation.heard.visitor_ms,
        type(phase) is Closed and phase.erased,
    )


def freeze(conversation: Conversation) -> bytes:
    """Return `conversation` as a `records.Snapshot`."""
    return _ENCODER.encode(_Frozen(SCHEMA, head_of(conversation), conversation))


def frozen(account: AccountId, log: Iterable[bytes]) -> bytes:
    """Return what a whole log amounts to, as it is stored."""
    state = replay(account, map(_EVENT.decode, log))
    assert state is not None, "a log has an entry"
    return freeze(state)


def thaw(stored: bytes) -> Conversation | None:
    """Return the conversation in a snapshot; None if its schema is not ours."""
    snapshot = _STORED.decode(stored)
    return _BODY.decode(snapshot.body) if snapshot.schema == SCHEMA else None
