"""What the roster must know of a search beside the conversation's own state.

Invariant: read at the moment of seeking, from the version that the conversation goes on under and from the visitor's
record; nothing of it is frozen in the log, so that a rule or an owner that changed counts at once.
"""

from msgspec.structs import replace

from engine.core.conversation import Conversation
from protocol.bus.config import AccountConfig, flow_at
from protocol.bus.effects import Seek
from protocol.bus.records import VisitorRecord
from protocol.ids import RuleId


def described(seek: Seek, state: Conversation, config: AccountConfig, visitor: VisitorRecord | None) -> Seek:
    """Return `seek` with the hours that it waits for, and the contact's owner where the rule asks for them."""
    flow = flow_at(config, state.terms.chatflow, state.terms.version)
    owner = visitor.profile.owner if visitor is not None and visitor.profile is not None else None
    if flow is None:
        return replace(seek, owner=owner)
    there = flow.availability
    hours = there.hours if there.kind == "office_hours" else None
    return replace(seek, owner=owner, hours=hours, available_anyway=there.route_if_available)


def asks_owner(config: AccountConfig, rule: RuleId | None) -> bool:
    """Whether the contact's owner matters to `rule`."""
    return any(each.id == rule and each.assignment == "contact_owner" for each in config.rules)
