"""A scenario file is read whole, or refused with every mistake at its line."""

from pathlib import Path
from textwrap import dedent

import pytest

from app.apply import apply_file
from app.settings import Settings
from loadtests.load import reading, workspace
from loadtests.load.reading import BadScenario
from loadtests.load.scenario import Exchange, Send

GOOD = """\
title: Some talk
about: For a test.
lean: {phones: 4, desks: 4}
phases:
  - {do: exchange, messages: 10}
  - do: send
    seconds: 3
    per_s: 7
"""


def mistakes(text: str, *sets: str) -> list[str]:
    with pytest.raises(BadScenario) as refused:
        reading.read(text, "it.yaml", list(sets))
    assert str(refused.value).startswith("it.yaml:\n")
    return list(refused.value.mistakes)


@pytest.mark.parametrize("name", reading.shipped())
def test_what_is_shipped_can_be_read_and_written(name: str) -> None:
    """Every scenario that comes with Samtale is one, and what is kept of it in a run reads the same again."""
    scenario = reading.load(name, [])
    assert reading.read(reading.written(scenario), name, []) == scenario


def test_phases_are_what_they_say() -> None:
    """What is left out has its default."""
    scenario = reading.read(GOOD, "it.yaml", [])
    assert scenario.phases == [Exchange(messages=10), Send(seconds=3, per_s=7)]
    assert scenario.installation.gateways == 2


def test_a_set_changes_a_value_or_adds_it() -> None:
    """Paths count from 1, as in messages about mistakes."""
    scenario = reading.read(GOOD, "it.yaml", ["phases[2].per_s=9", "account.capacity=3", "seed=8"])
    assert isinstance(scenario.phases[1], Send)
    assert (scenario.phases[1].per_s, scenario.account.capacity, scenario.seed) == (9, 3, 8)


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("title: Some talk", "title: 3", "line 1: title: is 3; must be str, not int"),
        ("phones: 4", "phones: 0", "line 3: lean.phones: is 0; must be int >= 1"),
        ("phones: 4", "phone: 4", "line 3: lean.phone: is no field here; is phones meant?"),
        ("phones: 4, ", "", "line 3: lean: phones is missing"),
        ("do: exchange", "do: swap", "line 5: phases[1].do: must be one of: exchange, send, hold, cut, visit"),
        ("do: exchange, ", "", "line 5: phases[1]: do is missing: one of: exchange, send, hold, cut, visit"),
        ("messages: 10", "messages: many", "line 5: phases[1].messages: is many; must be int, not str"),
        ("seconds: 3", "seconds: -3", "line 7: phases[2].seconds: is -3; must be float > 0.0"),
        ("per_s: 7", "per_s: [7]", "line 8: phases[2].per_s: must be one value, not a list"),
        ("per_s: 7", "arrivals: late", "line 8: phases[2].arrivals: invalid enum value 'late'"),
        ("per_s: 7", "times_peak: x", "line 8: phases[2].times_peak: is x; must be float, not str"),
        ("lean: {phones: 4, desks: 4}", "lean: 4", "line 3: lean: must be named fields, not a number"),
        ("desks: 4", "desks: 0", "line 3: lean: an exchange needs desks: somebody who reads"),
        ("do: exchange, messages: 10", "do: visit, seconds: 1, per_s: 1", "line 5: phases[1]: visit is not for lean"),
        ("lean: {phones: 4, desks: 4}", "seed: 1", "line 1: exactly one of lean and people says who takes part"),
        ("about: For a test.", "title: Twice", "line 2: title: is here for the second time"),
    ],
)
def test_each_mistake_is_told_at_its_line(was: str, now: str, said: str) -> None:
    """Line, path and reason."""
    assert said in mistakes(GOOD.replace(was, now))


def test_every_mistake_is_told_at_once() -> None:
    """Reading does not stop at the first."""
    wrong = GOOD.replace("phones: 4", "phones: 0").replace("per_s: 7", "per_s: 0").replace("title:", "caption:")
    assert [said.partition(":")[0] for said in mistakes(wrong)] == ["line 1", "line 1", "line 3", "line 8"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("phases[2].per_s=0", "--set phases[2].per_s: is 0; must be float > 0.0"),
        ("driver.procesess=2", "--set driver.procesess: is no field here; is processes meant?"),
        ("phases[3].per_s=1", "--set phases[3].per_s=1: there is no 3 in the list"),
        ("phases", "--set phases: is not path=value, such as driver.processes=2"),
        ("driver.processes=2", "--set driver.processes: is 2, with 1 accounts: whoever talks to each other is in one"),
    ],
)
def test_a_wrong_set_is_told_as_what_it_is(given: str, said: str) -> None:
    """It stands on no line of the file."""
    assert any(mistake.startswith(said) for mistake in mistakes(GOOD, given))


def test_a_share_of_the_peak_needs_a_peak() -> None:
    """Three times nothing is nothing."""
    text = dedent(
        """\
        title: a
        about: b
        lean: {phones: 1, desks: 1}
        phases:
          - {do: send, times_peak: 3, seconds: 1}
        """
    )
    assert mistakes(text) == ["line 5: phases[1]: times_peak needs an exchange before it"]


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "a: &x 1\nb: *x"])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    """Nothing, half a file, a list, and what stands for something elsewhere."""
    assert mistakes(text)


def test_a_file_that_is_not_there_is_told_with_what_there_is() -> None:
    """A name that is neither shipped nor a file."""
    with pytest.raises(BadScenario, match="shipped scenarios: day"):
        reading.load("pears", [])


@pytest.mark.parametrize("name", reading.shipped())
def test_the_workspace_of_a_scenario_can_be_applied(name: str, tmp_path: Path) -> None:
    """Somebody else's server takes the file as it is printed."""
    file = tmp_path / "load.yaml"
    file.write_text(workspace.text(reading.load(name, [])))
    assert apply_file(Settings(data=tmp_path), file, check_only=True) == 0


def test_a_persona_that_nobody_wrote_is_told() -> None:
    """With those that there are."""
    people = "people: {visitors: [{persona: steady}, {persona: sleepy}]}"
    text = f"title: a\nabout: b\n{people}\nphases: [{{do: hold, seconds: 1}}]\n"
    (said,) = mistakes(text)
    assert said.startswith("line 3: people.visitors[2].persona: nobody is like that; there are: steady, ")
