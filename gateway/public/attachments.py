"""`PUT` and `GET /v1/attachments/…`: files to and from the addresses that sessions are given (SPEC 5.9, 6.7).

Invariant: the address is all that lets somebody in: no cookie is read or set; what is foreign, expired, used up or gone
is refused alike. Nothing that was uploaded is ever run, framed or guessed at by a browser.
"""

import re
from typing import Final
from urllib.parse import quote

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.attachments import PATH, Attachments
from gateway.counts import Counts
from gateway.public.answers import answer, refuse
from gateway.receiving import Unfit, receive
from gateway.services import Services
from protocol.wire.codes import Code
from protocol.wire.kinds import File
from store.files.bucket import BucketAway, Opened
from store.files.sniffing import UNKNOWN, is_shown_in_place
from store.redis.faults import Away, Refused
from store.sql.database import StoreAway, StoreRefused
from store.sql.queries import attachments as rows

AT_ONCE = 64  # uploads: each holds a little over a megabyte and a file of at most 20
RETRY_MS = 1_000
_RANGE: Final = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")  # several at once are answered by the whole
_STATUS: Final = {
    Code.NOT_FOUND: 404,
    Code.TOO_LARGE: 413,
    Code.MALFORMED: 400,
    Code.BAD_FILE: 415,
    Code.RATE_LIMITED: 429,
    Code.OVERLOADED: 503,
}
_ANYWHERE: Final = {  # the address is the permission, wherever the page that has it comes from
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, PUT",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "600",
}
_INERT: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "Accept-Ranges": "bytes",
}


class Put(msgspec.Struct):
    """What an upload is answered: the receipt that a `send` names, and the file as it is kept."""

    receipt: str
    file: File


class AttachmentDesk:
    """The endpoints."""

    def __init__(self, services: Services, files: Attachments, counts: Counts) -> None:
        self._services, self._files, self._counts = services, files, counts
        self._uploads = 0

    def routes(self) -> list[Route]:
        """Return what is served."""
        return [Route(PATH + "{sealed}", self.__call__, methods=["GET", "PUT", "OPTIONS"])]

    async def __call__(self, request: Request) -> Response:
        """Answer 200, 206 with a part, 204 of OPTIONS; 400, 404, 413, 415, 416, 429 or 503 with a refusal."""
        try:
            match request.method:
                case "PUT":
                    response = await self._put(request)
                case "OPTIONS":
                    response = Response(status_code=204)
                case _:
                    response = await self._get(request)
        except Unfit as unfit:
            wait_ms = RETRY_MS if unfit.code.retryable else 0
            response = refuse(_STATUS.get(unfit.code, 400), unfit.code, wait_ms)
        except (ClientDisconnect, TimeoutError):
            response = refuse(400, Code.MALFORMED)
        except (Away, Refused, StoreAway, StoreRefused, BucketAway):
            response = refuse(503, Code.UNAVAILABLE, RETRY_MS)
        if request.method == "PUT":
            self._counts.uploads[str(response.status_code)] += 1
        response.headers.update(_ANYWHERE)
        return response

    async def _put(self, request: Request) -> Response:
        grant = self._files.may_upload(request.path_params["sealed"])
        if grant is None:
            raise Unfit(Code.NOT_FOUND)
        if self._uploads >= AT_ONCE:
            raise Unfit(Code.OVERLOADED)
        self._uploads += 1
        try:
            file = await receive(self._services, self._files, grant, request.stream())
        finally:
            self._uploads -= 1
        return answer(Put(self._files.receipt(grant, file), file))

    async def _get(self, request: Request) -> Response:
        grant = self._files.may_download(request.path_params["sealed"])
        if grant is None:
            raise Unfit(Code.NOT_FOUND)
        kept = await self._services.outside.record.read(lambda sql: rows.find(sql, grant.attachment))
        if kept is None or (kept.account, kept.visitor) != (grant.account, grant.visitor):
            raise Unfit(Code.NOT_FOUND)
        part = part_in(request.headers.get("Range", ""), kept.file.size)
        if part is not None and not part:
            return Response(None, 416, {"Content-Range": f"bytes */{kept.file.size}"})
        opened = await self._files.bucket.open(rows.key_of(kept.account, kept.file.id), part)
        if opened is None:
            raise Unfit(Code.NOT_FOUND)
        return _shown(kept.file, opened, part)


def part_in(asked: str, size_bytes: int) -> range | None:
    """Return the one range of bytes that a header asks for, an empty one if there is nothing; None: the whole."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return range(max(size_bytes - int(found[2]), 0), size_bytes)
    last = int(found[2]) if found[2] else size_bytes - 1
    return range(int(found[1]), min(last + 1, size_bytes))


def _shown(file: File, opened: Opened, part: range | None) -> Response:
    in_place, name = is_shown_in_place(file.type), quote(file.name, safe="")
    headers = {
        **_INERT,
        "Content-Length": str(opened.size_bytes),
        "Content-Disposition": f"{'inline' if in_place else 'attachment'}; filename*=UTF-8''{name}",
        "Cache-Control": "private, max-age=300",
    }
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.size}"
    return StreamingResponse(opened.parts, 200 if part is None else 206, headers, file.type if in_place else UNKNOWN)
