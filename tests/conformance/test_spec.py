"""SPEC.md and the types of the wire name the same things."""

import re
from pathlib import Path
from typing import get_args

import pytest

from protocol import wire
from protocol.wire import client, content, kinds, server
from protocol.wire.limits import MAX_FRAME_BYTES, MAX_TEXT_CHARS, MAX_UNRESOLVED, MESSAGE_BURST, MESSAGES_PER_MINUTE

WIRE = Path(wire.__file__).parent
SPEC = (WIRE.parent / "SPEC.md").read_text(encoding="utf-8")
HEADINGS = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", SPEC, re.MULTILINE))
FRAMES = {
    kind.__struct_config__.tag
    for frames in (client.MobileFrame, client.AgentFrame, server.MobileServerFrame, server.AgentServerFrame)
    for kind in get_args(frames)
}
BODIES = {kind.__struct_config__.tag: kind for kind in get_args(content.AnyBody)}
CONTENTS = {kind.__struct_config__.tag: kind for kind in get_args(kinds.AnyContent)}


@pytest.mark.parametrize("module", sorted(WIRE.rglob("*.py")), ids=lambda path: str(path.relative_to(WIRE)))
def test_every_section_that_a_type_names_is_there(module: Path) -> None:
    """A reader who follows a docstring arrives."""
    source = module.read_text(encoding="utf-8")
    ranges = re.findall(r"SPEC (\d+(?:\.\d+)?(?:(?:–|, )\d+(?:\.\d+)?)*)", source)
    named = {number for each in ranges for number in re.split(r"–|, ", each)}
    assert named <= HEADINGS


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_every_frame_is_in_spec(name: str) -> None:
    """By its name."""
    assert re.search(rf"`{name}\b", SPEC)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_every_field_of_a_body_is_in_its_row(name: str) -> None:
    """SPEC 7.2; of `started` those that a client has a use for."""
    row = next(line for line in _section("7.2").splitlines() if line.startswith(f"| `{name}` |"))
    fields = set(BODIES[name].__struct_fields__)
    kept = {"reopen_window_s", "gated_ttl_s", "alias", "help_desk", "priority", "inactivity_s", "silent_s", "first_reply_s",
            "email", "survey", "environment", "contact", "steps"}  # fmt: skip
    missing = {field for field in fields if f"`{field}`" not in row}
    assert missing <= (kept if name == "started" else set())


@pytest.mark.parametrize("name", sorted(CONTENTS))
def test_every_field_of_a_content_is_in_its_row(name: str) -> None:
    """SPEC 7.2."""
    row = next(line for line in _section("7.2").splitlines() if line.startswith(f"| `{name}` |"))
    assert all(f"`{field}`" in row for field in CONTENTS[name].__struct_fields__)


def test_the_limits_are_those_of_the_code() -> None:
    """SPEC 2.5."""
    limits = _section("2.5")
    for limit in (MAX_FRAME_BYTES, MAX_TEXT_CHARS, MAX_UNRESOLVED, MESSAGES_PER_MINUTE, MESSAGE_BURST):
        assert f"{limit:,}" in limits


def _section(number: str) -> str:
    after = SPEC.split(f"### {number} ")[1]
    return re.split(r"^#{2,3} ", after, flags=re.MULTILINE)[0]
