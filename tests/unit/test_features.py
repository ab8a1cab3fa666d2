"""docs/features.md names only tests that there are."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "features.md"
NAMED = sorted(set(re.findall(r"`([a-z_/]+\.py)(?:::(\w+))?`", PAGE.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name or file for file, name in NAMED])
def test_what_the_page_names_is_there(file: str, name: str) -> None:
    """The file is there, and the test in it."""
    source = (TESTS / file).read_text(encoding="utf-8")
    assert not name or re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"{file} has no {name}"


def test_every_row_that_works_names_a_test() -> None:
    """What has no test is left for later, and says so."""
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    unshown = [row[0] for row in rows if row[1] == "–" and "issue" not in row[2]]
    assert unshown == []
