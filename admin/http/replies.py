"""What an operation answers, and the tag by which a thing is known to be as somebody saw it.

Invariant: the ETag is a hash of what is shown, so two that are alike are the same; a stale write is told what differs.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from admin.http.problems import STALE, Problem

MAX_DIFFERENCES = 50


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is anything that can be JSON, None for nothing, or bytes of the operation's own media type.

    Those may also come one after the other, as an iterator that is asked for more when the last were sent. Where it
    raises, the answer ends without its end, and whoever reads it knows that it is not whole.
    """

    body: Any = None
    status: int = 200
    etag: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def shown(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a reply that shows a thing, under its ETag."""
    return Reply(body, status, etag_of(body), headers or {})


def etag_of(body: Any) -> str:
    """Return the ETag of a thing."""
    said = msgspec.json.encode(body, order="deterministic")
    return f'"{hashlib.blake2b(said, digest_size=12).hexdigest()}"'


def check_match(if_match: str, present: Any, wanted: Any) -> None:
    """Raise a Problem that shows the difference unless `if_match` names `present`."""
    tags = [tag.strip().removeprefix("W/") for tag in if_match.split(",")]
    if "*" in tags or etag_of(present) in tags:
        return
    differences = list(difference(wanted, present))
    more = {"present": msgspec.to_builtins(present), "difference": differences[:MAX_DIFFERENCES]}
    detail = "it was changed since you read it: look at the difference, and send If-Match with the new ETag"
    raise Problem(STALE, detail, more=more, headers={"ETag": etag_of(present)})


def difference(yours: Any, present: Any, pointer: str = "") -> Iterator[dict[str, Any]]:
    """Yield each place at which `yours` would be otherwise than `present`; what is not in `yours` would stay."""
    if isinstance(yours, dict) and isinstance(present, dict):
        for name, value in yours.items():
            if name in present:
                yield from difference(value, present[name], f"{pointer}/{escaped(name)}")
            elif value is not None:
                yield {"pointer": f"{pointer}/{escaped(name)}", "yours": value}
    elif yours != present:
        yield {"pointer": pointer, "yours": yours, "present": present}


def escaped(name: str) -> str:
    """Return a name as a step of a JSON Pointer."""
    return name.replace("~", "~0").replace("/", "~1")
