"""What a start freezes, and when nothing may be started."""

from typing import Any

import pytest
from msgspec.structs import replace

from protocol.bus.chatflow import Availability, EmailCapture, Heading, Rollout, Storage, Survey
from protocol.bus.config import AccountConfig
from protocol.bus.hours import Hours, Interval, next_opening
from protocol.bus.records import Profile
from protocol.ids import ChatflowId, HoursId, SurveyId
from protocol.wire.content import EmailPlan, Queued, Started, SurveyPlan
from tests.kit.visits import Visit, asking
from tests.kit.workplace import ACCOUNT, ANN, ASKS, IMPLIES, OPEN, UNROUTED

MORNINGS = Hours(HoursId("hrs_mornings"), "mornings", "Europe/Oslo", [[Interval(480, 720)]] * 7)
HIDE = Availability(kind="agents_available", nobody="hide", hours=MORNINGS.id)


def started(visit: Visit) -> Started:
    """Seq 1 of the conversation that goes on."""
    (first,) = visit.logged(Started)
    return first


def test_plan_is_frozen() -> None:
    """A start freezes every setting that the conversation will keep, as the served version and its rule say."""
    plan: dict[str, Any] = {
        "heading": Heading("custom", "Nora"),
        "queue_priority": "high",
        "inactivity_s": 3_600,
        "email": EmailCapture("after_delay", "on_first_message", 45),
        "survey": Survey(SurveyId("srv_1"), "How was it?", scale="stars", expires_s=60, on_inactivity=True),
    }
    config = asking(OPEN, **plan)
    inboxes = [replace(inbox, kind="help_desk") for inbox in config.inboxes]
    rules = [replace(rule, first_reply_s=90, silent_s=300) for rule in config.rules]
    visit = Visit(OPEN, replace(config, inboxes=inboxes, rules=rules))
    visit.say(environment="test")
    first = started(visit)
    assert (first.alias, first.help_desk, first.priority, first.inactivity_s) == ("Nora", True, "high", 3_600)
    assert (first.first_reply_s, first.silent_s, first.environment) == (90, 300, "test")
    assert first.email == EmailPlan("after_delay", "on_first_message", 45)
    assert first.survey == SurveyPlan(SurveyId("srv_1"), "stars", 60, on_inactivity=True)
    assert (first.by, first.previous, first.steps) == ("visitor", None, [])


def test_plan_stays() -> None:
    """A publish changes nothing of a conversation that runs; the next one gets the new version."""
    visit = Visit(OPEN)
    visit.say()
    visit.publish(inactivity_s=60, reopen_window_s=0)
    visit.say()
    terms = visit.world.conversation(visit.where).terms
    assert (terms.version, terms.inactivity_s) == (3, 86_400)
    visit.close()
    visit.world.pass_time(3_600_000)
    visit.say()
    assert (started(visit).version, started(visit).inactivity_s) == (4, 60)


def test_version_as_served() -> None:
    """A start takes the version that was on the visitor's screen."""
    visit = Visit(OPEN)
    visit.publish(welcome={"en": "Hello anew!"}, rollout=Rollout(share=50))
    visit.say(version=3)
    assert (started(visit).version, started(visit).welcome) == (3, "Hello!")


def test_steps_awaited() -> None:
    """A start names the steps that it waits for, and a consent that follows them all opens it."""
    visit = Visit(ASKS, asking(ASKS, storage=Storage("before_chat"), email=EmailCapture("before_chat", "never")))
    visit.answer("storage_consent", "declined")
    assert started(visit).steps == ["storage_consent", "consent_to_process", "email"]


@pytest.mark.parametrize("delivery", ["email", "link"])
def test_survey_elsewhere(delivery: Any) -> None:
    """Only a survey that is asked in the chat is part of the plan."""
    visit = Visit(OPEN, asking(OPEN, survey=Survey(SurveyId("srv_1"), "Later", delivery)))
    visit.say()
    assert started(visit).survey is None


def test_welcome_once() -> None:
    """The welcome is shown while there is no conversation under the chatflow yet, and not in the next one."""
    visit = Visit(OPEN)
    visit.say()
    first = visit.where
    visit.close()
    visit.world.pass_time(3_600_000)
    visit.say()
    assert [started(visit).welcome, started(visit).previous] == [None, first]
    visit.flow = IMPLIES
    visit.say()
    assert started(visit).welcome == "Hello!"


def test_welcome_always() -> None:
    """With welcome_always the next conversation is greeted too; a reopened one is not."""
    visit = Visit(OPEN, asking(OPEN, welcome_always=True))
    visit.say()
    visit.close()
    visit.say()
    assert len(visit.logged(Started)) == 1
    visit.close()
    visit.world.pass_time(3_600_000)
    visit.say()
    assert started(visit).welcome == "Hello!"


