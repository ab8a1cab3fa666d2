"""Scenario files: found by name or path, changed by `--set`, read, and every mistake told where it is.

Invariant: what comes out was checked as a whole; nothing of a run starts on a file with a mistake in it.
"""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from admin.workspace.places import BadWorkspace, Mistake, Place, parse
from loadtests.load import typed
from loadtests.load.scenario import Scenario, Send, Visitors

SHIPPED = Path(__file__).parent / "scenarios"
_STEP = re.compile(r"([a-zA-Z_]+)((?:\[\d+\])*)")


@dataclass(frozen=True, slots=True)
class BadScenario(Exception):
    """The scenario cannot be run: each mistake with its line and path."""

    name: str
    mistakes: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.name}:", *(f"  {mistake}" for mistake in self.mistakes)])


def shipped() -> list[str]:
    """Return the names of the scenarios that come with Samtale."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def load(name: str, sets: list[str]) -> Scenario:
    """Return the shipped scenario of that name, or that of a file. Raises BadScenario."""
    path = SHIPPED / f"{name}.yaml" if name in shipped() else Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(shipped())
        raise BadScenario(name, (f"cannot be read ({error}); shipped scenarios: {known}",)) from None
    return read(text, name, sets)


def read(text: str, name: str, sets: list[str]) -> Scenario:
    """Return what a file says, with `sets` (path=value) put into it. Raises BadScenario."""
    try:
        top = parse(text)
    except BadWorkspace as bad:
        raise BadScenario(name, tuple(map(str, bad.mistakes))) from None
    given = [_set(top, name, each) for each in sets]
    found = typed.read(top, Scenario)
    if isinstance(found, Scenario):
        _agree(top, found)
    if top.mistakes:
        raise BadScenario(name, tuple(_told(mistake, given) for mistake in sorted(top.mistakes)))
    assert isinstance(found, Scenario), "what is not one was noted"
    return found


def written(scenario: Scenario) -> str:
    """Return `scenario` as YAML, defaults left out."""
    out = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.dump(msgspec.to_builtins(scenario), out)
    return out.getvalue()


def _agree(top: Place, scenario: Scenario) -> None:
    """Note what is right by itself and wrong together."""
    if (scenario.lean is None) == (scenario.people is None):
        top.wrong("exactly one of lean and people says who takes part")
        return
    allowed = Scenario.LEAN if scenario.lean is not None else Scenario.PEOPLE
    peak = False
    for place, phase in zip(top.inside("phases").items() or (), scenario.phases, strict=True):
        if not isinstance(phase, allowed):
            place.wrong(f"{phase.__struct_config__.tag} is not for {'lean' if scenario.lean else 'people'}")
        if isinstance(phase, Send) and phase.times_peak and not peak:
            place.wrong("times_peak needs an exchange before it")
        peak = peak or type(phase).__name__ == "Exchange"
    for place, visitors in zip(top.inside("people.visitors").items() or (), _visitors(scenario), strict=False):
        from loadtests.load.personas import PERSONAS  # the SDK, which lean scenarios do without

        if visitors.persona not in PERSONAS:
            place.inside("persona").wrong(f"nobody is like that; there are: {', '.join(PERSONAS)}")
    if scenario.lean is not None and not scenario.lean.desks and peak:
        top.inside("lean").wrong("an exchange needs desks: somebody who reads")
    processes = scenario.driver.processes
    if scenario.lean is not None and scenario.lean.desks and processes > scenario.accounts:
        why = f"is {processes}, with {scenario.accounts} accounts: whoever talks to each other is in one process"
        top.inside("driver.processes").wrong(why)


def _visitors(scenario: Scenario) -> list[Visitors]:
    return scenario.people.visitors if scenario.people is not None else []


def _set(top: Place, name: str, given: str) -> str:
    """Put one `path=value` into the file's nodes; return its path."""
    path, equals, value = given.partition("=")
    node: Node | None = YAML(typ="safe", pure=True).compose(value) if equals and value else None
    steps = [_STEP.fullmatch(step) for step in path.split(".")]
    if node is None or not all(steps):
        raise BadScenario(name, (f"--set {given}: is not path=value, such as driver.processes=2",))
    at: Node = top.node
    keys = [key for step in steps if step is not None for key in _keys(step)]
    for number, key in enumerate(keys):
        is_last = number == len(keys) - 1
        new = node if is_last else MappingNode("tag:yaml.org,2002:map", [], node.start_mark, node.end_mark)
        found = _put(at, key, new, replace=is_last)
        if found is None:
            raise BadScenario(name, (f"--set {given}: there is no {key} in the list",))
        at = found
    return path


def _keys(step: "re.Match[str]") -> list[str | int]:
    return [step[1], *(int(number) for number in re.findall(r"\d+", step[2]))]


def _put(at: Node, key: str | int, new: Node, *, replace: bool) -> Node | None:
    """Return what stands under `key` in `at` when it is done: `new`, unless something is there and stays."""
    if isinstance(key, int):
        if not isinstance(at, SequenceNode) or not 1 <= key <= len(at.value):
            return None
        if replace:
            at.value[key - 1] = new
        found: Node = at.value[key - 1]
        return found
    if not isinstance(at, MappingNode):
        return None
    for place, (name, value) in enumerate(at.value):
        if name.value == key:
            if replace:
                at.value[place] = (name, new)
            kept: Node = new if replace else value
            return kept
    label = ScalarNode("tag:yaml.org,2002:str", key, new.start_mark, new.end_mark)
    at.value.append((label, new))
    return new


def _told(mistake: Mistake, sets: list[str]) -> str:
    """Return a mistake as people read it; what `--set` put there has no line."""
    if any(mistake.path == path or mistake.path.startswith((f"{path}.", f"{path}[")) for path in sets):
        return f"--set {mistake.path}: {mistake.reason}"
    return str(mistake)
