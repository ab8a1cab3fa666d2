"""Rules on what the engine decided: assignees, capacity, consent, fences, isolation, nothing set aside (G5–G8, G11).

Invariant: each rule is a pure function of the history.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from loadtests.checker.history import Acked, Entry, History, Seen, Sent, Violation, Waited, Was


def two_assignees(history: History) -> Iterator[Violation]:
    """At every position of a log at most one agent has the conversation."""
    for conversation, log in history.logs().items():
        agent = ""
        for entry in log:
            if entry.kind == "assigned":
                if agent and agent != entry.agent:
                    yield Violation("two-assignees", conversation, f"{entry.agent} at {entry.seq} beside {agent}")
                agent = entry.agent
            elif entry.kind in ("unassigned", "closed"):
                agent = ""


def over_capacity(history: History) -> Iterator[Violation]:
    """No routing decision puts an agent above capacity."""
    for decision in history.decisions:
        if decision.by_routing and decision.load > decision.capacity:
            why = f"{decision.agent}: {decision.load} of {decision.capacity} at roster event {decision.seq}"
            yield Violation("over-capacity", decision.account, why)


def stored_before_consent(history: History) -> Iterator[Violation]:
    """Where consent is explicit, no message stands before its visitor's grant, and no planted text is in any store.

    A grant is the visitor's: given in one conversation, it is good for those that begin after it, until taken back.
    Whoever logs in brings theirs along, and what either has taken back is taken back.
    """
    explicit = {c.conversation: (c.account, c.visitor) for c in history.conversations if c.consent_required}
    started = {e.conversation: (e.account, e.visitor) for e in history.entries if e.kind == "started" and e.visitor}
    owner = explicit | started
    answers: dict[tuple[str, str], str] = {}
    for entry in sorted(history.entries, key=_place):
        if entry.conversation not in explicit:
            continue
        visitor = owner[entry.conversation]
        if entry.kind == "merged":
            owner[entry.conversation] = known = (entry.account, entry.visitor)
            both = [answers[each] for each in (visitor, known) if each in answers]
            if both:
                answers[known] = "withdrawn" if "withdrawn" in both else "granted"
        elif entry.kind == "consent" and entry.answer == "granted":
            answers[visitor] = "granted"
        elif entry.kind == "closed" and entry.answer == "consent_withdrawn":
            answers[visitor] = "withdrawn"
        elif entry.kind == "message" and answers.get(visitor) != "granted":
            yield Violation("stored-before-consent", entry.conversation, f"a message at {entry.seq} before the grant")
    for leak in history.leaks:
        yield Violation("stored-before-consent", leak.where, f"holds the planted text {leak.text}")


def _place(entry: Entry) -> tuple[int, int]:
    """Return where `entry` stands in its cell: commits are numbered across epochs."""
    _, commit_no, index = entry.event.split(".")
    return int(commit_no), int(index)


def effect_after_fence(history: History) -> Iterator[Violation]:
    """Along a cell's commits epochs only rise, and no commit has two: whoever lost the cell commits nothing more."""
    cells: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for commit in history.commits:
        cells[commit.cell].add((commit.commit_no, commit.epoch))
    for cell, commits in cells.items():
        for (number, epoch), (next_number, next_epoch) in pairwise(sorted(commits)):
            if next_number == number or next_epoch < epoch:
                why = f"commit {next_number} of epoch {next_epoch} follows {number} of epoch {epoch}"
                yield Violation("effect-after-fence", cell, why)


def cross_account(history: History) -> Iterator[Violation]:
    """Nobody sees an event or gets an ack of another account's conversation."""
    owner = {c.conversation: c.account for c in history.conversations}
    for fact in history.facts:
        if isinstance(fact, Seen | Acked) and owner.get(fact.conversation, fact.account) != fact.account:
            yield Violation("cross-account", fact.conversation, f"{fact.client} of {fact.account} got an event")


def foreign_read(history: History) -> Iterator[Violation]:
    """A visitor's client reads what is theirs: of whoever it ever was, be it that they logged in meanwhile."""
    whose = {each.conversation: each.visitor for each in history.conversations}
    names: dict[str, set[str]] = {}
    for fact in history.facts:
        if isinstance(fact, Was):
            names.setdefault(fact.client, set()).add(fact.visitor)
    for fact in history.facts:
        if isinstance(fact, Seen) and fact.client in names and fact.conversation in whose:
            owner = whose[fact.conversation]
            if owner not in names[fact.client]:
                yield Violation("foreign-read", fact.conversation, f"{fact.client} read {fact.event} of {owner}")


def leak(history: History) -> Iterator[Violation]:
    """Nothing that a visitor's line carried holds a colleague's word, or an agent behind an alias."""
    for line in history.misserved:
        if line.rule == "leak":
            yield Violation("leak", line.conversation, f"{line.client}: {line.why}")


def survey_twice(history: History) -> Iterator[Violation]:
    """A survey is asked right behind a close, with a new answer since the last; scored once, commented once after."""
    for conversation, log in history.logs().items():
        heard: set[str] = set()
        done: set[tuple[str, int]] = set()
        for before, entry in pairwise([Entry("", "", 0, "", "", ""), *log]):
            if entry.kind == "message":
                heard.add(entry.role)
            elif entry.kind == "survey_asked":
                if before.kind != "closed" or not {"visitor", "agent"} <= heard:
                    yield Violation("survey-twice", conversation, f"asked at {entry.seq} without having been earned")
                heard = set()
            elif entry.kind in ("survey_answered", "survey_commented"):
                early = entry.kind == "survey_commented" and ("survey_answered", entry.ask) not in done
                if early or (entry.kind, entry.ask) in done:
                    yield Violation("survey-twice", conversation, f"{entry.kind} at {entry.seq} once too often")
                done.add((entry.kind, entry.ask))


def set_aside(history: History) -> Iterator[Violation]:
    """No decider raises: no conversation is parked, and no command quarantined for what it did."""
    for entry in history.entries:
        if entry.kind == "parked":
            yield Violation("set-aside", entry.conversation, f"parked at {entry.seq}")
    for raised in history.raised:
        yield Violation("set-aside", raised.where, raised.what)


def stuck(history: History) -> Iterator[Violation]:
    """After the last fault every frame gets its outcome."""
    for fact in history.facts:
        if isinstance(fact, Waited):
            yield Violation("stuck", fact.conversation, f"{fact.client} waits {fact.for_s:.0f} s for {fact.id}")


def unanswered(history: History) -> int:
    """Return how many sends have no outcome: not a violation, but a run should be able to say so."""
    done = {fact.id for fact in history.facts if not isinstance(fact, Sent | Seen | Waited) and hasattr(fact, "id")}
    return sum(1 for fact in history.facts if isinstance(fact, Sent) and fact.id not in done)
