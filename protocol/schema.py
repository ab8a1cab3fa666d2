"""JSON Schema of every frame, generated from the types (`python -m protocol.schema` writes them).

Invariant: schema/*.json are exactly what `documents` returns; a test compares them. A tool: nothing imports it to run.
"""

import json
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec

from protocol.wire import client, server

HERE = Path(__file__).parent / "schema"
SOCKETS: dict[str, tuple[str, Any]] = {
    "mobile-client": ("Frames that a visitor's client sends on /v1/mobile", client.MobileFrame),
    "mobile-server": ("Frames that the server sends on /v1/mobile", server.MobileServerFrame),
    "agent-client": ("Frames that an agent's client sends on /v1/agent", client.AgentFrame),
    "agent-server": ("Frames that the server sends on /v1/agent", server.AgentServerFrame),
}


def documents() -> dict[str, str]:
    """Return file name → text of each schema."""
    return {f"{name}.json": _document(title, frames) for name, (title, frames) in SOCKETS.items()}


def _document(title: str, frames: Any) -> str:
    kinds = get_args(frames)
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": "Generated from protocol/wire. protocol/SPEC.md is normative.",
        "oneOf": list(schemas),
        "$defs": components,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the files, or with `--check` say which are out of date."""
    stale = [name for name, text in documents().items() if not _is_current(name, text)]
    if "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(stale)}" if stale else 0)
    HERE.mkdir(exist_ok=True)
    for name in stale:
        (HERE / name).write_text(documents()[name], encoding="utf-8")


def _is_current(name: str, text: str) -> bool:
    return (HERE / name).is_file() and (HERE / name).read_text(encoding="utf-8") == text


if __name__ == "__main__":
    main()
