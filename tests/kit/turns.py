"""The law of turns, watched from outside: who could have had each turn, and who had it.

Invariant: knows nothing of rings; it is told, decision by decision, who was eligible.
"""


class Turns:
    """One rule's turns. Among agents eligible at every decision of a window, turns differ by at most one."""

    def __init__(self) -> None:
        self._apart: dict[tuple[str, str], tuple[int, int, int]] = {}  # pair → difference now, lowest, highest

    def used(self, agent: str, eligible: list[str]) -> None:
        """Note a turn of `agent` while `eligible` might have had it; raises AssertionError if that breaks the law."""
        window = {}
        for number, one in enumerate(sorted(eligible)):
            for other in sorted(eligible)[number + 1 :]:
                now, lowest, highest = self._apart.get((one, other), (0, 0, 0))
                now += (agent == one) - (agent == other)
                window[(one, other)] = (now, min(lowest, now), max(highest, now))
                spread = max(highest, now) - min(lowest, now)
                assert spread <= 1, f"{one} and {other} were both eligible and are {spread} turns apart"
        self._apart = window
