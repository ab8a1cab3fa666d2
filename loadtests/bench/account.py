"""The one account of a benchmark: agents who take whatever comes, and no consent asked unless told to.

Invariant: everything goes the way of any other account: routing, log, receipts, SQL.
"""

from protocol.bus.config import AccountConfig, Agent, App, Chatflow, Consent, Heading, Inbox, Rule
from protocol.ids import AccountId, AgentId, AppKey, CellName, ChatflowId, InboxId, RuleId

ACCOUNT = AccountId("bench")
APP = AppKey("app_bench")
CELL = CellName("c00")
FLOW = ChatflowId("flow_bench")
TAG = "bench"
ASKS_NOTHING = Consent("off")
_INBOX, _RULE = InboxId("inbox_bench"), RuleId("rule_bench")


def account(agents: int, capacity: int, consent: Consent = ASKS_NOTHING) -> AccountConfig:
    """Return the account's configuration; nobody can log in with a password, tickets are made directly."""
    staff = [
        Agent(agent_id(at), f"Agent {at}", f"agent{at}@bench.example", "", capacity=capacity) for at in range(agents)
    ]
    flow = Chatflow(
        FLOW, 1, "bench", _INBOX, [TAG], 1, True, "en", _RULE, Heading(name="Bench"), {"en": "Welcome"}, consent
    )  # fmt: skip
    return AccountConfig(
        ACCOUNT,
        "bench",
        1,
        CELL,
        b"b" * 32,
        [App(APP, "bench")],
        [Inbox(_INBOX, "bench", agents=[agent.id for agent in staff])],
        staff,
        [Rule(_RULE, _INBOX, "bench", auto_accept=True)],
        [flow],
    )


def agent_id(number: int) -> AgentId:
    """Return the id of agent 0, 1 …"""
    return AgentId(f"agent{number}")
