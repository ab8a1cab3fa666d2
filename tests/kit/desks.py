"""What agents send beside replies, and a help desk where all of it matters.

Invariant: as in the workplace: every command is one that a gateway could have sent.
"""

from typing import Any

from msgspec.structs import replace

from engine.core import phases
from protocol.bus.chatflow import Survey
from protocol.bus.commands import VisitorRates
from protocol.bus.config import AccountConfig, Canned, Heading, Inbox
from protocol.ids import AgentId, ConversationId, SurveyId
from tests.kit.threads import Thread
from tests.kit.workplace import ACCOUNT, ANN, BO, CY, INBOX, KARI, OPEN, origin, phone, replies, sends, workplace

ALIAS = "Nordvik help"
SURVEY = Survey(SurveyId("srv_help"), "Help", question={"en": "How was it?", "nb": "Hvordan var det?"})


def helpdesk(**flow: Any) -> AccountConfig:
    """A help desk whose agents stand behind an alias, whose close asks a survey, and which has ready replies."""
    flow = {"heading": Heading("custom", ALIAS), "survey": SURVEY, **flow}
    canned = [
        Canned("hello", {"en": "Hi {visitor}, {agent} here at {inbox}.", "nb": "Hei {visitor}, dette er {agent}."}),
        Canned("number", {"en": "Your case is {conversation}"}),
    ]
    inbox = Inbox(INBOX, "Support", kind="help_desk", agents=[ANN, BO, CY])
    return replace(workplace(**flow), inboxes=[inbox], canned=canned)


def by(agent: AgentId, kind: Any, n: int, where: ConversationId, *rest: Any, **more: Any) -> Any:
    """An agent's command about a conversation."""
    return kind(ACCOUNT, origin(f"desk_{agent}", n), where, agent, *rest, **more)


def rates(n: int, where: ConversationId, action: str, ask: int = 1, number: int = 1, **what: Any) -> VisitorRates:
    """Kari says something of a survey, on one of her phones."""
    return VisitorRates(ACCOUNT, origin(phone(KARI, number), n), where, KARI, ask, action, **what)


def talked(config: AccountConfig | None = None) -> Thread:
    """A conversation that Ann has, in which she answered Kari: said at 1 s, assigned at 2 s, answered at 3 s."""
    thread = Thread(OPEN, config=config or helpdesk())
    thread.ask(sends())
    thread.assign(ANN)
    thread.ask(replies(ANN, 1, thread.state.id), 3_000)
    assert isinstance(thread.state.phase, phases.Talking)
    return thread
