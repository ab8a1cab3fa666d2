"""A YAML file, or what REST was sent, whose every value knows its place, and the list of what is wrong with it.

Invariant: reading never stops at a mistake; each is noted once, where it is, and no other follows from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

T = TypeVar("T")
_TAG = "tag:yaml.org,2002:"
_KINDS = {
    "str": "text",
    "int": "a number",
    "float": "a number with a fraction",
    "bool": "true or false",
    "null": "empty",
    "timestamp": "a date",
}


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong, and where: line 1 … (0: the file as a whole, or no file), and the path to the value."""

    line: int
    path: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path}: {self.reason}" if self.path else f"line {self.line}: {self.reason}"


class BadWorkspace(Exception):
    """The file cannot be applied: every mistake in it, by line. Nothing was changed."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in sorted(mistakes)))
        self.mistakes = sorted(mistakes)


class Wrong(Exception):
    """A value is not what it should be; the text says why, and never repeats a secret."""


@dataclass(frozen=True, slots=True)
class Place:
    """One value in the file; `line` is that of its name, if it has one."""

    node: Node
    path: str
    line: int
    mistakes: list[Mistake]

    def wrong(self, reason: str) -> None:
        """Note what is wrong here."""
        self.mistakes.append(Mistake(self.line, self.path, reason))

    def read(self, reader: "Callable[[Place], T]") -> T | None:
        """Return what `reader` makes of this, or note what is wrong and return None."""
        try:
            return reader(self)
        except Wrong as wrong:
            self.wrong(str(wrong))
            return None

    @property
    def found(self) -> str:
        """What kind of thing is here, for people."""
        match self.node:
            case MappingNode():
                return "named fields"
            case SequenceNode():
                return "a list"
        return _KINDS.get(self._tag, "something else")

    def scalar(self, kind: str) -> str | None:
        """Return the text of a value of `kind` (str, int, bool), or None."""
        return self.node.value if isinstance(self.node, ScalarNode) and self._tag == kind else None

    def fields(self) -> dict[str, "Place"] | None:
        """Return the named fields here, or None; a name used twice is noted."""
        if not isinstance(self.node, MappingNode):
            return None
        found: dict[str, Place] = {}
        for key, value in self.node.value:
            name = str(key.value)
            here = Place(value, f"{self.path}.{name}".lstrip("."), _line(key), self.mistakes)
            if name in found:
                here.wrong("is here for the second time")
            found.setdefault(name, here)
        return found

    def items(self) -> "list[Place] | None":
        """Return the items of the list here, or None."""
        if not isinstance(self.node, SequenceNode):
            return None
        return [
            Place(item, f"{self.path}[{number}]", _line(item), self.mistakes)
            for number, item in enumerate(self.node.value, 1)
        ]

    def inside(self, path: str) -> "Place":
        """Return the value that `path` (a.b) leads to, as far as it leads; notes nothing."""
        quiet = Place(self.node, self.path, self.line, [])
        for name in path.split(".") if path else []:
            quiet = (quiet.fields() or {}).get(name, quiet)
        return Place(quiet.node, quiet.path, quiet.line, self.mistakes)

    def item(self, said: str) -> "Place":
        """Return the item of the list here that says `said`, or this."""
        return next((place for place in self.items() or [] if place.node.value == said), self)

    @property
    def spot(self) -> str:
        """Where this is, for people."""
        return f"in line {self.line}" if self.line else f"at {self.path}"

    @property
    def _tag(self) -> str:
        return str(self.node.tag).removeprefix(_TAG)


def parse(text: str) -> Place:
    """Return the file's top, or raise BadWorkspace if it is no YAML."""
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        _give_up(line, f"no YAML: {error.problem or error.context}")
    except (YAMLError, RecursionError) as error:
        _give_up(0, f"no YAML: {str(error).splitlines()[0]}")
    if node is None:
        _give_up(0, "the file is empty")
    _refuse_aliases(node)
    return Place(node, "", _line(node), [])


def tree(value: Any, path: str = "") -> Place:
    """Return plain JSON as a place."""
    return Place(_node(value), path, 0, [])


def _node(value: Any) -> Node:
    match value:
        case None:
            return ScalarNode(f"{_TAG}null", "")
        case bool():
            return ScalarNode(f"{_TAG}bool", "true" if value else "false")
        case int() | float():
            return ScalarNode(f"{_TAG}{type(value).__name__}", str(value))
        case str():
            return ScalarNode(f"{_TAG}str", value)
        case list():
            return SequenceNode(f"{_TAG}seq", [_node(item) for item in value])
        case dict():
            named = [(ScalarNode(f"{_TAG}str", name), _node(item)) for name, item in value.items()]
            return MappingNode(f"{_TAG}map", named)
        case _:
            raise AssertionError(f"{type(value).__name__} is not JSON")


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1 if node.start_mark is not None else 0


def _refuse_aliases(top: Node) -> None:
    # A few lines of aliases can stand for gigabytes, and a mistake in one would be in many places.
    seen: set[int] = set()
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            _give_up(_line(node), "this is used again by an alias (*): write it out")
        seen.add(id(node))
        match node:
            case MappingNode():
                waiting.extend(part for pair in node.value for part in pair)
            case SequenceNode():
                waiting.extend(node.value)


def _give_up(line: int, reason: str) -> NoReturn:
    raise BadWorkspace([Mistake(line, "", reason)])
