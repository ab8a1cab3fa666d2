"""The table of a conversation's phases in routing, and the diagram drawn from it."""

from pathlib import Path

from routing.core.transitions import TABLE, Over, mermaid

PAGE = Path(__file__).parents[3] / "docs" / "architecture" / "roster.md"


def test_the_page_shows_the_table() -> None:
    """`python -m routing.core.transitions` draws what docs/architecture/roster.md shows."""
    assert mermaid() in PAGE.read_text()


def test_every_phase_can_end() -> None:
    """Whatever becomes of a conversation, it can be released."""
    assert all(any(Over in afters for afters in row.values()) for phase, row in TABLE.items() if phase is not Over)
