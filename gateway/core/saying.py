"""What a visitor's numbered frames ask for, and what is wrong with them that can be seen without the conversation.

Invariant: pure; nothing that a visitor typed passes `why_not` while a step that comes before it is outstanding.
"""

from gateway.core.actions import ReadOutcome
from gateway.core.gate import PROCESS, Gate
from gateway.core.session import Identity
from gateway.core.storefront import Phone
from gateway.core.words import nfc
from protocol.bus import steps
from protocol.bus.commands import Admit, AnyCommand, Origin, VisitorAnswers, VisitorCloses, VisitorRates, VisitorSends
from protocol.bus.records import Outcome, Profile
from protocol.bus.steps import Step
from protocol.ids import ChatflowId, ConversationId, VisitorId
from protocol.wire import client
from protocol.wire.codes import Code
from protocol.wire.kinds import FormValues
from protocol.wire.limits import MAX_TEXT_CHARS

Numbered = client.Send | client.Answer | client.Survey | client.Close
MAX_FIELDS, MAX_FIELD_CHARS = 20, 2_000
ANSWERED = frozenset({"", Code.NOT_OUTSTANDING.wire})
ASKS_WHO = frozenset({Code.UNAVAILABLE.wire, Code.VISITOR_UNKNOWN.wire})  # of a visitor whom the cell let go of
_LET_GO = frozenset({Code.CONTINUED.wire, Code.NOT_FOUND.wire})
_YES_OR_NO = ("granted", "declined")


class Visitor(Identity, frozen=True):
    """Who speaks, from which phone. `conversations`: its own, each under a chatflow. `environment`: the app's.

    Of identified visitors `admit`: the hello as the cell was asked it; `profile`: what their token vouches for.
    """

    visitor: VisitorId
    phone: Phone
    conversations: dict[ConversationId, ChatflowId]
    environment: str = "production"
    admit: Admit | None = None
    profile: Profile | None = None


def why_not(frame: Numbered, gate: Gate, chatflow: ChatflowId, at_ms: int) -> Code | None:
    """Return why the frame may not pass, or None."""
    match frame:
        case client.Send(conversation=conversation):
            return gate.closed_by(chatflow, at_ms, ConversationId(conversation)) or _unfit(frame)
        case client.Answer():
            return Code.BLOCKED if gate.blocked else _no_answer(frame, _outstanding(frame, gate, chatflow, at_ms))
        case client.Survey():
            return _no_score(frame, _outstanding(frame, gate, chatflow, at_ms))
        case client.Close():
            return None


def _outstanding(frame: Numbered, gate: Gate, chatflow: ChatflowId, at_ms: int) -> list[Step]:
    return gate.outstanding(chatflow, at_ms, ConversationId(frame.conversation))


def _unfit(frame: client.Send) -> Code | None:
    if not frame.text and not frame.attachments:
        return Code.MALFORMED
    if not frame.text.isascii() and len(nfc(frame.text)) > MAX_TEXT_CHARS:
        return Code.TOO_LARGE
    if isinstance(frame.content, FormValues):
        values = frame.content.values
        if len(values) > MAX_FIELDS or any(len(value) > MAX_FIELD_CHARS for value in values.values()):
            return Code.BAD_CONTENT
    return None


def long_over(frame: Numbered, me: Visitor) -> ReadOutcome:
    """Of a conversation that is not at hand, perhaps of long ago: whatever it took of this phone SQL knows."""
    about, code = frame.conversation, Code.NOT_FOUND.wire
    otherwise = Outcome(me.session, me.device, frame.n, frame.id, code, about, expected=frame.n)
    return ReadOutcome(ConversationId(about), otherwise)


def is_forgotten(outcome: Outcome) -> bool:
    """Whether a cell that may have forgotten the conversation says this of it."""
    return outcome.code in _LET_GO and bool(outcome.expected)


def _no_answer(frame: client.Answer, left: list[Step]) -> Code | None:
    if frame.step != "email":
        return None if frame.value in _YES_OR_NO else Code.BAD_ANSWER
    if left and left[0] != "email":
        return steps.REFUSED[left[0]]
    # Where it is asked beside the chat a bad address is the engine's to count; at the gate it is a field's error.
    return Code.BAD_ANSWER if left and steps.address_in(frame.value) is None else None


def _no_score(frame: client.Survey, left: list[Step]) -> Code | None:
    if frame.action == "comment":
        return Code.CONSENT_REQUIRED if PROCESS in left else None if frame.text.strip() else Code.EMPTY_TEXT
    return Code.BAD_ANSWER if (frame.score is not None) != (frame.action == "answer") else None


def command_of(frame: Numbered, me: Visitor, chatflow: ChatflowId, version: int) -> AnyCommand:
    """Return what the frame asks of the cell. `version`: of the chatflow, as it was shown; 0: it was not."""
    origin = Origin(me.gateway, me.session, me.device, frame.n, frame.id)
    conversation, locale = ConversationId(frame.conversation), me.phone.locale
    match frame:
        case client.Send(text=text, content=content):
            words, where = nfc(text), me.environment
            return VisitorSends(
                me.account, origin, conversation, me.visitor, chatflow, words, locale, version, content, where
            )
        case client.Answer(step=step, value=value, communicate=communicate):
            about = (me.account, origin, conversation, me.visitor, chatflow)
            return VisitorAnswers(*about, value, locale, version, step, communicate, me.environment)
        case client.Survey(ask=ask, action=action, score=score, text=text):
            words = nfc(text) if action == "comment" else ""
            return VisitorRates(me.account, origin, conversation, me.visitor, ask, action, score, words)
        case client.Close():
            return VisitorCloses(me.account, origin, conversation, me.visitor)
