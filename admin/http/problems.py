"""What went wrong, as RFC 9457 says it: a type, a status, and where it can be said, the field.

Invariant: a problem never repeats a secret, and tells nobody of what is not theirs: that is `not_found`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from msgspec import Struct
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its name (the end of `type`), its HTTP status, and what it means."""

    name: str
    status: int
    title: str


MALFORMED = Kind("malformed", 400, "The request cannot be read")
UNAUTHENTICATED = Kind("unauthenticated", 401, "Who asks is not known")
FORBIDDEN = Kind("forbidden", 403, "Who asks may not do this")
NOT_FOUND = Kind("not_found", 404, "There is no such thing")
NOT_ALLOWED = Kind("method_not_allowed", 405, "Nothing is done here by this method")
CONFLICT = Kind("conflict", 409, "This does not go with what else there is")
STALE = Kind("stale", 412, "Somebody else changed it in between")
TOO_LARGE = Kind("too_large", 413, "The body is too large")
UNSUPPORTED = Kind("unsupported", 415, "The body is not of a type that is read here")
INVALID = Kind("invalid", 422, "Some fields are not as they have to be")
UNGUARDED = Kind("unguarded", 428, "If-Match is missing")
RATE_LIMITED = Kind("rate_limited", 429, "Too many requests")
UNAVAILABLE = Kind("unavailable", 503, "Not possible at the moment")
KINDS = (
    MALFORMED, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, NOT_ALLOWED, CONFLICT, STALE, TOO_LARGE, UNSUPPORTED, INVALID,
    UNGUARDED, RATE_LIMITED, UNAVAILABLE,
)  # fmt: skip


class Fault(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong. `pointer`: the field (RFC 6901); `where`: the thing, if it is another than the asked."""

    pointer: str
    detail: str
    where: str = ""


class Problem(Exception):
    """The request is not done. `more` are further members, `headers` go with the answer."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        faults: Sequence[Fault] = (),
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.faults = kind, detail, tuple(faults)
        self.more, self.headers = dict(more or {}), dict(headers or {})

    def response(self) -> Response:
        """Return the answer."""
        said: dict[str, Any] = {
            "type": f"/api/v1/docs#{self.kind.name}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            **self.more,
        }
        if self.faults:
            said["errors"] = [
                {"pointer": one.pointer, "detail": one.detail} | ({"where": one.where} if one.where else {})
                for one in self.faults
            ]
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(orjson.dumps(said), self.kind.status, headers, MEDIA_TYPE)


SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `type` names the kind of problem; `errors` name the fields.",
    "properties": {
        "type": {"type": "string", "enum": [f"/api/v1/docs#{kind.name}" for kind in KINDS]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "the field, as a JSON Pointer into the body"},
                    "detail": {"type": "string"},
                    "where": {"type": "string", "description": "the thing, if it is another than the one asked for"},
                },
                "required": ["pointer", "detail"],
            },
        },
        "difference": {
            "type": "array",
            "description": "of a stale write: what would be otherwise than it is now",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "yours": {}, "present": {}},
                "required": ["pointer"],
            },
        },
        "present": {"description": "of a stale write: the thing as it is now"},
    },
    "required": ["type", "title", "status", "detail"],
    "x-kinds": [{"name": kind.name, "status": kind.status, "title": kind.title} for kind in KINDS],
}
