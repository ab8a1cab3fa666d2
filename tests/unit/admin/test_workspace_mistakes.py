"""A workspace file with mistakes: each is said once, where it is, and none that is not there."""

import re
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from admin.workspace import BadWorkspace, Mistake, read

THIRTY = (Path(__file__).parent / "thirty_mistakes.yaml").read_text(encoding="utf-8")
EXAMPLE = resources.files("app").joinpath("examples/workspace.yaml").read_text(encoding="utf-8")


def mistakes(text: str) -> list[Mistake]:
    with pytest.raises(BadWorkspace) as refused:
        read(text)
    return refused.value.mistakes


def test_thirty_mistakes_are_thirty_errors_at_their_lines() -> None:
    """Each at its line and path with its reason, and none invented."""
    wanted = {
        (line, path): reason
        for line, text in enumerate(THIRTY.splitlines(), 1)
        for path, reason in re.findall(r"# ! (\S+): (.*)", text)
    }
    found = {(mistake.line, mistake.path): mistake.reason for mistake in mistakes(THIRTY)}
    assert len(wanted) == 30
    assert found.keys() == wanted.keys()
    assert {place: reason for place, reason in found.items() if wanted[place] not in reason} == {}


def leaves(node: Node) -> list[ScalarNode]:
    """Every single value of the file."""
    if isinstance(node, ScalarNode):
        return [node]
    parts = [value for _, value in node.value] if isinstance(node, MappingNode) else node.value
    return [leaf for part in parts for leaf in leaves(part)]


LEAVES = leaves(YAML(typ="safe", pure=True).compose(EXAMPLE))


@settings(max_examples=50, deadline=None)
@given(st.sets(st.sampled_from(range(len(LEAVES))), min_size=1, max_size=25))
def test_whatever_cannot_be_read_is_one_mistake_and_no_ground_for_another(broken: set[int]) -> None:
    """Values of the example are replaced by what is nothing: as many errors, at those lines."""
    text = EXAMPLE
    for leaf in sorted((LEAVES[number] for number in broken), key=lambda leaf: -leaf.start_mark.index):
        text = text[: leaf.start_mark.index] + "[[]]" + text[leaf.end_mark.index :]
    lines = sorted(LEAVES[number].start_mark.line + 1 for number in broken)
    assert [mistake.line for mistake in mistakes(text)] == lines
