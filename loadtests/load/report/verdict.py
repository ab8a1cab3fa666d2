"""The verdict in words: what the checker found, before any figure.

Invariant: a run in which nothing was looked at is never called good.
"""

from typing import NamedTuple

from loadtests.load.results import Judgement

_WORDS = {
    "lost": "lost",
    "duplicated": "duplicated",
    "out_of_order": "out of order",
    "gaps": "with a gap",
    "two_assignees": "with two assignees",
    "over_capacity": "over capacity",
    "stored_before_consent": "stored before consent",
    "others": "otherwise broken",
}


class Told(NamedTuple):
    """The verdict to show: `look` is good, bad or unsure."""

    look: str
    headline: str
    scope: str


def told(verdict: Judgement) -> Told:
    """Return `verdict` in words."""
    scope = f"{verdict.messages:,} messages in {verdict.sessions:,} sessions were looked at."
    if not verdict.is_good:
        found = [f"{count:,} {words}" for name, words in _WORDS.items() if (count := getattr(verdict, name))]
        return Told("bad", "Broken: " + ", ".join(found), scope)
    if not verdict.sessions:
        return Told("unsure", "Not judged: the checker had no session to look at", scope)
    return Told("good", "Good: nothing lost, nothing twice, everything in order", scope)
