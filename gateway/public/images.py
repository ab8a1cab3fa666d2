"""`GET /v1/images/…`: images of companies' brands, which everybody may see and keep.

Invariant: an address always means the same image, so whoever has it need never ask again; no cookie is read or set.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.public.answers import refuse
from protocol.wire.codes import Code
from store.files.brand import PATH, key_of
from store.files.bucket import Bucket, BucketAway

RETRY_MS = 1_000
_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}


class ImageDesk:
    """The endpoint."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def routes(self) -> list[Route]:
        """Return what is served."""
        return [Route(PATH + "{name}", self.__call__, methods=["GET"])]

    async def __call__(self, request: Request) -> Response:
        """Answer 200 with the image; 404 or 503 with a refusal."""
        found = key_of(request.path_params["name"])
        try:
            opened = await self._bucket.open(found[0]) if found is not None else None
        except BucketAway:
            return refuse(503, Code.UNAVAILABLE, RETRY_MS)
        if found is None or opened is None:
            return refuse(404, Code.NOT_FOUND)
        headers = {**_HEADERS, "Content-Length": str(opened.size_bytes)}
        return StreamingResponse(opened.parts, 200, headers, found[1])
