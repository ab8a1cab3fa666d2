"""A request read into a call: query, body, headers, each checked before anything is done.

Invariant: nothing that is not described is taken: an unknown parameter or field is refused by name.
"""

import asyncio
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request

from admin.http.operations import Call, Caller, Operation, Parameter
from admin.http.problems import INVALID, MALFORMED, TOO_LARGE, UNSUPPORTED, Fault, Problem
from admin.http.replies import escaped
from admin.workspace.places import Mistake, tree
from admin.workspace.readers import Reader, Schema

MAX_BODY_BYTES = 1_048_576
BODY_DEADLINE_S = 30.0  # a phone's line brings a whole one in that time; nobody holds a place with a byte at a time
MAX_HEADER_CHARS = 200
MAX_DEPTH = 40
MAX_FAULTS = 50
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # no text has them, and neither SQL nor XML takes them all
_AT = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


async def read_call(operation: Operation, request: Request, caller: Caller) -> Call:
    """Return the call that `request` is. Raises Problem."""
    query = _query(operation, request)
    plain = await _plain(operation, request)
    path = {name: str(value) for name, value in request.path_params.items()}
    if any(map(_CONTROL.search, path.values())):
        raise Problem(MALFORMED, "the path holds a character that no id has")
    body = plain if operation.body is None else read_body(operation.body, plain)
    once = _header(request, "Idempotency-Key") if operation.once else None
    return Call(caller, path, query, body, plain, _header(request, "If-Match"), once, request)


def _header(request: Request, name: str) -> str | None:
    value = request.headers.get(name)
    if value is not None and not (0 < len(value) <= MAX_HEADER_CHARS):
        raise Problem(MALFORMED, f"{name} has 1 to {MAX_HEADER_CHARS} characters")
    return value


def _query(operation: Operation, request: Request) -> dict[str, Any]:
    known = {parameter.name: parameter for parameter in operation.parameters}
    found: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            there_are = f"there are: {', '.join(known)}" if known else "there are none here"
            raise Problem(MALFORMED, f"{name[:50]!r} is no parameter; {there_are}")
        if name in found:
            raise Problem(MALFORMED, f"{name} is there twice")
        found[name] = _value(known[name], value)
    return found


def _value(parameter: Parameter, said: str) -> Any:
    schema = parameter.schema
    match schema["type"]:
        case "integer":
            return _number(parameter.name, said, schema)
        case "boolean":
            if said not in ("true", "false"):
                raise Problem(MALFORMED, f"{parameter.name} is true or false")
            return said == "true"
    if "enum" in schema and said not in schema["enum"]:
        raise Problem(MALFORMED, f"{parameter.name} is one of: {', '.join(schema['enum'])}")
    if len(said) > schema.get("maxLength", 500) or _CONTROL.search(said):
        raise Problem(MALFORMED, f"{parameter.name} is too long, or holds what no text does")
    if "pattern" in schema and not re.search(schema["pattern"], said):
        raise Problem(MALFORMED, f"{parameter.name} has the form {schema['pattern']}")
    return said


def _number(name: str, said: str, schema: Schema) -> int:
    least, most = schema.get("minimum", 0), schema.get("maximum", 2**53)
    if not re.fullmatch(r"-?[0-9]{1,16}", said) or not least <= int(said) <= most:
        raise Problem(MALFORMED, f"{name} is a whole number from {least} to {most}")
    return int(said)


async def _plain(operation: Operation, request: Request) -> Any:
    """Return the body as JSON, or as it is; None if the operation has none."""
    if operation.bytes_of:
        if request.headers.get("Content-Type", "").partition(";")[0].strip() not in operation.bytes_of:
            raise Problem(UNSUPPORTED, f"the body is one of {', '.join(operation.bytes_of)}: say which")
        return await _bytes(request)
    if operation.body is None:
        return None
    raw = await _bytes(request)
    if not raw and operation.body_optional:
        return {}
    if request.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        raise Problem(UNSUPPORTED, "the body is JSON: say so with Content-Type: application/json")
    try:
        plain = msgspec.json.decode(raw, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem(MALFORMED, "the body is no JSON") from None
    if _is_deep(plain):
        raise Problem(MALFORMED, f"the body is nested deeper than {MAX_DEPTH} levels")
    if faults := list(islice(_controls(plain), MAX_FAULTS)):
        raise invalid(faults)
    return plain


async def _bytes(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            async for part in request.stream():
                body += part
                if len(body) > MAX_BODY_BYTES:
                    raise Problem(TOO_LARGE, f"a body has at most {MAX_BODY_BYTES} bytes")
    except (ClientDisconnect, TimeoutError):
        raise Problem(MALFORMED, "the body did not arrive whole, or not in time") from None
    return bytes(body)


def _is_deep(plain: Any) -> bool:
    level = [plain]
    for _ in range(MAX_DEPTH):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return False
    return True


def _inside(plain: Any) -> list[Any]:
    match plain:
        case dict():
            return list(plain.values())
        case list():
            return plain
    return []


def _controls(plain: Any, pointer: str = "") -> Iterator[Fault]:
    """Yield a fault for every text with control characters, also where it is the name of a field."""
    match plain:
        case str() if _CONTROL.search(plain):
            yield Fault(pointer, "holds a control character")
        case dict():
            for name, value in plain.items():
                at = f"{pointer}/{escaped(name)}"
                yield from _controls(name, at)
                yield from _controls(value, at)
        case list():
            for number, value in enumerate(plain):
                yield from _controls(value, f"{pointer}/{number}")


def read_body(body: Any, plain: Any) -> Any:
    """Return what `body`, a reader or a type, makes of `plain`. Raises Problem with every field that is wrong."""
    if isinstance(body, Reader):
        place = tree(plain)
        found = place.read(body)
        if place.mistakes:
            raise invalid([fault_of(mistake) for mistake in place.mistakes])
        return found
    try:
        return msgspec.convert(plain, body, strict=True)
    except msgspec.ValidationError as error:
        raise invalid([_fault(str(error))]) from None


def invalid(faults: list[Fault]) -> Problem:
    """Return the problem of fields that are wrong."""
    count = len(faults)
    return Problem(INVALID, f"{count} field{'' if count == 1 else 's'} {'is' if count == 1 else 'are'} wrong", faults)


def fault_of(mistake: Mistake) -> Fault:
    """Return a mistake in what was sent as a fault of its field."""
    return Fault(pointer_of(mistake.path), mistake.reason)


def pointer_of(path: str) -> str:
    """Return the JSON Pointer of `a.b[1].c`, whose items count from 1."""
    steps = (name or str(int(number) - 1) for name, number in _STEP.findall(path))
    return "".join(f"/{escaped(step)}" for step in steps)


def _fault(said: str) -> Fault:
    found = _AT.search(said)
    if found is None:
        return Fault("", said)
    steps = (name or number for name, number in _STEP.findall(found[1]))
    return Fault("".join(f"/{step}" for step in steps), said[: found.start()])
