"""The wrong builds: which attribute of the product becomes what.

Invariant: `planted` leaves everything as it was. A patch that no longer fits the product raises, so that a wrong build
cannot become right unnoticed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loadtests.wrong import copies, decisions
from loadtests.wrong.decisions import Patch


@dataclass(frozen=True, slots=True)
class Build:
    """`lacks`: in the reader's words, what was taken out. `spare`: what else stands in the way of harm.

    `seed`: one that simulation finds bad; 0 if it takes many, and then a test of `caught_by` must fail on it.
    """

    lacks: str
    patches: Callable[[], list[Patch]]
    caught_by: str
    seed: int = 1
    spare: str = ""


def plant(name: str) -> list[Patch]:
    """Make the product the wrong build `name` for good; return how it was."""
    patches = BUILDS[name].patches()
    before = [(owner, attribute, getattr(owner, attribute)) for owner, attribute, _ in patches]
    for owner, attribute, value in patches:
        setattr(owner, attribute, value)
    return before


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Make the product the wrong build `name`, for as long as the block runs."""
    before = plant(name)
    try:
        yield
    finally:
        for owner, attribute, value in before:
            setattr(owner, attribute, value)


BUILDS: dict[str, Build] = {
    "dedupe_off": Build("ledgers call every frame new", decisions.dedupe_off, "tests/unit/engine/test_ledger.py"),
    "owner_off": Build(
        "commits, renewals and ticks are taken from anybody",
        copies.owner_off,
        "tests/contract/test_scripts_owner.py",
        seed=0,
        spare="two owners commit in turn, but each commit still expects cursor and commit_no, so what one decided on "
        "a state that the other has changed is refused. Logs stay whole; simulation sees that a stranger's commit "
        "was taken, clients cannot.",
    ),
    "cursor_off": Build(
        "commits are taken wherever the cell stands",
        copies.cursor_off,
        "tests/contract/test_scripts_commit.py",
        seed=0,
        spare="a commit also checks the head of every value it touches, and the outbox takes no commit_no twice; one "
        "that comes late or twice is refused by these.",
    ),
    "naive_resume": Build(
        "history is read first, then subscribed; positions are not looked at",
        copies.naive_resume,
        "tests/laws/test_resume.py",
        spare="the SDK ignores repeats and resumes at gaps, so apps see neither; the watch over its lines does.",
    ),
    "gate_off": Build("gateways let words pass before consent", decisions.gate_off, "tests/unit/gateway/test_gate.py"),
    "consent_off": Build(
        "neither gateways nor deciders wait for consent", decisions.consent_off, "tests/unit/gateway/test_gate.py"
    ),
    "consent_only_at_gateways": Build(
        "deciders take every word that gateways let through",
        decisions.consent_only_at_gateways,
        "tests/unit/engine/test_conversation_starts.py",
        seed=0,
        spare="every gateway holds back what is not consented to; only one that believes in a consent taken back at "
        "this moment elsewhere lets a word through.",
    ),
    "survey_asked_twice": Build(
        "a close asks again though no agent has answered since the last ask",
        decisions.survey_asked_twice,
        "tests/unit/engine/test_surveys.py",
        seed=0,
        spare="it takes a close, a reopening and another close before anybody has answered, which the laws of talk "
        "bring about and people seldom do.",
    ),
    "scribe_unfenced": Build(
        "SQL takes commits wherever it stands, over what is there",
        copies.scribe_unfenced,
        "tests/contract/test_sql_commits.py",
        seed=0,
    ),
    "capacity_counted": Build(
        "an agent's load is counted up and down, and an offer that lapses is not counted down",
        decisions.capacity_by_increments,
        "tests/unit/routing/test_offers.py",
        seed=0,
    ),
    "turn_on_acceptance": Build(
        "an offer that expires or is declined uses no turn",
        decisions.turn_on_acceptance,
        "tests/unit/routing/test_offers.py",
        seed=0,
        spare="everybody is still asked, only not in fair turns: no history shows that but the roster's own.",
    ),
    "trim_ahead": Build(
        "scribes trim Redis before SQL has it", copies.trim_ahead, "tests/integration/test_scribe_copies.py"
    ),
}
