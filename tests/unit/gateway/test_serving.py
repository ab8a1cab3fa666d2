"""When a phone is told that what it was shown has changed."""

from typing import Any

import msgspec

from gateway.core.actions import Action, End, ReadLog, ReadVisitor, Wake
from gateway.core.gate import RuleRow
from gateway.core.mobile import SOON, MobileSession
from gateway.core.resume import Page
from gateway.core.serving import EVERY_MS, SPREAD_MS
from protocol.bus.chatflow import Availability, Consent, Heading, Targeting
from protocol.bus.config import AccountConfig
from protocol.bus.hours import Hours, Interval
from protocol.bus.records import CurrentConversation
from protocol.bus.topics import Ephemeral
from protocol.ids import DeviceId, ErasureId, HoursId, RuleId
from protocol.wire import client
from protocol.wire.codes import CloseCode
from protocol.wire.content import Assigned, Author, Closed, Erased, Role, Unassigned
from protocol.wire.server import Serving
from tests.kit.workplace import ANN, ASKS, OPEN, RULE, chatflow, conversation, record, workplace
from tests.unit.gateway.sessions import CHAT, NOW, attach, head, hint, said, visiting

AT_MS = NOW.at_ms


def only(*flows: Any, version: int = 2, **account: Any) -> AccountConfig:
    """A newer configuration with these chatflows, under the tag `help`."""
    return msgspec.structs.replace(workplace(version=version), chatflows=list(flows), **account)


def told(actions: list[Action]) -> list[Serving]:
    return [frame for frame in said(actions) if isinstance(frame, Serving)]


def session(*flows: Any, **changes: Any) -> MobileSession:
    known = changes.pop("known", record())
    return visiting(only(*flows or [chatflow(OPEN)], version=1), known, **changes)


def test_nothing_new_is_not_told() -> None:
    """A configuration that changes nothing of what is shown says nothing."""
    phone = session()
    phone.configured(only(chatflow(OPEN)))
    assert told(phone.woke(AT_MS)) == []


def test_a_published_version_is_told_at_once() -> None:
    """With its whole view, since that is another."""
    phone = session()
    assert phone.configured(only(chatflow(OPEN, version=4, welcome={"en": "New!"}))) == [SOON]
    (frame,) = told(phone.woke(AT_MS))
    assert frame.chatflow is not None
    assert (frame.chatflow.version, frame.chatflow.welcome, bool(frame.chatflow.texts)) == (4, "New!", True)
    assert frame.conversation == conversation(OPEN)


def test_many_changes_are_told_once_in_a_second() -> None:
    """The last one always, within it."""
    phone, heard = session(), []
    for step in range(10):
        phone.configured(only(chatflow(OPEN, version=4 + step), version=2 + step))
        heard += told(phone.woke(AT_MS + step))
    assert [frame.chatflow.version for frame in heard if frame.chatflow] == [4]
    (last,) = told(phone.woke(AT_MS + EVERY_MS))
    assert last.chatflow is not None
    assert last.chatflow.version == 13


def test_what_waits_asks_to_be_woken() -> None:
    """So that it is told without anything else happening."""
    phone = session()
    for version in (4, 5):
        phone.configured(only(chatflow(OPEN, version=version), version=version))
        actions = phone.woke(AT_MS)
    assert Wake(AT_MS + EVERY_MS) in actions


def test_a_chatflow_that_is_switched_off_is_told_with_its_reason() -> None:
    """Nothing new can be started; switched on again, it is there again."""
    phone = session()
    phone.configured(only(chatflow(OPEN, enabled=False)))
    (frame,) = told(phone.woke(AT_MS))
    assert (frame.chatflow, frame.conversation, frame.reason) == (None, None, "no_chatflow")
    phone.configured(only(chatflow(OPEN), version=3))
    (back,) = told(phone.woke(AT_MS + EVERY_MS))
    assert back.conversation == conversation(OPEN)


def test_another_chatflow_brings_its_conversation() -> None:
    """It may be addressed, and is attached, as after `ready`."""
    phone = session()
    phone.configured(only(chatflow(ASKS, priority=1), chatflow(OPEN, priority=2)))
    actions = phone.woke(AT_MS)
    (frame,) = told(actions)
    assert frame.conversation == conversation(ASKS)
    assert frame.steps.outstanding == ["consent_to_process"]
    (reading,) = [action for action in actions if isinstance(action, ReadLog)]
    assert reading.conversation == conversation(ASKS)


def test_the_view_that_the_phone_holds_is_sent_short() -> None:
    """Somebody came: nothing of the view is other than before."""
    phone = session(chatflow(OPEN, availability=Availability("agents_available")))
    phone.staffed({RULE: RuleRow(ready=True)})
    (frame,) = told(phone.woke(AT_MS))
    assert frame.availability is not None
    assert frame.availability.open
    assert frame.chatflow is not None
    assert frame.chatflow.texts == {}


def test_what_changes_for_another_rule_is_no_reason_to_look() -> None:
    """Thousands of phones hear of every rule of their account."""
    phone = session(rows={RULE: RuleRow(ready=True)})
    assert phone.staffed({RULE: RuleRow(ready=True), RuleId("rul_other"): RuleRow(ready=True)}) == []
    assert phone.staffed({RULE: RuleRow(ready=True, reply="hour")}) == [SOON]


