"""What HTTP answers look like: JSON, and refusals with the codes of SPEC 10.

Invariant: nothing is cached by anybody between, and no answer repeats what was asked.
"""

import msgspec
from starlette.responses import Response

from protocol.wire.codes import Code


class Refusal(msgspec.Struct, omit_defaults=True):
    """As the frame `refused`: a code, whether trying again can help, a text for developers."""

    code: str
    retryable: bool
    text: str
    retry_after_ms: int = 0


def answer(body: object, status: int = 200) -> Response:
    """Return `body` as JSON."""
    return Response(
        msgspec.json.encode(body), status, {"Cache-Control": "no-store"}, "application/json"
    )  # fmt: skip


def refuse(status: int, code: Code, retry_after_ms: int = 0) -> Response:
    """Return a refusal."""
    response = answer(Refusal(code.wire, code.retryable, code.text, retry_after_ms), status)
    if retry_after_ms:
        response.headers["Retry-After"] = str(-(-retry_after_ms // 1000))
    return response
