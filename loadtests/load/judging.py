"""The verdict on a run: the history checker's rules over everything that is known of it.

Invariant: a promise that the checker finds broken is counted under one heading, whatever it is; a run in which
somebody never got an outcome is no good run.
"""

from collections import Counter
from collections.abc import Iterable

from app.stores import databases
from loadtests.chaos.evidence import NotQuiet, files_with, gather, raised
from loadtests.chaos.traffic import CANARY
from loadtests.checker.history import History, Leak, Sent, Violation
from loadtests.checker.stories import Story, wrong
from loadtests.checker.verdict import violations
from loadtests.load.house import House
from loadtests.load.outcome import Outcome
from loadtests.load.results import Judgement

EXAMPLES = 20
HEADINGS = {
    "lost-acked": "lost",
    "stuck": "lost",
    "duplicate": "duplicated",
    "unstable-ack": "duplicated",
    "real-time-order": "out_of_order",
    "gap": "gaps",
    "two-assignees": "two_assignees",
    "over-capacity": "over_capacity",
    "stored-before-consent": "stored_before_consent",
}
OTHERS = "others"


async def history_of(found: Outcome, house: House | None) -> History:
    """Return everything that is known: what clients did and saw, and what Redis and SQL of our own hold at the end."""
    history = History(facts=found.client_facts(), misserved=list(found.misserved))
    if house is None:
        return history
    stores = databases(house.settings)
    try:
        await gather(stores, house.line, history)
    finally:
        await stores.close()
    data = house.settings.data
    history.leaks += [Leak(CANARY, name) for name in files_with(data, CANARY)]
    history.raised += raised(data)
    return history


def judged(found: Outcome, history: History, unsettled: Iterable[NotQuiet] = ()) -> Judgement:
    """Return what was broken."""
    broken = violations(history) + [Violation("stuck", "SQL", str(fault)) for fault in unsettled]
    broken += list(_unkept(found.stories, history))
    counts = Counter(HEADINGS.get(violation.rule, OTHERS) for violation in broken)
    for story in found.stories:
        counts["lost"] += story.lost
        counts["duplicated"] += story.duplicated + max(0, story.read - story.due)
        counts["out_of_order"] += story.out_of_order
        counts["gaps"] += story.gaps
    examples = [f"{violation.rule} {violation.where}: {violation.why}" for violation in broken]
    examples += [str(story) for story in wrong(found.stories)]
    messages = sum(story.due for story in found.stories if story.reader == "sender")
    told = {fact.id for fact in history.facts if isinstance(fact, Sent) and fact.kind == "send"}
    return Judgement(**counts, sessions=found.sessions, messages=messages + len(told), examples=examples[:EXAMPLES])


def _unkept(stories: list[Story], history: History) -> Iterable[Violation]:
    """Yield where the record holds fewer of a lean sender's messages than were acknowledged."""
    if not history.entries:
        return
    said = (entry for entry in history.entries if entry.kind == "message" and entry.role == "visitor")
    kept = Counter(entry.conversation for entry in said)
    for story in stories:
        if story.reader == "sender" and kept[story.conversation] < story.read:
            why = f"{story.read} were acknowledged, and {kept[story.conversation]} are in the record"
            yield Violation("lost-acked", story.conversation, why)