def test_the_clock_opens_and_closes() -> None:
    """The phone is told when the hour comes, without anybody's doing."""
    daily = Hours(HoursId("hrs"), "Daily", "UTC", [[Interval(60, 120)]] * 7)
    flow = chatflow(OPEN, availability=Availability("office_hours", daily.id))
    phone = visiting(only(flow, version=1, hours=[daily]), record())
    opens_ms, closes_ms = 3_600_000, 7_200_000
    assert Wake(opens_ms, SPREAD_MS) in phone.woke(AT_MS)
    (opened,) = told(phone.woke(opens_ms))
    assert opened.availability is not None
    assert opened.availability.open
    (shut,) = told(phone.woke(closes_ms))
    assert shut.availability is not None
    assert not shut.availability.open


def test_a_step_that_was_answered_is_not_told_again() -> None:
    """Its outcome said so."""
    phone = session(chatflow(ASKS))
    phone.visitor_read(record(answer="granted"))
    assert told(phone.woke(AT_MS)) == []


def test_a_step_that_comes_back_is_told() -> None:
    """Withdrawn on another phone, or asked anew by a publish."""
    phone = session(chatflow(ASKS), known=record(answer="granted"))
    phone.record_moved(record(answer="withdrawn"))
    (frame,) = told(phone.woke(AT_MS))
    assert frame.steps.outstanding == ["consent_to_process"]
    again = session(chatflow(ASKS), known=record(answer="granted"))
    again.configured(only(chatflow(ASKS, version=4, consent=Consent("explicit", ask_again_from=4))))
    (asked,) = told(again.woke(AT_MS))
    assert asked.steps.outstanding == ["consent_to_process"]


def test_attributes_that_the_app_sets_may_bring_another_chatflow() -> None:
    """Targeting reads them, before any of them is stored."""
    gold = chatflow(OPEN, priority=1, targeting=Targeting(attributes={"plan": "gold"}))
    phone = session(gold, chatflow(ASKS, priority=2))
    assert phone.told.chatflow == ASKS
    phone.receive(client.SetContext(properties={"plan": "gold", "other": "x"}), NOW)
    (frame,) = told(phone.woke(AT_MS))
    assert frame.chatflow is not None
    assert frame.chatflow.id == OPEN


def test_whoever_was_erased_is_sent_away() -> None:
    """4504, once the record says so: an old conversation that was erased ends nobody's line."""
    phone = session()
    attach(phone, CHAT, Page(1, []))
    actions = phone.hinted(CHAT, [hint(1, Erased())])
    assert any(isinstance(action, ReadVisitor) for action in actions)
    assert not any(isinstance(action, End) for action in phone.visitor_read(record()))
    (end,) = phone.record_moved(msgspec.structs.replace(record(), devices={}, erased=ErasureId("era_1")))
    assert isinstance(end, End)
    assert end.code is CloseCode.REVOKED


def test_whoever_is_blocked_is_sent_away() -> None:
    """4504; they come back to read, and are told that they may not write."""
    phone = session()
    attach(phone, CHAT, Page(1, []))
    actions = phone.hinted(CHAT, [hint(1, Closed(Author(Role.SYSTEM, ""), "blocked"))])
    assert any(isinstance(action, ReadVisitor) for action in actions)
    blocked = msgspec.structs.replace(record(), blocked=True)
    (end,) = phone.visitor_read(blocked)
    assert isinstance(end, End)
    assert end.code is CloseCode.REVOKED
    back = session(known=blocked)
    assert back.told.shown.steps.blocked
    assert not any(isinstance(action, End) for action in back.visitor_read(blocked))
    back.record_moved(record())
    (frame,) = told(back.woke(AT_MS))
    assert not frame.steps.blocked


def test_who_has_the_conversation_is_on_top_if_the_heading_says_so() -> None:
    """Told when they get it and when they lose it, by name."""
    phone = session(chatflow(OPEN, heading=Heading("assigned_agent")))
    ann = Author(Role.AGENT, ANN, "Ann")
    attach(phone, CHAT, Page(1, [hint(1, Assigned(ann, "offer"))], head=head()))
    (frame,) = told(phone.woke(AT_MS))
    assert frame.chatflow is not None
    assert [person.name for person in frame.chatflow.heading.people] == ["Ann"]
    assert phone.hinted(CHAT, [hint(2, Unassigned(ann, "lost"))]) != []
    (frame,) = told(phone.woke(AT_MS + EVERY_MS))
    assert frame.chatflow is not None
    assert (frame.chatflow.heading.name, frame.chatflow.heading.people) == ("Nordvik", [])


def test_a_word_that_the_record_changed_makes_the_other_phone_read_it() -> None:
    """Whoever changed it says so at the conversation."""
    phone = session()
    attach(phone, CHAT, Page(1, []))
    (read,) = phone.ephemeral(CHAT, Ephemeral("context", DeviceId("dev_other"), b""))
    assert isinstance(read, ReadVisitor)


def test_the_conversation_to_address_follows_the_record() -> None:
    """What closed for good makes room for the next."""
    over = CurrentConversation(conversation(OPEN), 1, 1, 0)
    phone = session()
    phone.record_moved(record(**{OPEN: over}))
    (frame,) = told(phone.woke(AT_MS))
    assert frame.conversation == conversation(OPEN, 2)
