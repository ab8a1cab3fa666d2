"""The settings that nobody sets."""

import msgspec

from protocol.bus import chatflow, staff
from protocol.bus.config import AccountConfig
from protocol.ids import AgentId, InboxId, RuleId, SurveyId
from protocol.wire import limits

RULE = staff.Rule(RuleId("r"), InboxId("i"), "R")
DAY_S = 86_400


def test_defaults_are_those_of_the_product() -> None:
    """Each as the product's table of defaults has it."""
    flow = {field.name: field.default for field in msgspec.structs.fields(chatflow.Chatflow)}
    assert chatflow.Storage().ask == "never"
    assert chatflow.Consent().mode == "explicit"
    assert flow["gated_ttl_s"] == DAY_S
    assert chatflow.EmailCapture() == chatflow.EmailCapture("after_delay", "on_first_message", 30)
    assert flow["welcome_always"] is False
    assert (chatflow.Display().small, chatflow.Display().large) == ("launcher", "welcome_prompt")
    assert (flow["close_button"], flow["marketing"]) == (True, False)
    assert chatflow.Availability().route_if_available is False
    assert flow["reopen_window_s"] == 3 * DAY_S
    assert flow["inactivity_s"] == DAY_S
    survey = chatflow.Survey(SurveyId("s"), "S")
    assert (survey.scale, survey.expires_s, survey.on_inactivity) == ("faces", 7 * DAY_S, False)
    assert staff.Agent(AgentId("a"), "A", "a@example.org", "").capacity == 5
    assert (RULE.silent_s, RULE.offer_timeout_s, RULE.auto_accept, RULE.decline_pause_s) == (600, 30, False, 60)
    assert (RULE.expiries_to_away, RULE.first_reply_s, RULE.overflow.after_s) == (3, 120, 300)
    inbox = staff.Inbox(InboxId("i"), "I")
    assert (inbox.remind_s, inbox.supervisors_s) == (300, 600)
    assert (RULE.lost_grace_s, RULE.last_agent_window_s, RULE.ageing_s) == (60, 7 * DAY_S, 600)
    account = {field.name: field.default for field in msgspec.structs.fields(AccountConfig)}
    assert (account["max_open"], account["data_privacy"], account["storage_consent"]) == (5, True, True)
    assert (limits.MAX_TEXT_CHARS, limits.MESSAGES_PER_MINUTE, limits.MESSAGE_BURST) == (10_000, 30, 10)