def test_one_per_chatflow() -> None:
    """Two phones that start under one chatflow speak in one conversation."""
    visit = Visit(OPEN, identified=True)
    visit.say()
    first = visit.where
    visit.say()
    assert visit.where == first
    assert visit.kinds() == ["Started", "Message", "Queued", "Message"]


def test_too_many_open() -> None:
    """Under several chatflows a visitor may have as many open as the account allows, and gets on once one is over."""
    visit = Visit(OPEN, replace(asking(), max_open=2))
    visit.say()
    visit.flow = IMPLIES
    visit.say()
    visit.flow = UNROUTED
    assert visit.say() == "too_many_open"
    visit.flow = OPEN
    assert visit.say() == ""  # one that goes on is none too many
    visit.close()
    visit.flow = UNROUTED
    assert visit.say() == ""


def test_reopening_counts_as_open() -> None:
    """Whoever reopens one goes on with it, however many are open: only starting is refused."""
    visit = Visit(OPEN, replace(asking(), max_open=1))
    visit.say()
    visit.close()
    visit.flow = IMPLIES
    assert visit.say() == ""
    visit.flow = OPEN
    assert visit.say() == ""


def hiding(**there: Any) -> AccountConfig:
    """The workplace, whose open chatflow hides while nobody is available."""
    return replace(asking(OPEN, availability=replace(HIDE, **there)), hours=[MORNINGS])


def test_hide() -> None:
    """Under agents_available and hide a start is refused while nobody is there, with the next opening."""
    visit = Visit(OPEN, hiding())
    assert visit.say() == "nobody_there"
    again = visit.world.ask(visit.last)
    assert again.opens_at_ms == next_opening(MORNINGS, visit.world.now_ms)
    visit.agent_comes()
    assert visit.say() == ""


def test_hide_by_the_agents_hours() -> None:
    """Without hours of its own the next opening is that of the agents whom its rule asks."""
    config = hiding(hours=None)
    agents = [replace(agent, hours=MORNINGS.id) for agent in config.agents]
    visit = Visit(OPEN, replace(config, agents=agents))
    visit.say()
    assert visit.world.ask(visit.last).opens_at_ms == next_opening(MORNINGS, visit.world.now_ms)
    nowhere = Visit(OPEN, config)
    nowhere.say()
    assert nowhere.world.ask(nowhere.last).opens_at_ms == 0


def test_hide_lets_go_on() -> None:
    """What goes on goes on, and may be reopened, when nobody is there any more."""
    visit = Visit(OPEN, hiding())
    visit.agent_comes()
    visit.say()
    visit.world.do(visit.leaves(ANN))
    assert visit.say() == ""
    visit.close()
    assert visit.say() == ""


def test_away_message_accepts() -> None:
    """With away_message, and outside office hours, a conversation is accepted and queued as away."""
    for there in (replace(HIDE, nobody="away_message"), Availability("office_hours", HoursId("hrs_never"))):
        never = Hours(HoursId("hrs_never"), "never", "Europe/Oslo", [[] for _ in range(7)])
        visit = Visit(OPEN, replace(asking(OPEN, availability=there), hours=[MORNINGS, never]))
        assert visit.say() == ""
        assert [queued.away for queued in visit.logged(Queued)] == [True]


@pytest.mark.parametrize("flow", [OPEN, ASKS])
def test_blocked(flow: ChatflowId) -> None:
    """A blocked visitor may neither start, nor answer a step, nor write on."""
    visit = Visit(flow)
    visit.world.change_visitor(visit.visitor, blocked=True)
    assert [visit.say(), visit.answer("consent_to_process")] == ["blocked", "blocked"]
    assert visit.world.logs == {}


def test_blocked_may_end() -> None:
    """A blocked visitor may still end what is open."""
    visit = Visit()
    visit.say()
    visit.world.change_visitor(visit.visitor, blocked=True)
    assert visit.say() == "blocked"
    assert visit.close() == ""


def test_contact_and_address_known() -> None:
    """The plan of a visitor whose address is known asks for none."""
    known = Profile("Kari", "kari@example.no", None, "user-7")
    visit = Visit(OPEN, asking(OPEN, email=EmailCapture()), identified=True, profile=known, chatflow=OPEN)
    visit.say()
    assert started(visit).email == EmailPlan()


def test_nobody_elses_account() -> None:
    """A start takes its plan from the visitor's own account."""
    visit = Visit()
    assert visit.say(account="acc_other") == "unavailable"
    assert visit.world.configs.keys() == {ACCOUNT}
