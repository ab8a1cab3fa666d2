"""docs/howto/load.md against what it describes."""

import re
from pathlib import Path

import msgspec
import pytest

from loadtests.load import reading, scenario
from loadtests.load.goals import Goals
from loadtests.load.personas import PERSONAS
from loadtests.load.stage import Habits

PAGE = (Path(__file__).parents[3] / "docs/howto/load.md").read_text()
PARTS = (
    scenario.Scenario, scenario.Processes, scenario.Account, scenario.Opening, scenario.Driver, scenario.Lean,
    scenario.People, scenario.Visitors, scenario.Exchange, scenario.Send, scenario.Hold, scenario.Cut, scenario.Visit,
    Goals, Habits,
)  # fmt: skip


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_field_is_on_the_page(part: type[msgspec.Struct]) -> None:
    """What a scenario may say is described."""
    named = set(re.findall(r"`([a-z_0-9]+)(?:: true)?`", PAGE)) | set(re.findall(r"^([a-z]+):", PAGE, re.MULTILINE))
    assert set(part.__struct_fields__) <= named


def test_every_scenario_and_persona_is_on_the_page() -> None:
    """Whatever is shipped is described."""
    assert all(f"| `{name}` |" in PAGE for name in (*reading.shipped(), *PERSONAS))


def test_the_example_is_a_scenario() -> None:
    """It can be copied and run."""
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    found = reading.read(example, "load.md", [])
    assert found.goals.ack_p99_ms == 50
