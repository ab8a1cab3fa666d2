"""Accounts of every kind that routing must serve, small enough that everything soon happens in them.

Invariant: every reference resolves, as `samtale apply` sees to.
"""

from hypothesis import strategies as st

from protocol.bus.config import AccountConfig, Agent, Rule
from protocol.bus.hours import Hours, Interval
from protocol.bus.staff import Overflow
from tests.kit.shift import INBOX, account, agent

AGENTS = ["ann", "bob", "eva", "sue"]

agents = st.sampled_from(AGENTS)
hours_ids = st.sampled_from([None, None, None, "h1", "h2"])


@st.composite
def hours(draw: st.DrawFn, name: str) -> Hours:
    """Hours that turn every few minutes, in the hour in which tests begin."""
    width = draw(st.integers(1, 4))
    first = draw(st.integers(14, 18))
    return Hours(name, name, "UTC", [[Interval(at, at + width) for at in range(first, 100, 5)]] * 7)


@st.composite
def configurations(draw: st.DrawFn) -> AccountConfig:
    """Accounts of one to four agents, one to three rules, a team, and hours of shops and of agents."""
    names = draw(st.lists(agents, min_size=1, max_size=4, unique=True))
    staff = [_agent(draw, name) for name in names]
    team = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    patient = Overflow(draw(st.sampled_from([0, 40])), draw(st.sampled_from([None, "team"])))
    choice = draw(st.sampled_from(["round_robin", "least_busy"]))
    first = Rule(
        "r1", INBOX, "All", expiries_to_away=draw(st.integers(1, 3)), decline_pause_s=20, overflow=patient,
        choice=choice, prefer_languages=draw(st.booleans()), ageing_s=draw(st.sampled_from([0, 15])),
    )  # fmt: skip
    named = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    second = Rule(
        "r2", INBOX, "Some", agents=named, teams=draw(st.sampled_from([[], ["team"]])), lost_grace_s=30,
        auto_accept=draw(st.booleans()), keep_when_lost=draw(st.booleans()), overflow=patient,
    )  # fmt: skip
    owned = Rule("owned", INBOX, "Owner", assignment="contact_owner", fallback="r1")
    rules = [first, second, owned][: draw(st.integers(1, 3))]
    return account(staff, rules=rules, teams={"team": team}, hours=[draw(hours("h1")), draw(hours("h2"))])


def _agent(draw: st.DrawFn, name: str) -> Agent:
    return agent(
        name, capacity=draw(st.sampled_from([1, 2, 1, 2, 3, 0])), seat=draw(st.integers(0, 5)) > 0, role=draw(st.sampled_from(["supervisor", "agent"])),
        languages=draw(st.sampled_from([[], ["no"], ["de", "nb"]])), hours=draw(hours_ids),
    )  # fmt: skip
