"""The record of a visitor who logs in on a phone on which they began as somebody else (product §9, SPEC 3.9).

Invariant: what was the anonymous visitor's is the identified one's afterwards, once, and nobody else's; neither a block
nor a withdrawal is got rid of by it. One conversation per chatflow goes on.
"""

from msgspec import Struct
from msgspec.structs import replace

from engine.core import admission, contacts, purposes
from engine.core.changed import Became, Changed
from protocol.bus.commands import Admit
from protocol.bus.config import AccountConfig
from protocol.bus.decisions import Refusal
from protocol.bus.effects import Effect, Inner, Keep
from protocol.bus.facts import Subscribed, VisitorMerged
from protocol.bus.merging import merged_consents, proves
from protocol.bus.records import Context, CurrentConversation, DeviceRecord, VisitorRecord
from protocol.bus.steps import communicate_purpose
from protocol.ids import ChatflowId, ConversationId, VisitorId
from protocol.wire.codes import Code


class LogsIn(Struct, frozen=True):
    """To the identified visitor: `admit` them, and all that was `begun`. `goes_on`: of the chatflows of both."""

    admit: Admit
    begun: VisitorRecord
    goes_on: dict[ChatflowId, ConversationId]


class Leaves(Struct, frozen=True):
    """To the anonymous visitor: they are `into` from here on."""

    begun: VisitorRecord
    into: VisitorId


def why_not(begun: VisitorRecord | None, command: Admit) -> Refusal | None:
    """Return why a phone does not get what it says it began, or None. `begun` None: the cell has no such visitor."""
    what = command.begun
    assert what is not None, "nobody asks for what nobody began"
    if begun is None:
        return admission.LEFT if what.known else admission.UNKNOWN
    same = (begun.account, begun.app, begun.identified) == (command.account, command.app, False)
    if not same or what.device not in begun.devices:
        return admission.UNKNOWN
    if begun.merged:
        return Refusal(Code.SUBJECT_CHANGED)
    return None if proves(begun, what.device, command.presented) else admission.UNKNOWN


def merge(record: VisitorRecord | None, command: LogsIn | Leaves, at_ms: int, config: AccountConfig | None) -> Became:
    """Return what either of the two is afterwards. `record` None: the cell has none."""
    return _left(command) if isinstance(command, Leaves) else _logged_in(record, command, at_ms, config)


def _logged_in(record: VisitorRecord | None, command: LogsIn, at_ms: int, config: AccountConfig | None) -> Became:
    """Return the identified visitor's record with all that was begun on this phone."""
    admit, begun = command.admit, command.begun
    own = record if record is not None else admit.record
    if own is None and admit.known:
        return admission.LEFT
    own = own or VisitorRecord(admit.visitor, admit.account, admit.app, True, begun.created_at_ms, at_ms, {}, {}, {})
    admitted = admission.admit(_both(own, command, at_ms), admit, at_ms, config)
    if not isinstance(admitted, Changed):
        return admitted
    phone = replace(admitted.record.devices[admit.device], began_as=begun.id)
    after = replace(admitted.record, devices={**admitted.record.devices, admit.device: phone})
    after = _reachable(after, begun)
    contact = after.contact.id if after.contact is not None else ""
    merged = Keep(VisitorMerged(begun.account, begun.id, after.id, contact, at_ms))
    subscribed = _subscribed(own, after) if own.contact is not None else []
    told = [_unverified(effect, own) for effect in admitted.asked]
    return Changed(after, [*told, merged, *subscribed, *_ends(after)])


def _left(command: Leaves) -> Changed:
    """Return what is left of the anonymous visitor: names, and who they are now."""
    record = command.begun
    phones = dict.fromkeys(record.devices, DeviceRecord("", "", "", 0, revoked=True))
    times = (record.created_at_ms, record.seen_at_ms)
    return Changed(
        VisitorRecord(record.id, record.account, record.app, False, *times, phones, {}, {}, merged=command.into)
    )


def _both(own: VisitorRecord, command: LogsIn, at_ms: int) -> VisitorRecord:
    begun = command.begun
    consents = merged_consents(own.consents, begun.consents, at_ms)
    context = begun.context if own.context == Context() else own.context
    analytics = consents.get("analytics")
    if analytics is None or analytics.answer != "granted":
        context = replace(context, device={})
    return replace(
        own,
        created_at_ms=min(own.created_at_ms, begun.created_at_ms),
        consents=consents,
        current=_current(own, begun, command.goes_on),
        contact=own.contact or begun.contact,
        context=context,
        blocked=own.blocked or begun.blocked,
    )


def _current(
    own: VisitorRecord, begun: VisitorRecord, goes_on: dict[ChatflowId, ConversationId]
) -> dict[ChatflowId, CurrentConversation]:
    """Return the present conversation under each chatflow, numbered so that the next one has a name nobody has."""
    current = dict(own.current)
    for flow, theirs in begun.current.items():
        mine = own.current.get(flow)
        kept = mine if mine is not None and goes_on.get(flow) == mine.conversation else theirs
        current[flow] = replace(kept, ordinal=theirs.ordinal + (mine.ordinal if mine is not None else 0))
    return current


def _reachable(after: VisitorRecord, begun: VisitorRecord) -> VisitorRecord:
    """Return the record with the address that was typed, if none is known: nobody is asked twice."""
    contact, typed = after.contact, begun.contact
    if contact is None or contact.email or typed is None:
        return after
    return replace(after, contact=replace(contact, email=typed.email, verified=False))


def _subscribed(own: VisitorRecord, after: VisitorRecord) -> list[Inner | Effect]:
    """Return what the boxes that were ticked before say of the contact."""
    ticked = (each for each, answer in after.consents.items() if answer != own.consents.get(each))
    return [_unverified(effect, own) for purpose in ticked for effect in contacts.subscribed(after, purpose)]


def _unverified(effect: Inner | Effect, own: VisitorRecord) -> Inner | Effect:
    """Return a yes as what it is: of somebody whom nobody vouched for when they said it."""
    match effect:
        case Keep(fact=Subscribed(subscription=about) as fact) if communicate_purpose(about) not in own.consents:
            return Keep(replace(fact, verified=fact.verified and not fact.wants))
        case _:
            return effect


def _ends(after: VisitorRecord) -> list[Inner]:
    """Return the ends of what may not go on: one of the two was blocked, or had taken the consent back."""
    process = after.consents.get("process")
    if after.blocked:
        return purposes.ends(after, "blocked")
    return purposes.ends(after, "consent_withdrawn") if process is not None and process.answer == "withdrawn" else []
